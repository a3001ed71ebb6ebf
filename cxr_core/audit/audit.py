"""The audit of a data set: what was found, kept by the data set's content.

found = audit(scan("my-xrays"))
found.blocks            # True where train and test share pictures
found.as_json()         # what `python -m cxr_core audit --json` prints
"""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cxr_core.audit import sources
from cxr_core.audit.duplicates import Pair, duplicates
from cxr_core.audit.issues import (
    BLOCKS,
    INFORMS,
    KEEP_ONE,
    LEAVE_OUT,
    MASK_BORDER,
    SAME_SPLIT,
    SHORTCUT_SEES,
    SPLIT_BY_PATIENT,
    WARNS,
    Issue,
    ordered,
)
from cxr_core.audit.odd_pictures import picture_issues
from cxr_core.audit.shortcut import AT_BORDER, shortcut
from cxr_core.audit.traits import Traits, traits_of
from cxr_core.data.cautions import kinds_of_caution
from cxr_core.data.dataset import Dataset
from cxr_core.images.version import PIXELS
from cxr_core.settings import cache_dir, from_json, write_atomic

# Raise the first when the audit of the same pictures would say something else.
VERSION = f"6-{PIXELS}"
Progress = Callable[[int, int], None]
# A class this many times as large as another is said to be.
_IMBALANCE = 3
# A feature without which so much macro F1 is lost carries some of a shortcut.
_CARRIES = 0.01
# Half the width of an interval from which on a test set is called small.
_WIDE = 0.1
# With 30 images a recall of one half is known to within 18 points (95 %).
_FEW_TO_CHOOSE_BY = 30


@dataclass(frozen=True, eq=False)
class Audit:
    """``facts``: all but the issues, as the command line prints it; ``issues``: the severest first."""

    facts: dict[str, Any]
    issues: list[Issue]

    @property
    def blocks(self) -> bool:
        return any(issue.severity == BLOCKS for issue in self.issues)

    def as_json(self) -> dict[str, Any]:
        return {**self.facts, "findings": [issue.as_json() for issue in self.issues]}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Audit":
        """What :meth:`as_json` gave. Raises KeyError or TypeError for anything else."""
        issues = [
            Issue(
                entry["kind"],
                entry["severity"],
                entry["message"],
                tuple(entry["files"]),
                tuple(entry["mends"]),
                tuple(tuple(group) for group in entry["groups"]),
            )
            for entry in document["findings"]
        ]
        return cls({name: value for name, value in document.items() if name != "findings"}, issues)


def audit(dataset: Dataset, progress: Progress | None = None) -> Audit:
    """All that is to be said of a data set. ``progress(done, total)`` counts pictures, in the calling thread."""
    kept = _kept(dataset, _whole(dataset))
    if kept is None:
        traits = traits_of(dataset, progress)
        kept = _examined(dataset, traits)
        _keep(dataset, _whole(dataset), kept)
    return kept


def leaks(dataset: Dataset, progress: Progress | None = None) -> list[Issue]:
    """The issues that block a training, alone: what a training asks before it starts."""
    return [issue for issue in _pairs_alone(dataset, progress).issues if issue.severity == BLOCKS]


def twins(dataset: Dataset, progress: Progress | None = None) -> dict[str, str]:
    """File -> the first of its copies, for the files that have any: what a split has to keep together."""
    pairs = [(pair["a"], pair["b"]) for pair in _pairs_alone(dataset, progress).facts["duplicates"]]
    return {file: group[0] for group in _joined(pairs) for file in group}


def _pairs_alone(dataset: Dataset, progress: Progress | None) -> Audit:
    kept = _kept(dataset, _whole(dataset)) or _kept(dataset, "pairs")
    if kept is None:
        pairs = duplicates(dataset.samples, traits_of(dataset, progress))
        kept = Audit({"duplicates": [pair.as_json() for pair in pairs]}, _pair_issues(pairs))
        _keep(dataset, "pairs", kept)
    return kept


def _examined(dataset: Dataset, traits: Traits) -> Audit:
    samples = dataset.samples
    pairs = duplicates(samples, traits)
    by_shortcut = shortcut(samples, traits, dataset.border_masked)
    by_source = sources.source_only(samples)
    known = samples[samples["patient"] != ""]
    splits = known.groupby("patient")["split"].nunique()
    table = sources.table(samples)
    facts = {
        "images": len(samples),
        "unreadable": dataset.unreadable.to_dict("records"),
        "duplicates": [pair.as_json() for pair in pairs],
        "patients_in_two_splits": sorted(splits.index[splits > 1]),
        "sources": {str(source): {str(name): int(n) for name, n in row.items()} for source, row in table.iterrows()},
        "cramers_v": sources.cramers_v(samples),
        "source_only": by_source,
        "shortcut": by_shortcut,
        "border_masked": dataset.border_masked,
        "widest_interval": widest_intervals(samples),
    }
    issues = [
        *_pair_issues(pairs),
        *_patient_issues(samples),
        *_cautions(dataset),
        *_shortcut_issues(by_shortcut, dataset.border_masked),
        *_source_issues(by_source, by_shortcut, dataset.border_masked),
        *picture_issues(dataset, traits),
        *_size_issues(samples),
    ]
    return Audit(facts, ordered(issues))


def widest_intervals(samples: pd.DataFrame) -> dict[str, float]:
    """Class -> half the width of the 95 % interval of a recall of one half on its test images (Wilson 1927)."""
    counts = samples.loc[samples["split"] == "test", "label"].value_counts()
    z = 1.959964
    return {str(name): z / (2 * math.sqrt(n + z * z)) for name, n in sorted(counts.items())}


def _pair_issues(pairs: list[Pair]) -> list[Issue]:
    leaking = [pair for pair in pairs if pair.leaks]
    conflicts = [pair for pair in pairs if pair.relation == "label-conflict"]
    plain = [pair for pair in pairs if not pair.leaks and pair.relation == "same-class"]
    found = []
    for kind, severity, chosen, text, fixes in (
        (
            "leak",
            BLOCKS,
            leaking,
            "one copy is learnt from, the other is in the test: the test is easier than a new image",
            (KEEP_ONE, SAME_SPLIT),
        ),
        ("label conflict", WARNS, conflicts, "the two copies have different labels, so one is wrong", (LEAVE_OUT,)),
        ("duplicates", INFORMS, plain, "one picture counts twice", (KEEP_ONE,)),
    ):
        if chosen:
            exact = sum(pair.kind == "exact" for pair in chosen)
            groups = _joined([(pair.a, pair.b) for pair in chosen])
            pairs_of = "1 pair" if len(chosen) == 1 else f"{len(chosen):,} pairs"
            message = f"{pairs_of} of the same picture ({exact} exact, {len(chosen) - exact} near): {text}."
            found.append(Issue(kind, severity, message, tuple(sorted({*sum(groups, ())})), fixes, groups))
    return found


def _joined(pairs: list[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Files that are copies of each other, directly or through others."""
    member: dict[str, set[str]] = {}
    for a, b in pairs:
        joined = member.get(a, {a}) | member.get(b, {b})
        for file in joined:
            member[file] = joined
    return tuple(sorted({tuple(sorted(group)) for group in member.values()}))


def _patient_issues(samples: pd.DataFrame) -> list[Issue]:
    known = samples[samples["patient"] != ""]
    both = known.groupby("patient")["split"].agg(lambda split: "test" in set(split) and len(set(split)) > 1)
    names = list(both.index[both.astype(bool)]) if len(both) else []
    if not names:
        return []
    groups = tuple(tuple(sorted(known["file"][known["patient"] == name])) for name in names)
    files = tuple(file for group in groups for file in group)
    in_test = int((samples["split"] == "test").sum())
    held = int((known["patient"].isin(names) & (known["split"] == "test")).sum())
    return [
        Issue(
            "patients",
            WARNS,
            f"{len(names)} of {known['patient'].nunique()} known patients are in train and in test "
            f"({held} of {in_test} test images): the test is easier than a new patient.",
            files,
            (SAME_SPLIT, LEAVE_OUT, SPLIT_BY_PATIENT),
            groups,
        )
    ]


def _cautions(dataset: Dataset) -> list[Issue]:
    """The sentences that stand beside every run; those on patients and copies are issues of their own above."""
    calm, loud = ("drawn", "sources unknown", "persons"), ("sources", "collections", "untested")
    names = ("patients in names", "spelling", "missing", "several", "folders", "masks")
    severity = {**dict.fromkeys(calm, INFORMS), **dict.fromkeys((*loud, *names), WARNS)}
    return [
        Issue(kind, severity[kind], sentence)
        for kind, sentence in kinds_of_caution(dataset.samples, dataset.path(""))
        if kind in severity
    ]


def _shortcut_issues(found: dict[str, Any], border_masked: bool) -> list[Issue]:
    if found["macro_f1"] is None:
        text = "Too few patients of some class to tell whether size, file and brightness give the class away."
        return [Issue("shortcut", INFORMS, text)]
    masked = " (the border is masked in training)" if border_masked else ""
    said = (
        f"From {SHORTCUT_SEES[border_masked]} alone{masked}, a simple model reaches macro F1 {found['macro_f1']:.2f} "
        f"(chance {found['chance_macro_f1']:.2f})"
    )
    if not found["claimed"]:
        return [Issue("shortcut", INFORMS, f"{said}: no shortcut was found.")]
    carried = [name for name, loss in found["by_feature"].items() if loss > _CARRIES][:3]
    return [
        Issue(
            "shortcut",
            WARNS,
            f"{said}, most of it from {', '.join(carried) or 'all of them together'}: a network can reach as much "
            "without looking at a lung.",
            fixes=(MASK_BORDER,) if any(found["by_feature"].get(name, 0) > _CARRIES for name in AT_BORDER) else (),
        )
    ]


def _source_issues(found: dict[str, Any] | None, by_shortcut: dict[str, Any], border_masked: bool) -> list[Issue]:
    if found is None:
        return []
    where = "this test set" if found["split"] == "test" else "these images"
    text = f"The source alone reaches macro F1 {found['macro_f1']:.2f} and accuracy {found['accuracy']:.2f} on {where}"
    best, what = found["macro_f1"], "the source alone"
    if (by_shortcut["macro_f1"] or 0) > best:
        best, what = by_shortcut["macro_f1"], SHORTCUT_SEES[border_masked]
    meaning = (
        f"only what a network reaches beyond the best that needs no lung, {best:.2f} ({what}), may come from lungs."
    )
    return [Issue("source-only score", INFORMS, f"{text}: {meaning}")]


def _size_issues(samples: pd.DataFrame) -> list[Issue]:
    found = []
    counts = samples["label"].value_counts()
    if len(counts) > 1 and counts.max() > _IMBALANCE * counts.min():
        found.append(
            Issue(
                "balance",
                INFORMS,
                f"{counts.idxmax()} has {counts.max()} images, {counts.idxmin()} {counts.min()}: accuracy favours the "
                "larger; read balanced accuracy and macro F1.",
            )
        )
    validation = int((samples["split"] == "val").sum())
    if 0 < validation < _FEW_TO_CHOOSE_BY:
        text = f"Validation has {validation} images: the best epoch and the thresholds are chosen by few."
        found.append(Issue("small validation", INFORMS, text))
    widths = widest_intervals(samples)
    if widths:
        name = max(widths, key=lambda label: widths[label])
        n = int(((samples["split"] == "test") & (samples["label"] == name)).sum())
        found.append(
            Issue(
                "test size",
                WARNS if widths[name] > _WIDE else INFORMS,
                f"The test has {n} images of {name}: its recall may be off by {100 * widths[name]:.0f} points either "
                "way (95 % interval at its widest).",
            )
        )
    return found


def _whole(dataset: Dataset) -> str:
    """What the whole audit is kept as: another one where the border is masked, though the images are the same."""
    return "whole, border masked" if dataset.border_masked else "whole"


def _path(dataset: Dataset, part: str) -> Any:
    # Unreadable files and ages are part of what is said, and not of the data set's digest.
    key = hashlib.blake2b(f"{VERSION}:{part}:{dataset.digest}".encode(), digest_size=16)
    key.update(dataset.unreadable.to_csv(index=False).encode("utf-8", "surrogateescape"))
    key.update(dataset.samples["age"].to_numpy().tobytes() + repr(sorted(dataset.wrong_ages.items())).encode())
    key.update(str(dataset.root).encode("utf-8", "surrogateescape"))
    return cache_dir() / "audits" / f"{key.hexdigest()}.json"


def _kept(dataset: Dataset, part: str) -> Audit | None:
    """A kept audit; damaged, it counts as absent."""
    try:
        return Audit.from_json(from_json(_path(dataset, part).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _keep(dataset: Dataset, part: str, found: Audit) -> None:
    write_atomic(_path(dataset, part), json.dumps(found.as_json()))
