"""The notebook's whole protocol against ours, on the same data set: VGG16, 20 epochs, batch 8.

Ours is a real run from queued to completed (waiting, extraction, training, validation, saving, evaluation), the first
with nothing kept, the second with another learning rate and gamma. The notebook's side is its step timed in the same
round, times the images and epochs it would need, and one forward pass over the test images; decoding is given to it
for nothing.
"""

import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.notebook import NotebookStep
from cxr_core.config import TrainConfig
from cxr_core.data import scan
from cxr_core.errors import RunError
from cxr_core.runs import create_run
from cxr_core.training import work

EPOCHS = 20


@dataclass(frozen=True)
class Round:
    """Seconds of one round: the notebook's two sides, our first and our second run."""

    as_written: float
    frozen: float
    first: float
    second: float


def measure(data: Path, rounds: int, cache: Path, steps: int = 2) -> list[Round]:
    """``rounds`` alternating rounds on the data set ``data``; ``cache`` is emptied before each first run."""
    dataset = scan(data)
    test = int((dataset.samples["split"] == "test").sum())
    learnt = len(dataset.samples) - test
    results = []
    for _ in range(rounds):
        seconds = {}
        for frozen in (False, True):
            notebook = NotebookStep(frozen)
            inference = notebook.inference_seconds_per_image(steps) * test
            seconds[frozen] = notebook.seconds_per_image(steps) * learnt * EPOCHS + inference
        del notebook
        shutil.rmtree(cache / "features", ignore_errors=True)
        with tempfile.TemporaryDirectory() as runs:
            first = _run(data, Path(runs), lr=0.001, gamma=1.2)
            second = _run(data, Path(runs), lr=0.0005, gamma=2.0)
        results.append(Round(seconds[False], seconds[True], first, second))
    return results


def _run(data: Path, runs: Path, lr: float, gamma: float) -> float:
    # The notebook's labels: three sigmoids, each by itself.
    config = TrainConfig.create(weights="none", epochs=EPOCHS, lr=lr, gamma=gamma, hierarchy="flat")
    started = time.perf_counter()
    run = create_run(scan(data), config, runs)
    work(run)
    if run.state != "completed":
        raise RunError(f"The run is {run.state}: nothing was measured.")
    return time.perf_counter() - started


def table(results: list[Round]) -> str:
    """Medians as a Markdown table; the ratios are medians of each round's ratio."""

    def ratio(side: str, ours: str) -> str:
        return f"{statistics.median(getattr(r, side) / getattr(r, ours) for r in results):.0f}x"

    def median(side: str) -> str:
        return f"{statistics.median(getattr(r, side) for r in results):.0f} s"

    return "\n".join(
        [
            "| | time | against the notebook as written | against it with its convolutions frozen |",
            "| --- | --- | --- | --- |",
            f"| the notebook's step as written | {median('as_written')} | 1x | |",
            f"| the same, convolutions really frozen | {median('frozen')} | {ratio('as_written', 'frozen')} | 1x |",
            *(
                f"| ours, {side} run | {median(side)} | {ratio('as_written', side)} | {ratio('frozen', side)} |"
                for side in ("first", "second")
            ),
        ]
    )
