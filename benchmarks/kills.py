"""Trainings killed at random instants and resumed: ``python -m benchmarks.kills [--trainings 20] [--seed 0]``.

Each is a process of its own (SIGKILL: no warning, nothing is written) with a cache of its own, killed up to three times
anywhere between its start and its end and resumed after each. Its history, weights, thresholds, predictions, embedding
and metrics have to be those of an undisturbed training, to the last bit. Exit status 1 where one is not.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from safetensors import safe_open

from cxr_core.config import TrainConfig
from cxr_core.data.dataset import scan
from cxr_core.demo.draw import draw
from cxr_core.runs.creation import create_run
from cxr_core.runs.run import Run

PROJECT = Path(__file__).resolve().parents[1]
SMALL: dict[str, Any] = {"image_size": 64, "batch_size": 8, "device": "cpu"}
FROZEN: dict[str, Any] = {"backbone": "resnet18", "weights": "none", "hidden": (16,), "lr": 0.01, "epochs": 30}
CONFIGS: dict[str, dict[str, Any]] = {
    "small-cnn, AdamW": {"backbone": "small-cnn", "epochs": 40},
    "small-cnn, SGD, views": {"backbone": "small-cnn", "optimizer": "sgd", "views": 2, "epochs": 40},
    "resnet18, head": {**FROZEN, "views": 3},
    "resnet18, last block": {**FROZEN, "trainable": "last-block", "epochs": 8},
    "resnet18, wide head": {**FROZEN, "hidden": (1024,), "optimizer": "sgd"},
}
FILES = ("best.safetensors", "last.safetensors", "decision.json", "split.csv")
MOST_KILLS = 3
STAGES = ("failed", "stopped", "queued", "extracting", "training", "evaluating", "completed")


def worker(run: Run, cache: Path) -> subprocess.Popen[bytes]:
    """The worker of a run, as a page starts it."""
    environment = {**os.environ, "CXR_CACHE": str(cache), "OMP_NUM_THREADS": "2"}
    log = (run.path / "log.txt").open("ab")
    command = [sys.executable, "-m", "cxr_core", "resume", str(run.path)]
    with log:
        return subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=log)


def result(run: Run) -> dict[str, Any]:
    """All that a training gives, without times."""
    rows = [row.model_dump(exclude={"seconds", "images_per_second"}) for row in run.history]
    splits = {split: run.metrics(split) for split in ("val", "test")}
    tables = {split: (run.path / f"predictions_{split}.csv").read_bytes() for split in ("val", "test")}
    files = {name: (run.path / name).read_bytes() for name in FILES}
    # Not its bytes: safetensors writes the notes beside the tensors in any order.
    with safe_open(run.path / "embedding.safetensors", framework="numpy") as archive:
        embedding = {name: archive.get_tensor(name).tobytes() for name in archive.keys()}  # noqa: SIM118 (not a dict)
        embedding |= archive.metadata()
    return {"history": rows, "metrics": json.dumps(splits, sort_keys=True), "near": embedding, **tables, **files}


def at(run: Run) -> str:
    """Where the run was when it was killed."""
    state = str(run.status.state)
    return f"{state}, epoch {len(run.history) + 1}" if state == "training" else state


def killed(run: Run, process: subprocess.Popen[bytes], chance: random.Random) -> bool:
    """Kill the worker somewhere: between two looks, some time after it began, or reached a stage, or an epoch. False
    where it was done before.
    """
    stage = chance.choice(("", "extracting", "training", "training", "training", "evaluating"))
    epoch = chance.randrange(run.config.epochs) if stage == "training" else 0
    while process.poll() is None and stage:
        state = str(run.status.state)
        if (state == stage and len(run.history) >= epoch) or STAGES.index(state) > STAGES.index(stage):
            break
        time.sleep(0.002)
    try:
        process.wait(timeout=chance.expovariate(1 / (2.0 if not stage else 0.05)))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    return False


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("--trainings", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    differing, kills, where = [], 0, Counter[str]()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ["CXR_CACHE"] = str(folder / "scans")
        dataset = scan(draw(folder / "drawn", 36, 0))
        whole: dict[str, dict[str, Any]] = {}
        for number in range(options.trainings):
            name = list(CONFIGS)[number % len(CONFIGS)]
            config = TrainConfig.create(**{**SMALL, **CONFIGS[name]})
            if name not in whole:
                run = create_run(dataset, config, folder / f"whole-{len(whole)}")
                if worker(run, folder / f"cache-whole-{len(whole)}").wait():
                    print(run.log)
                    return 1
                whole[name] = result(run)
            expected = whole[name]
            run = create_run(dataset, config, folder / f"runs-{number}")
            told = []
            for _ in range(chance.randint(1, MOST_KILLS)):
                process = worker(run, folder / f"cache-{number}")
                if not killed(run, process, chance):
                    break
                told.append(at(run))
                if run.state not in ("lost", "queued", "completed"):
                    print(f"{number}: killed, and its state is {run.state}")
                    return 1
            while run.state != "completed":
                if worker(run, folder / f"cache-{number}").wait():
                    print(run.log)
                    return 1
            kills += len(told)
            where.update(place.partition(",")[0] for place in told)
            unlike = [key for key, value in result(run).items() if value != expected[key]]
            if unlike:
                differing.append(number)
            print(
                f"{number}: {name}: killed in {'; '.join(told) or '-'}: {f'other {unlike}' if unlike else 'same'}",
                flush=True,
            )
    right = options.trainings - len(differing)
    print(
        f"{right} of {options.trainings} trainings, killed {kills} times ({dict(where)}), ended as the undisturbed "
        "one, to the last bit."
    )
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
