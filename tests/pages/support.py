"""Tiny real objects for the tests of the pages: a data set of a few drawn files, and runs in every state.

    root = tiny_dataset(tmp_path / "data")
    run = tiny_run(runs_dir, root, "completed")
    at = open_page("pages/4_Runs.py", run=run.id)

The runs are made by ``create_run`` and hold what a worker writes, computed from made-up probabilities: no training.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cxr_core.config import TrainConfig
from cxr_core.data.dataset import scan
from cxr_core.hierarchy import Coherent
from cxr_core.labels import choose_thresholds, targets
from cxr_core.runs.creation import create_run
from cxr_core.runs.decision import Decision
from cxr_core.runs.measured import measure
from cxr_core.runs.run import Run
from cxr_core.settings import write_atomic
from cxr_core.ui.datasets import CHOSEN
from tests import ROOT
from tests.runs_support import at_work

CLASSES = ("COVID19", "NORMAL", "PNEUMONIA")


def open_page(page: str, timeout: float = 30, linked: bool = False, **query: str) -> AppTest:
    """``page`` ("pages/4_Runs.py") as a browser opens it with ``?query``, run once.

    A ``data`` set was typed in this session before, unless it is only ``linked``.
    """
    at = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=timeout)
    at.switch_page(page)
    for name, value in query.items():
        at.query_params[name] = value
    if "data" in query and not linked:
        at.session_state[CHOSEN] = {query["data"]}
    return at.run()


def texts(at: AppTest) -> str:
    """Everything a reader can read as text on the page, in one string, without Markdown's escapes."""
    elements = [*at.markdown, *at.caption, *at.error, *at.warning, *at.info, *at.success, *at.subheader, *at.title]
    return "\n".join(str(element.value) for element in elements).replace("\\", "")


def tiny_dataset(root: Path, images: int = 8) -> Path:
    """``ROOT/CLASS/*.png``: ``images`` grey squares of noise for each of three classes."""
    random = np.random.default_rng(0)
    for name in CLASSES:
        (root / name).mkdir(parents=True, exist_ok=True)
        for k in range(images):
            pixels = random.integers(0, 256, (40, 40), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{name.lower()}_{k}.png")
    return root


def tiny_run(runs_dir: Path, root: Path, state: str, epochs_done: int = 3, **config: Any) -> Run:
    """A run on the data set at ``root`` that stands in ``state``, with the files a worker leaves in it.

    ``training`` and the other active states are made alive by this very process, ``lost`` by none.
    """
    run = create_run(scan(root), TrainConfig.create(**{"backbone": "small-cnn", "epochs": 4, **config}), runs_dir)
    now = time.time()
    status = {**run.status.model_dump(), "state": state, "queued": now - 90, "started": now - 80, "ended": None}
    if state in ("queued", "extracting"):
        epochs_done = 0
    if state in ("extracting", "training", "evaluating"):
        status |= {"pid": os.getpid()}
        at_work(run)
    elif state == "lost":
        # No process holds its lock.
        status |= {"state": "training", "pid": os.getpid()}
    elif state == "queued":
        status |= {"started": None, "queued": now}
    else:
        status |= {"ended": now - 10, "error": "The loss is no longer a number." if state == "failed" else None}
    rows = [_epoch(epoch, run) for epoch in range(1, epochs_done + 1)]
    (run.path / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    if state == "completed":
        for split in ("val", "test"):
            _evaluate(run, split)
    write_atomic(run.path / "status.json", json.dumps(status))
    return run


def trained_run(folder: Path) -> Run:
    """A run that was really trained, two epochs of small-cnn on tiny squares, below ``folder``; for predictions.

    Run it once per session: it takes some seconds, most of them to import torch.
    """
    from cxr_core.training.worker import work

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_CACHE", str(folder / "cache"))
        root = tiny_dataset(folder / "data", images=10)
        config = TrainConfig.create(backbone="small-cnn", epochs=2, image_size=32, batch_size=8)
        run = create_run(scan(root), config, folder / "runs")
        work(run)
    return run


def _epoch(epoch: int, run: Run) -> dict[str, Any]:
    share = 0.4 + 0.1 * epoch
    confusion = np.eye(len(run.classes), dtype=int).tolist()
    val = {"loss": 1 - share, "accuracy": share, "macro_f1": share, "balanced_accuracy": share}
    return {
        "epoch": epoch,
        "seconds": 1.0,
        "images_per_second": 20.0,
        "lr": 0.001,
        "train": {"loss": 0.9 - share, "accuracy": share, "macro_f1": share},
        "val": {**val, "recall": dict.fromkeys(run.classes, share), "confusion": confusion},
        "best": True,
    }


def _evaluate(run: Run, split: str) -> None:
    samples = run.split.query("split == @split")
    true = samples["label"].map(run.classes.index).to_numpy()
    probabilities = np.random.default_rng(1).uniform(0.05, 0.4, (len(true), len(run.classes)))
    # The first image of each split is decided wrongly.
    probabilities[np.arange(len(true)), np.where(np.arange(len(true)) > 0, true, (true + 1) % 3)] += 0.5
    if isinstance(run.implied, Coherent):
        # As the shares of the classes, from which the labels' probabilities follow.
        shares = probabilities / probabilities.sum(axis=1, keepdims=True)
        probabilities = shares @ targets(np.arange(len(run.classes)), run.classes, run.implied)
    if split == "val":
        limits = choose_thresholds(true, probabilities, run.classes, run.implied)
        kept = {"temperature": 1.5, "thresholds": limits, "epoch": 3, "monitor": "macro_f1"}
        write_atomic(run.path / "decision.json", json.dumps(kept))
        # No page that only shows figures reads the weights; that they are there says that the training ended.
        run.weights_file.touch()
    table = samples[["file", "digest", "patient", "source", "label"]].reset_index(drop=True)
    for k, name in enumerate(run.classes):
        table[f"p_{name}"] = probabilities[:, k]
    figures, table = measure(table, run.classes, run.implied, Decision.load(run))
    table.to_csv(run.path / f"predictions_{split}.csv", index=False)
    figures |= {"split": split, "warnings": run.warnings}
    write_atomic(run.path / f"metrics_{split}.json", json.dumps(figures))


def sound(at: AppTest) -> AppTest:
    """The page itself, once it is known that it shows no exception."""
    assert not at.exception, at.exception[0].value
    return at
