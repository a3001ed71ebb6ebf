"""Can the class be told from what should not matter: size, file, brightness, the picture's border?

    found = shortcut(samples, traits, dataset.border_masked)
    found["macro_f1"], found["chance_macro_f1"], found["by_feature"], found["claimed"]

A forest sees only these and is judged on patients that it has not seen. What it reaches above chance, a network can
reach without looking at a lung.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxr_core.audit.issues import SHORTCUT_SEES, Issue, issue
from cxr_core.audit.kinds import INFORMS, KINDS, SHORTCUT
from cxr_core.audit.scores import interval_of
from cxr_core.audit.traits import FACTS, Traits
from cxr_core.evaluation.chance import chance, macro_f1
from cxr_core.images import BORDER

FOLDS = 5
# Fewer patients of a class cannot be told from chance.
MIN_GROUPS = 10
# A shortcut is claimed where the score is so far above chance, and above what chance gives once in a hundred times.
MARGIN = 0.15
# A feature without which so much macro F1 is lost carries some of a shortcut.
_CARRIES = 0.01
_REPEATS = 3
_MOST_IMAGES = 20_000
_TREES = 120
# What one feature is made of, as people speak of it.
GROUPS = {
    "width": ("width",),
    "height": ("height",),
    "aspect": ("aspect",),
    "file size": ("bytes", "bytes_per_pixel"),
    "format": ("format", "mode", "bits"),
    "brightness": ("brightness",),
    "spread of brightness": ("spread",),
    "border": ("border_top", "border_bottom", "border_left", "border_right"),
    "letters at the border": ("marker",),
}
# Those that a network does not see where the border is masked.
AT_BORDER = ("border", "letters at the border")


def shortcut(samples: pd.DataFrame, traits: Traits, border_masked: bool = False, seed: int = 0) -> dict[str, Any]:
    """``{"macro_f1", "interval", "chance_macro_f1", "by_feature": {name: loss of macro F1 without it}, "claimed",
    "n"}``; the interval is the 95 % one by patient.

    Cross-validated in five parts, whole by patient (an image without one is its own) and by content. By feature: how
    much macro F1 falls where that feature's values are dealt out anew among the images judged. Chance: the same
    decisions dealt out anew, whole by patient. Figures are None where a class has fewer than 10 patients. Where the
    border is masked, what stands there is left out, and brightness and its spread are those of what remains.
    """
    # Half a second to import, and a kept audit needs none of it.
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.model_selection import StratifiedGroupKFold

    rows = np.flatnonzero(traits.seen)
    if len(rows) > _MOST_IMAGES:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _MOST_IMAGES, replace=False))
    chosen = samples.iloc[rows]
    groups = np.where(chosen["patient"] != "", "p:" + chosen["patient"], "d:" + chosen["digest"])
    # Numbers, not names: scikit-learn takes classes called 0 and 1 for numbers, and then does not find them.
    labels, names = pd.factorize(chosen["label"], sort=True)
    if min(pd.Series(groups).groupby(labels).nunique(), default=0) < MIN_GROUPS or len(names) < 2:
        unknown = {"macro_f1": None, "interval": None, "chance_macro_f1": None}
        return {**unknown, "by_feature": {}, "claimed": False, "n": len(rows)}
    table, kinds = visible(chosen, traits.facts[rows], traits.small[rows], border_masked)
    random = np.random.default_rng(seed)
    decided = np.empty_like(labels)
    dealt = {name: np.empty((_REPEATS, len(labels)), labels.dtype) for name in kinds}
    values = table.to_numpy(np.float32)
    for train, test in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(values, labels, groups):
        forest = ExtraTreesClassifier(
            _TREES, min_samples_leaf=3, class_weight="balanced", random_state=seed, max_features=None
        ).fit(values[train], labels[train])
        decided[test] = forest.predict(values[test])
        for name, columns in kinds.items():
            places = [table.columns.get_loc(column) for column in columns]
            for repeat in range(_REPEATS):
                anew = values[test].copy()
                anew[:, places] = anew[random.permutation(len(test))][:, places]
                dealt[name][repeat, test] = forest.predict(anew)
    score = macro_f1(labels, decided, len(names))
    guessed = chance(labels, decided, len(names), random, groups)
    losses = {
        name: score - float(np.mean([macro_f1(labels, row, len(names)) for row in parts]))
        for name, parts in dealt.items()
    }
    expected = float(guessed.mean())
    return {
        "macro_f1": score,
        "interval": interval_of(chosen, [str(names[k]) for k in decided]),
        "chance_macro_f1": expected,
        "by_feature": dict(sorted(losses.items(), key=lambda item: -item[1])),
        "claimed": bool(score > expected + MARGIN and score > float(np.quantile(guessed, 0.99))),
        "n": len(rows),
    }


def visible(
    samples: pd.DataFrame, facts: NDArray[np.float32], small: NDArray[np.uint8], border_masked: bool
) -> tuple[pd.DataFrame, dict[str, tuple[str, ...]]]:
    """What the forest sees, numbers, a row per sample, and which columns make each of ``GROUPS``; without what stands
    at the border where that is masked. ``facts`` and ``small``: those of the samples (:class:`Traits`).
    """
    table, kinds = features(samples, facts), dict(GROUPS)
    if border_masked:
        table[["brightness", "spread"]] = inside(samples, small)
        table = table.drop(columns=[column for name in AT_BORDER for column in kinds.pop(name)])
    return table, kinds


def features(samples: pd.DataFrame, facts: NDArray[np.float32]) -> pd.DataFrame:
    """What the forest sees, a row per sample, numbers only."""
    table = pd.DataFrame(facts, columns=list(FACTS), index=samples.index)
    for name in ("width", "height", "bytes", "bits"):
        table[name] = samples[name].to_numpy(float)
    table["aspect"] = table["width"] / table["height"]
    table["bytes_per_pixel"] = table["bytes"] / (table["width"] * table["height"])
    for name in ("format", "mode"):
        table[name] = pd.factorize(samples[name], sort=True)[0].astype(float)
    return table


def inside(samples: pd.DataFrame, small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean and standard deviation (N, 2) of what a network sees of each picture where its border is masked.

    ``small``: the pictures squeezed into squares, uint8 (N, S, S).
    """
    sides = samples[["height", "width"]].to_numpy(float)
    # Half of what is seen, as a share of each side: the crop's 224 of 256 on the shorter one, without the border.
    reach = (0.5 - BORDER) * 224 / 256 * sides.min(axis=1, keepdims=True) / sides
    distance = np.abs((np.arange(small.shape[1]) + 0.5) / small.shape[1] - 0.5)
    # Of the thinnest strip a pixel on either side of the middle is left.
    rows, columns = (distance < np.maximum(reach[:, [axis]], 1 / small.shape[1]) for axis in (0, 1))
    seen = (picture[row][:, column] for picture, row, column in zip(small, rows, columns, strict=True))
    return np.array([(part.mean(), part.std()) for part in seen], np.float32)


def shortcut_issues(found: dict[str, Any], border_masked: bool) -> list[Issue]:
    """The issue of what :func:`shortcut` gave."""
    if found["macro_f1"] is None:
        text = "Too few patients of some class to tell whether size, file and brightness give the class away."
        return [issue(SHORTCUT, text, severity=INFORMS, fixable=False)]
    masked = " (the border is masked in training)" if border_masked else ""
    said = (
        f"From {SHORTCUT_SEES[border_masked]} alone{masked}, a simple model reaches macro F1 {found['macro_f1']:.2f} "
        f"(chance {found['chance_macro_f1']:.2f})"
    )
    if not found["claimed"]:
        return [issue(SHORTCUT, f"{said}: no shortcut was found.", severity=INFORMS, fixable=False)]
    carried = [name for name, loss in found["by_feature"].items() if loss > _CARRIES][:3]
    message = f"{said}, most of it from {', '.join(carried) or 'all of them together'}: {KINDS[SHORTCUT].means}."
    at_border = any(found["by_feature"].get(name, 0) > _CARRIES for name in AT_BORDER)
    return [issue(SHORTCUT, message, fixable=at_border)]
