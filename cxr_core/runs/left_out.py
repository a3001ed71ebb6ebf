"""Left-out sources: the run trained again without each source in turn, and tested on all images of that source.

    planned(run)       # the trainings, and the sources that cannot be left out, with the reason
    scores(run)        # what each reached, beside the run that had seen the source; None before they were measured

This is what a data set of several sources can say of a hospital that the network never saw (Zech et al. 2018,
"Variable generalization performance of a deep learning model to detect pneumonia in chest radiographs"). Each training
is a companion of the run (:mod:`cxr_core.runs.companions`); kept features serve all of them.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from cxr_core.errors import RunError
from cxr_core.evaluation import paired
from cxr_core.figures import spelled
from cxr_core.findings import FINDINGS
from cxr_core.images import content_digest
from cxr_core.labels import indices
from cxr_core.runs import files, left_out_findings
from cxr_core.runs.by_source import by_source_of, possible
from cxr_core.runs.companions import LEFT_OUT, MACRO_F1, Companion, Headline, headline_of
from cxr_core.runs.measured import measured
from cxr_core.runs.records import LeftOutNote, read
from cxr_core.runs.run import Run, read_predictions
from cxr_core.sheets import written

# Where a data set names a hundred sources, the largest say the most.
MOST_SOURCES = 20
PROTOCOL = (
    "For each source in turn the same training (configuration, seed, and the run's own split of what is left) without "
    "any image of that source, of its patients, or a copy of one; then tested on all images of the source. Images of "
    "unknown source take no part."
)


@dataclass(frozen=True)
class Plan:
    """``companions``, that of the largest source first; ``skipped``: source -> why it cannot be left out; ``message``:
    whether there is anything to train, in a sentence; ``unlearnt``: of findings, source -> those that cannot be learnt
    without it.
    """

    companions: tuple[Companion, ...]
    skipped: dict[str, str]
    message: str
    unlearnt: dict[str, list[str]]

    def note(self) -> dict[str, Any]:
        """What ``left-out.json`` holds."""
        return {"skipped": self.skipped, **({"unlearnt": self.unlearnt} if self.unlearnt else {})}


@dataclass(frozen=True, eq=False)
class LeftOutScores:
    """What the trainings reached.

    ``rows``: a dict per source as :func:`cxr_core.runs.by_source.by_source_of` gives, on all its images, none of
    which the training had seen; ``seen``: the same of the run itself, on the test images of each source;
    ``difference``: :func:`cxr_core.evaluation.intervals.paired` of the run minus these trainings, on the same test
    images, None where there are none (of findings :func:`cxr_core.runs.left_out_findings.difference`); ``skipped`` as
    in the plan; ``headline``: the figure that they are held against each other by.
    """

    rows: list[dict[str, Any]]
    seen: list[dict[str, Any]]
    difference: dict[str, Any] | None
    skipped: dict[str, str]
    headline: Headline = MACRO_F1

    def as_json(self) -> dict[str, Any]:
        return {
            "unseen": self.rows,
            "seen": self.seen,
            "difference": self.difference,
            "skipped": self.skipped,
            "verdict": verdict(self),
        }


def planned(run: Run) -> Plan:
    """What is to be trained: nothing where the data set does not have two sources of every class, or, of findings, two
    sources at all.
    """
    samples = run.split
    asked = possible(run, samples)
    if not asked["possible"]:
        return Plan((), {}, asked["message"], {})
    known = samples[samples["source"] != ""]
    copies = _copies(run)
    companions: list[Companion] = []
    skipped: dict[str, str] = {}
    unlearnt: dict[str, list[str]] = {}
    counts = known["source"].value_counts()
    for place, source in enumerate(sorted(counts.index, key=lambda name: (-counts[name], name))):
        if place >= MOST_SOURCES:
            skipped[source] = f"only the {MOST_SOURCES} sources with the most images are left out."
            continue
        split = _without(known, source, copies)
        without, reason = (
            left_out_findings.learnable(run, split) if run.task == FINDINGS else ([], _lacking(run, split))
        )
        if reason:
            skipped[source] = reason
        else:
            unlearnt |= {source: without} if without else {}
            name = content_digest(source.encode("utf-8", "surrogatepass"))[:8]
            companions.append(Companion(name, f"Without {source}", split=written(split)))
    if companions:
        return Plan(tuple(companions), skipped, asked["message"], unlearnt)
    told = " ".join(f"{source}: {reason}" for source, reason in skipped.items())
    there = "There are" if run.task == FINDINGS else "Every class has"
    return Plan((), skipped, f"{there} two sources, but none can be left out of this run. {told}", {})


def _lacking(run: Run, split: pd.DataFrame) -> str:
    """Of which class nothing would be left to train or choose on, "" where all are."""
    lacking = [
        f"{name} in {part}"
        for part in ("train", "val")
        for name in run.classes
        if not ((split["split"] == part) & (split["label"] == name)).any()
    ]
    return f"no image of {', '.join(lacking)} would be left." if lacking else ""


def _without(known: pd.DataFrame, source: str, copies: dict[str, set[str]]) -> pd.DataFrame:
    """The images of ``source`` as the test; of the others what the run trained and chose on, and what is not theirs."""
    test = known[known["source"] == source].assign(split="test")
    rest = known[(known["source"] != source) & known["split"].isin(["train", "val"])]
    alike = set().union(*(copies.get(file, set()) for file in test["file"]))
    patients = set(test["patient"]) - {""}
    foreign = rest["patient"].isin(patients) | rest["digest"].isin(test["digest"]) | rest["file"].isin(alike)
    return pd.concat([rest[~foreign], test], ignore_index=True)


def _copies(run: Run) -> dict[str, set[str]]:
    """File -> its copies, as the run's audit found them."""
    copies: dict[str, set[str]] = {}
    audit = run.audit
    for pair in audit.facts["duplicates"] if audit else []:
        copies.setdefault(pair["a"], set()).add(pair["b"])
        copies.setdefault(pair["b"], set()).add(pair["a"])
    return copies


def scores(run: Run) -> LeftOutScores | None:
    """What was kept beside the run's test as it stands now; None before. Raises RunError where it is damaged."""
    note = read(run.path / LEFT_OUT.file, LeftOutNote)
    if note is None:
        return None
    try:
        table = read_predictions(run.path / files.LEFT_OUT_TABLE, run.classes)
        rows = by_source_of(run, table, note.unlearnt)
    except (ValueError, RunError):
        raise RunError(
            f"{run.path / LEFT_OUT.file} or {files.LEFT_OUT_TABLE} is damaged: expected {LeftOutNote.expected}. "
            f"{LeftOutNote.advice}"
        ) from None
    _, own = measured(run, "test")
    own = own[own["source"].isin(table["source"])].reset_index(drop=True)
    seen, headline = by_source_of(run, own, note.unlearnt), headline_of(run)
    if run.task == FINDINGS:
        rows, seen = ([left_out_findings.brief(row) for row in part] for part in (rows, seen))
        lost = left_out_findings.difference(run, own, table, note.unlearnt)
    else:
        lost = _difference(own, table, run)
    return LeftOutScores(rows, seen, lost, note.skipped, headline)


def _difference(own: pd.DataFrame, without: pd.DataFrame, run: Run) -> dict[str, Any] | None:
    both = own.merge(without[["file", "decision"]], on="file", suffixes=("", "_left_out"), validate="one_to_one")
    if both.empty:
        return None
    true, with_it, without_it = (
        indices(both[name], run.classes) for name in ("label", "decision", "decision_left_out")
    )
    return paired(true, with_it, without_it, len(run.classes), both["patient"].tolist())


def verdict(found: LeftOutScores) -> str:
    """One sentence: what is lost where the source was never seen, on the same images."""
    difference = found.difference
    if difference is None:
        what = "that was left out" if found.headline == MACRO_F1 else "with a finding that is both there and not there"
        return f"No test image of the run is of a source {what}: there is nothing to compare."
    key, title = found.headline.key, found.headline.title
    called = f"{title[0].upper()}{title[1:]}"
    drop, ends = difference[f"{key}_difference"], difference[f"{key}_ci"]
    one_by_one = f" {left_out_findings.falling(difference['per_finding'])}" if "per_finding" in difference else ""
    counted = f"on the same {difference['n']:,} test images"
    if ends is None:
        return (
            f"{called} differs by {spelled(drop, digits=2)} {counted}, of one patient: nothing can be said of others."
        )
    figure = spelled(drop, ends, 2)
    if ends[0] > 0:
        said = f"{called} falls by {figure} {counted} where the source was never seen: expect that elsewhere too."
    elif ends[1] < 0:
        said = f"{called} does not fall where the source was never seen: a drop of {figure} {counted}."
    else:
        said = (
            f"A drop of {title} by {figure} {counted}: the interval holds 0, so seeing the source made no clear change."
        )
    return f"{said}{one_by_one}"
