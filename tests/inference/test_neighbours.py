"""Similar cases and the limit of what is like them: against plain loops, at full size, and with damaged files."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from cxr_core.errors import RunError
from cxr_core.inference import neighbours
from cxr_core.inference.neighbours import FILE, Neighbours, limit_of
from cxr_core.runs.run import Run
from tests.runs_support import new_run


def directions(count: int, width: int, seed: int) -> np.ndarray:
    """Unit vectors (N, D), float16, none opposite to another, as features behind a ReLU are."""
    drawn = np.abs(np.random.default_rng(seed).standard_normal((count, width)))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture
def run(tiny_dataset: Path, tmp_path: Path) -> Run:
    """A run whose training images point in random directions."""
    made = new_run(tiny_dataset, tmp_path / "runs")
    samples = made.split
    digests = {part: samples["digest"][samples["split"] == part].tolist() for part in ("train", "val")}
    train, val = directions(len(digests["train"]), 8, 0), directions(len(digests["val"]), 8, 1)
    neighbours.save(made, train, val, digests["train"], digests["val"], 0.25)
    return made


def test_what_was_saved_is_loaded(run: Run) -> None:
    known = Neighbours.load(run)
    samples = run.split
    train = samples[samples["split"] == "train"]
    assert known.samples["file"].tolist() == train["file"].tolist()
    assert known.limit == 0.25
    np.testing.assert_allclose(known.vectors, directions(len(train), 8, 0).astype(np.float32), atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(known.vectors, axis=1), 1, atol=1e-6)


def test_the_nearest_are_those_of_a_plain_loop(run: Run) -> None:
    known = Neighbours.load(run)
    for vector in directions(5, 8, 2):
        wide = vector.astype(float) / np.linalg.norm(vector.astype(float))
        distances = np.array([1 - float(wide @ row) for row in known.vectors])
        order = np.argsort(distances)
        nearest = known.nearest(vector)
        assert [neighbour.file for neighbour in nearest] == known.samples["file"].iloc[order[:5]].tolist()
        np.testing.assert_allclose([neighbour.distance for neighbour in nearest], distances[order[:5]], atol=1e-5)
        assert known.distance(vector) == pytest.approx(distances[order[:5]].mean(), abs=1e-5)
        labels = known.samples["label"].iloc[order[:7]].tolist()
        assert known.shares(vector, k=7) == {name: labels.count(name) for name in run.classes}


def test_the_shares_add_up_and_know_their_denominator(run: Run) -> None:
    known = Neighbours.load(run)
    there = len(known.samples)
    vector = directions(1, 8, 3)[0]
    assert sum(known.shares(vector).values()) == min(25, there)
    assert sum(known.shares(vector, k=10**6).values()) == there
    assert len(known.nearest(vector, k=10**6)) == there
    assert list(known.shares(vector)) == run.classes


def test_an_image_itself_can_be_left_out(run: Run) -> None:
    known = Neighbours.load(run)
    digest = known.samples["digest"][2]
    assert known.nearest(known.vectors[2])[0].digest == digest
    assert digest not in [neighbour.digest for neighbour in known.nearest(known.vectors[2], exclude_digest=digest)]


def test_what_has_nothing_in_common_with_anything_is_far(run: Run) -> None:
    known = Neighbours.load(run)
    assert known.distance(np.zeros(8, np.float16)) == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(20, 200), st.integers(1, 90), st.integers(0, 10**6))
def test_at_most_one_in_twenty_validation_images_is_questioned(train: int, val: int, seed: int) -> None:
    vectors, others = directions(train, 6, seed), directions(val, 6, seed + 1)
    limit = limit_of(vectors, others, [""] * train, [""] * val)
    known = known_of(vectors, limit)
    distances = np.array([known.distance(vector) for vector in others])
    assert (distances > limit).mean() <= 0.05
    # And it is the tightest such limit: a little lower, and more would be questioned.
    assert (distances > limit - 1e-5).mean() > 0.05 or val < 20


def known_of(vectors: np.ndarray, limit: float) -> Neighbours:
    samples = pd.DataFrame({"file": "x", "label": "A", "digest": [str(i) for i in range(len(vectors))]})
    return Neighbours(neighbours._unit(vectors), samples, ["A"], limit)


def test_the_limit_is_that_of_a_plain_loop_over_other_patients() -> None:
    random = np.random.default_rng(0)
    train, val = directions(60, 6, 0), directions(700, 6, 1)
    train_patients, val_patients = (random.choice(["", "a", "b", "c"], count).tolist() for count in (60, 700))
    distances = []
    for vector, patient in zip(val.astype(float), val_patients, strict=True):
        others = [
            1 - vector @ other / np.linalg.norm(vector) / np.linalg.norm(other)
            for other, whose in zip(train.astype(float), train_patients, strict=True)
            if not patient or whose != patient
        ]
        distances.append(np.mean(sorted(others)[:5]))
    expected = sorted(distances)[int(np.ceil(0.95 * 700)) - 1]
    assert limit_of(train, val, train_patients, val_patients) == pytest.approx(expected, abs=1e-5)


def test_few_images_and_none() -> None:
    vectors = directions(3, 4, 0)
    assert limit_of(vectors, directions(2, 4, 1), ["", "", ""], ["", ""]) < 1
    assert limit_of(vectors, vectors[:0], ["", "", ""], []) == np.inf
    assert limit_of(vectors, vectors, ["a"] * 3, ["a"] * 3) == np.inf
    # One validation image of a patient who is not in train decides alone.
    assert 0 < limit_of(vectors, vectors[:2], ["a"] * 3, ["a", "b"]) < 1


def test_twenty_thousand_images_in_bounded_memory() -> None:
    train, val = directions(20_000, 512, 0), directions(1_200, 512, 1)
    tracemalloc.start()
    limit = limit_of(train, val, [str(i) for i in range(20_000)], ["1"] * 1_200)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0 < limit < 1
    assert peak < 400e6, f"{peak / 1e6:.0f} MB"


def test_a_run_without_an_embedding(run: Run) -> None:
    (run.path / FILE).unlink()
    with pytest.raises(RunError, match="no similar cases"):
        Neighbours.load(run)


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "metadata", "other images", "flat"])
def test_a_damaged_embedding(run: Run, damage: str) -> None:
    file = run.path / FILE
    content = file.read_bytes()
    digests = run.split["digest"][run.split["split"] == "train"].tolist()
    about = {"train": json.dumps(digests), "val": "[]", "limit": "0.1"}
    vectors = directions(len(digests), 4, 0)
    if damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif damage in ("empty", "text"):
        file.write_bytes(b"" if damage == "empty" else b"not an embedding" * 50)
    elif damage == "metadata":
        save_file({"train": vectors, "val": vectors}, file)
    elif damage == "other images":
        save_file({"train": vectors, "val": vectors}, file, metadata={**about, "train": json.dumps(["0" * 32])})
    else:
        save_file({"train": vectors[:, 0].copy(), "val": vectors}, file, metadata=about)
    with pytest.raises(RunError, match="damaged"):
        Neighbours.load(run)
