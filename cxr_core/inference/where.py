"""Where a run looks, over a split: how much of its heat maps lies in the lungs, against the area of the lungs.

    note = looked(run, "test")            # records.LungHeatNote, kept with the run for the test split
    looked(run, "val", label="COVID19", most=50)

Of each image the map of its decision; of findings one map for each that is decided present. Images are drawn by a seed,
intervals by patient (:mod:`cxr_core.evaluation.resampling`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from cxr_core.errors import DatasetError, ImageError, RunError
from cxr_core.evaluation.resampling import draws, interval, units_of
from cxr_core.figures import counted, of, percent
from cxr_core.findings import FINDINGS
from cxr_core.images import content_digest, pixels, read_bytes
from cxr_core.images.lungs import lungs
from cxr_core.inference.explain import heat_map
from cxr_core.inference.inside import Inside, within
from cxr_core.inference.trained import Trained
from cxr_core.runs import Decision, Run, lung_heat
from cxr_core.runs.measured import measured
from cxr_core.runs.measured_findings import judged_labels
from cxr_core.runs.records import HeatShare, LungHeatNote

MOST, RESAMPLES = 200, 2000
# Fewer maps say too little for a verdict, and a smaller difference says little, however certain: the boxes are rough.
FEWEST, MARGIN = 10, 0.05


@dataclass(frozen=True)
class _Look:
    """One map: of which label and patient, whether the decision is right (None: not known), and what it shows."""

    label: str
    patient: str
    right: bool | None
    found: Inside


def looked(
    run: Run,
    split: str = "test",
    label: str = "",
    most: int = MOST,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> LungHeatNote:
    """Measure ``most`` images of ``split`` at most, those alone that are decided ``label`` where one is given.

    What is measured of all labels of the test split is kept with the run. Raises RunError where the run does not know
    the label, was not evaluated on the split, or decided no image so; DatasetError where its images are gone.
    """
    if label and label not in run.classes:
        raise RunError(f"Run {run.id} knows {', '.join(run.classes)}; got {label!r}. Choose one of these.")
    if run.imported:
        raise RunError(f"Run {run.id} came without its images: of its own {split} no heat map can be made.")
    table, decided = _decided(run, split, label)
    rows = np.flatnonzero([bool(found) for found in decided])
    if not len(rows):
        so = label or "to have a finding"
        raise RunError(f"Run {run.id} decides no image of {split} {so}: there is no heat map.")
    drawn = np.sort(np.random.default_rng(seed).permutation(rows)[:most])
    trained = Trained.load(run)
    looks: list[_Look] = []
    unsure = empty = unreadable = 0
    for done, row in enumerate(drawn):
        progress(done, len(drawn))
        record = table.iloc[row]
        try:
            content = read_bytes(run.picture(record["file"]))
            if content_digest(content) != record["digest"]:
                raise ImageError(f"{record['file']}: another picture than the run was measured on.")
            square = pixels(content, record["file"], run.config.image_size)
        except ImageError:
            unreadable += 1
            continue
        place = lungs(square)
        if place is None:
            unsure += 1
            continue
        for name, right in decided[row].items():
            found = within(heat_map(trained, square, name), place)
            if found is None:
                empty += 1
            else:
                looks.append(_Look(name, record["patient"] or "", right, found))
    progress(len(drawn), len(drawn))
    if unreadable == len(drawn):
        raise DatasetError(f"None of the {counted(len(drawn), 'image')} of {split} can be read: is {run.folder} there?")
    note = _note(run, split, looks, seed, (len(drawn), len(rows), unsure, empty, unreadable))
    return lung_heat.keep(run, note) if split == "test" and not label else note


def _decided(run: Run, split: str, label: str) -> tuple[pd.DataFrame, list[dict[str, bool | None]]]:
    """The table of predictions, and for each row the labels that are mapped: whether each is right."""
    _, table = measured(run, split)
    table = table.fillna({"patient": ""})
    if run.task != FINDINGS:
        return table, [
            {decision: decision == true} if label in ("", decision) else {}
            for decision, true in zip(table["decision"], table["label"], strict=True)
        ]
    names, truth, known, _ = judged_labels(table, run.tree, run.config.policy)
    probabilities = table[[f"p_{name}" for name in run.classes]].to_numpy(dtype=np.float64)
    present = run.tree.present(probabilities, Decision.load(run).thresholds)
    present = present[:, [run.classes.index(name) for name in names]]
    return table, [
        {
            name: bool(truth[row, k]) if known[row, k] else None
            for k, name in enumerate(names)
            if present[row, k] and label in ("", name)
        }
        for row in range(len(table))
    ]


def _note(run: Run, split: str, looks: list[_Look], seed: int, counts: tuple[int, int, int, int, int]) -> LungHeatNote:
    images, of_all, unsure, empty, unreadable = counts
    overall = _share(looks)
    return LungHeatNote(
        split=split,
        measured=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=seed,
        images=images,
        of=of_all,
        unsure=unsure,
        empty=empty,
        unreadable=unreadable,
        thresholds=dict(Decision.load(run).thresholds),
        overall=overall,
        per_class={
            name: share for name in run.classes if (share := _share(look for look in looks if look.label == name))
        },
        right=_share(look for look in looks if look.right is True),
        wrong=_share(look for look in looks if look.right is False),
        favours=_favours(overall),
        sentence=_verdict(overall, images, unsure),
    )


def _share(looks: Iterable[_Look]) -> HeatShare | None:
    """The means, and their intervals by patient; None without a map."""
    there = list(looks)
    if not there:
        return None
    unit, units = units_of([look.patient for look in there], len(there))
    shares, areas = (np.array([look.found[k] for look in there]) for k in (0, 1))
    drawn: list[np.ndarray] = []
    for counts in draws(units, RESAMPLES, 0, len(there)):
        weights = counts[:, unit]
        drawn.append(np.stack([weights @ shares, weights @ (shares - areas)]) / weights.sum(axis=1))
    every = np.concatenate(drawn, axis=1)
    return HeatShare(
        maps=len(there),
        patients=units,
        share=float(shares.mean()),
        share_ci=interval(every[0], units),
        area=float(areas.mean()),
        difference=float((shares - areas).mean()),
        difference_ci=interval(every[1], units),
    )


def _favours(overall: HeatShare | None) -> bool:
    """Whether the heat is in the lungs more than it would be anywhere, for certain and by a margin that matters."""
    ends = overall.difference_ci if overall else None
    return bool(overall and ends and overall.maps >= FEWEST and ends[0] > 0 and overall.difference >= MARGIN)


def _verdict(overall: HeatShare | None, images: int, unsure: int) -> str:
    if overall is None:
        return f"Not known: the lungs were not found for sure, or no place was hot, in {of(images, images)} images."
    ends = overall.difference_ci
    both = f"{percent(overall.share)} of it lies in the lungs, which are {percent(overall.area)} of the square"
    if overall.maps < FEWEST or ends is None:
        return f"Too few maps to judge ({overall.maps}): {both}."
    doubt = f" In {of(unsure, images)} images the lungs were not found." if 4 * unsure > images else ""
    if _favours(overall):
        return f"The heat favours the lungs: {both}.{doubt}"
    if ends[1] < 0 and overall.difference <= -MARGIN:
        return f"The heat lies outside the lungs more than chance would have it: only {both}.{doubt}"
    return f"The heat does not favour the lungs: {both}, about as chance would have it.{doubt}"
