"""``python -m benchmarks.site``: the table of docs/site-profile.md, site profiles on drawings of another device.

A network is trained on drawings, by the recommended preset; other drawings are shown to it as another device would have
taken them: another tone, less contrast, not as sharp. A profile is fitted on one half of these and judged on the other,
for three kinds of labels and three seeds; and on drawings of the same device, where nothing is to be gained.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from cxr_core import demo
from cxr_core.config import PRESETS, RECOMMENDED, TrainConfig
from cxr_core.data import scan
from cxr_core.figures import compact, interval, signed
from cxr_core.runs import Run, create_run
from cxr_core.runs.records import ProfileNote

TONE, CONTRAST, BLUR = 1.4, 0.8, 1.0
SEEDS = (0, 1, 2)
TRAINED_ON, LOCAL = 300, 200
KINDS: dict[str, dict[str, str]] = {
    "classes, coherent": {"labels": "covid-implies-pneumonia"},
    "classes, single": {"labels": "single"},
    "findings": {},
}


def other_device(folder: Path) -> Path:
    """The drawings in ``folder`` as another device would have taken them, in place."""
    for file in sorted(folder.rglob("*.png")):
        picture = Image.open(file).convert("L").filter(ImageFilter.GaussianBlur(BLUR))
        share = np.asarray(picture, dtype=np.float64) / 255
        changed = 0.5 + CONTRAST * (share**TONE - 0.5)
        Image.fromarray(np.round(255 * changed).astype(np.uint8)).save(file)
    return folder


def measured(scratch: Path, images: int, seeds: tuple[int, ...] = SEEDS) -> Iterator[tuple[str, str, int, ProfileNote]]:
    """Kind of labels, device, seed and the profile that was fitted there on ``images`` drawings."""
    from cxr_core.inference import fit_site

    for kind, labels in KINDS.items():
        drawing: Callable[..., Path] = demo.draw_findings if kind == "findings" else demo.draw
        for seed in seeds:
            place = scratch / kind.replace(", ", "-") / str(seed)
            run = _trained(drawing(place / "own", images=TRAINED_ON, seed=seed), place / "runs", seed, labels)
            for device, change in (("another", other_device), ("the same", _same)):
                # Seeds of their own: no drawing is in two of the sets.
                there = change(drawing(place / device, images=images, seed=100 + seed))
                yield kind, device, seed, fit_site(run, there, device, seed)


def _same(folder: Path) -> Path:
    return folder


def _trained(data: Path, runs: Path, seed: int, labels: dict[str, str]) -> Run:
    from cxr_core.training import work

    config = TrainConfig.create(**{**PRESETS[RECOMMENDED], "seed": seed, "device": "cpu", **labels})
    run = create_run(scan(data), config, runs)
    work(run)
    return run


def _row(kind: str, device: str, seed: int, note: ProfileNote) -> str:
    cells = [kind, device, str(seed), f"{note.own.temperature:.2f}, {note.temperature:.2f}"]
    for figure in ("macro_f1", "balanced_accuracy", "macro_roc_auc", "ece", "brier"):
        change = note.overall[figure]
        moved = "" if change.difference is None or not change.ci else f" ({interval(change.ci, 2)})"
        cells.append(f"{compact(change.before, digits=2)}, {compact(change.after, digits=2)}{moved}")
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Measure everything; print Markdown."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["CXR_CACHE"], os.environ["CXR_RUNS"] = f"{scratch}/cache", f"{scratch}/runs"
        titles = ("labels", "device", "seed", "temperature", "macro F1", "balanced accuracy", "macro ROC AUC", "ECE")
        print(f"| {' | '.join((*titles, 'Brier'))} |\n|{' --- |' * (len(titles) + 1)}", flush=True)
        for found in measured(Path(scratch), int(sys.argv[1]) if len(sys.argv) > 1 else LOCAL):
            print(_row(*found), flush=True)
            print(found[-1].sentence, signed(found[-1].temperature), found[-1].thresholds, file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
