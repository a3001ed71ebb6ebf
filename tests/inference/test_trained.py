"""A trained run loaded for use: the weights of the best epoch, and what is said where the run's files are damaged."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from cxr_core.errors import RunError, WeightsError
from cxr_core.images.reading import pixels, read_bytes
from cxr_core.inference.trained import Trained
from cxr_core.runs.run import Run
from tests.runs_support import copy_of, new_run


@pytest.fixture
def copied(frozen_run: Run, tmp_path: Path) -> Run:
    """A copy of a run with a frozen part, to be damaged."""
    return copy_of(frozen_run, tmp_path)


def test_it_uses_the_weights_of_the_best_epoch(frozen_run: Run) -> None:
    trained = Trained.load(frozen_run)
    best = load_file(frozen_run.weights_file)
    used = trained.suffix.state_dict()
    assert set(used) == set(best)
    assert all(torch.equal(used[name], value) for name, value in best.items())
    assert not trained.suffix.training


def test_nothing_in_the_frozen_part_asks_for_a_gradient(frozen_run: Run) -> None:
    prefix = Trained.load(frozen_run).prefix
    assert len(prefix)
    assert not any(parameter.requires_grad for parameter in prefix.parameters())
    assert not any(module.training for module in prefix.modules())


def test_features_are_those_that_are_kept(frozen_run: Run, tiny_dataset: Path) -> None:
    trained = Trained.load(frozen_run)
    file = tiny_dataset / frozen_run.split["file"].iloc[0]
    image = pixels(read_bytes(file), file.name, frozen_run.config.image_size)
    alone = trained.features(image[None])
    assert alone.dtype == np.float16
    assert alone.shape[1:] == trained.space.shape
    for company in (2, 3, 7, 8, 9, 16, 17):
        assert np.array_equal(trained.features(np.repeat(image[None], company, axis=0))[-1], alone[0])


def test_probabilities_are_probabilities(frozen_run: Run) -> None:
    trained = Trained.load(frozen_run)
    rows = np.random.default_rng(0).normal(size=(5, *trained.space.shape)).astype(np.float16)
    probabilities = trained.probabilities([rows[:3], rows[3:]])
    assert probabilities.shape == (5, 3)
    assert ((probabilities > 0) & (probabilities < 1)).all()
    assert np.array_equal(probabilities[4:], trained.probabilities([rows[4:]]))
    assert set(trained.decide(probabilities)) <= {0, 1, 2}
    assert trained.probabilities([]).shape == (0, 3)


def test_thresholds_are_per_label_with_flat_labels(flat_run: Run) -> None:
    thresholds = Trained.load(flat_run).thresholds
    assert list(thresholds) == flat_run.classes
    assert all(0 < value < 1 for value in thresholds.values())


def test_coherent_labels_have_no_thresholds_of_their_own(frozen_run: Run) -> None:
    assert Trained.load(frozen_run).thresholds == {}


def test_a_run_of_an_absent_device_still_answers(copied: Run) -> None:
    info = json.loads((copied.path / "run.json").read_text())
    info["config"]["device"] = "mps" if not torch.backends.mps.is_available() else "cuda"
    (copied.path / "run.json").write_text(json.dumps(info))
    trained = Trained.load(Run(copied.path))
    assert trained.device.type in ("cpu", "cuda", "mps")


def test_a_run_without_an_end_is_refused(tiny_dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is queued: expected a completed training"):
        Trained.load(new_run(tiny_dataset, tmp_path / "runs"))


@pytest.mark.parametrize("content", [b"", b"\x00" * 64, b"\x80\x04N.", "cut short", "another network", "not there"])
@pytest.mark.parametrize("name", ["best.safetensors", "prefix.safetensors"])
def test_damaged_weights_are_a_weights_error(copied: Run, name: str, content: bytes | str) -> None:
    file = copied.path / name
    whole = file.read_bytes()
    file.unlink()  # a hard link into the cache may share its content
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content == "cut short":
        file.write_bytes(whole[:-10])
    elif content == "another network":
        save_file({"weight": torch.zeros(3)}, file)
    if content == "not there" and name == "best.safetensors":
        with pytest.raises(RunError, match="expected a completed training"):
            Trained.load(copied)
        return
    with pytest.raises(WeightsError, match=name):
        _ = Trained.load(copied).prefix


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"thresholds": 3}', '{"thresholds": {"COVID19": "x"}}', "\x00"]
)
def test_a_damaged_decision_is_a_run_error(copied: Run, content: str) -> None:
    (copied.path / "decision.json").write_text(content)
    with pytest.raises(RunError, match=r"decision.json is damaged"):
        Trained.load(copied)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"space": {}}', '{"space": {"shape": [3], "colour": 1}}'])
def test_damaged_notes_are_a_run_error(copied: Run, content: str) -> None:
    (copied.path / "found.json").write_text(content)
    with pytest.raises(RunError, match=r"found.json"):
        _ = Trained.load(copied).space
