"""Which findings can be told from what should not matter: the source; or size, file, brightness, the picture's border.

    given_away(samples, features(samples, traits.facts))      # a forest for each finding, judged on patients not seen
    given_away(samples, sources(samples))                     # from the source alone

The measure is the ROC AUC over the images where the finding is certain: 0.5 is guessing. What is reached here, a
network can reach without looking at a lung.
"""

from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.audit.issues import SHORTCUT_SEES, Issue, issue
from cxr_core.audit.kinds import INFORMS, KINDS, SHORTCUT, WARNS
from cxr_core.evaluation.findings import judged
from cxr_core.figures import compact
from cxr_core.findings import Policy, learnt, names_in, values_of
from cxr_core.hierarchy import Hierarchy

FOLDS = 5
# Fewer patients with a finding, or without it, cannot be told from guessing.
MIN_GROUPS = 10
# Claimed is what is so far above guessing, and above it by more than chance gives once in a hundred data sets, over all
# findings together.
MARGIN = 0.15
_ONCE = 0.01
_MOST_IMAGES = 5_000
_TREES = 60
_NAMED = 4


@dataclass(frozen=True)
class GivenAway:
    """``roc_auc`` is None where fewer than 10 patients have the finding, or have it not; ``n``: images judged."""

    finding: str
    roc_auc: float | None
    interval: list[float] | None
    n: int
    positives: int
    claimed: bool

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def written(self) -> str:
        return f"{self.finding} {compact(self.roc_auc, self.interval, 2)}"


def given_away(samples: pd.DataFrame, table: pd.DataFrame, seed: int = 0) -> list[GivenAway]:
    """One for each finding, cross-validated in five parts, whole by patient (an image without one is its own).

    ``table``: what the forest sees, numbers, a row for each row of ``samples``.
    """
    # Half a second to import, and a kept audit needs none of it.
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.model_selection import StratifiedGroupKFold

    if len(samples) > _MOST_IMAGES:
        rows = np.sort(np.random.default_rng(seed).choice(len(samples), _MOST_IMAGES, replace=False))
        samples, table = samples.iloc[rows], table.iloc[rows]
    names = names_in(samples)
    truth, known = Hierarchy(names, {}).judged(values_of(samples, names), Policy())
    groups = np.where(samples["patient"] != "", "p:" + samples["patient"], "d:" + samples["digest"])
    values = table.to_numpy(np.float32)
    places = learnt(names)
    found = []
    for k in places:
        here = np.flatnonzero(known[:, k])
        label, who, shown = truth[here, k], groups[here], values[here]
        n, positives = len(here), int(label.sum())
        if min(len(set(who[label])), len(set(who[~label]))) < MIN_GROUPS:
            found.append(GivenAway(names[k], None, None, n, positives, claimed=False))
            continue
        score = np.empty(n)
        parts = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(shown, label, who)
        for train, test in parts:
            forest = ExtraTreesClassifier(
                _TREES, min_samples_leaf=3, class_weight="balanced", random_state=seed, max_features=None
            ).fit(shown[train], label[train])
            shares = forest.predict_proba(shown[test])
            score[test] = shares[:, list(forest.classes_).index(True)] if True in forest.classes_ else 0.0
        one = np.ones((n, 1), dtype=bool)
        report = judged(label[:, None], one, score[:, None], [names[k]], {}, who.tolist())
        area = report.findings[0].figures["roc_auc"]
        found.append(
            GivenAway(names[k], area.value, area.ends, n, positives, _claimed(area.value, area.ends, len(places)))
        )
    return found


def sources(samples: pd.DataFrame) -> pd.DataFrame | None:
    """The source of each image as numbers, a column each; None where fewer than two are known."""
    known = samples["source"] != ""
    if samples.loc[known, "source"].nunique() < 2:
        return None
    return pd.get_dummies(samples["source"]).astype(float)


def _claimed(value: float | None, ends: list[float] | None, findings: int) -> bool:
    """Above guessing by the margin, and by more than chance over so many findings (Bonferroni)."""
    if value is None or ends is None:
        return False
    normal = NormalDist()
    error = (ends[1] - ends[0]) / (2 * normal.inv_cdf(0.975))
    return bool(value > 0.5 + MARGIN and value - normal.inv_cdf(1 - _ONCE / findings) * error > 0.5)


def issues_of(by_shortcut: list[GivenAway], by_source: list[GivenAway] | None, border_masked: bool) -> list[Issue]:
    """The issues of what both gave."""
    masked = " (the border is masked in training)" if border_masked else ""
    found = [_issue(SHORTCUT, f"From {SHORTCUT_SEES[border_masked]} alone{masked}", by_shortcut)]
    if by_source is not None:
        found.append(_issue("source-only score", "From the source alone", by_source))
    return found


def _issue(kind: str, seen: str, found: list[GivenAway]) -> Issue:
    judgeable = sorted((one for one in found if one.roc_auc is not None), key=lambda one: -(one.roc_auc or 0))
    if not judgeable:
        return issue(
            kind, f"Too few patients to tell which finding is given away: {seen}.", severity=INFORMS, fixable=False
        )
    claimed = [one for one in judgeable if one.claimed]
    if not claimed:
        best = judgeable[0].written
        return issue(
            kind,
            f"{seen}, a simple model tells no finding ({len(judgeable)} of {len(found)} judged; the highest ROC AUC: "
            f"{best}).",
            severity=INFORMS,
            fixable=False,
        )
    named = ", ".join(one.written for one in claimed[:_NAMED])
    more = f" and {len(claimed) - _NAMED} more" if len(claimed) > _NAMED else ""
    return issue(
        kind,
        f"{seen}, a simple model tells {len(claimed)} of {len(found)} findings, by ROC AUC {named}{more}: "
        f"{KINDS[kind].means}.",
        severity=WARNS,
        fixable=False,
    )
