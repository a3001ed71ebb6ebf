"""``python -m benchmarks.presets --data DIR [--seeds N] [--of NAME ...] [FLAG ...]``: what presets reach, in what time.

Each is trained and judged on the data set's test as the command line does it, once for each seed (a seed also draws the
validation split anew; the test stays), with a cache of its own: the seconds hold everything, from the scan on. Prints a
row for each run. Further flags are passed on to ``train``, such as ``--weights none`` where there is no network.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cxr_core.config import PRESET_WORDS
from cxr_core.runs import Run


def main() -> int:
    """Train and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.presets", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="a data set with a test split")
    parser.add_argument("--seeds", type=int, default=3, help="default 3")
    parser.add_argument("--of", nargs="+", default=["recommended"], choices=list(PRESET_WORDS), help="which presets")
    options, flags = parser.parse_known_args()
    print("| preset | seed | macro F1, test | recall by class | best epoch | seconds |")
    print("| --- | --- | --- | --- | --- | --- |")
    for preset in options.of:
        for seed in range(options.seeds):
            with tempfile.TemporaryDirectory() as scratch:
                print(_measured(preset, seed, options.data, Path(scratch), flags), flush=True)
    return 0


def _measured(preset: str, seed: int, data: Path, scratch: Path, flags: list[str]) -> str:
    numbers = [f"--{name}={seed}" for name in ("seed", "split-seed")]
    command = [sys.executable, "-m", "cxr_core", "train", "--data", str(data), "--preset", preset, *numbers, *flags]
    places = {name: str(scratch / name.lower()) for name in ("CXR_CACHE", "CXR_RUNS", "CXR_DATA")}
    started = time.perf_counter()
    answer = subprocess.run(command, env={**os.environ, **places}, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if answer.returncode:
        return f"| {preset} | {seed} | {answer.stderr.strip()} | | | {seconds:.0f} |"
    run = Run(Path(answer.stdout.splitlines()[-1]))
    metrics = run.metrics("test")
    assert metrics is not None
    recall = ", ".join(
        f"{name} {row[k] / sum(row):.2f}"
        for k, (name, row) in enumerate(zip(metrics["classes"], metrics["confusion"], strict=True))
    )
    epoch = run.best.epoch if run.best else "-"
    return f"| {preset} | {seed} | {metrics['macro_f1']:.3f} | {recall} | {epoch} | {seconds:.0f} |"


if __name__ == "__main__":
    sys.exit(main())
