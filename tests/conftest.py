"""Fixtures for every test: folders of its own, a small drawn data set, the real X-rays where they lie."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from cxr_core import demo, reach
from cxr_core.runs.run import Run
from tests import ROOT
from tests.runs_support import FROZEN, POOLED, measured_copy, train

REAL_DATA = ROOT.parent / "shared" / "data"

# What is right does not become wrong on a busy machine.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# Nothing above imports torch. On networks this small more threads only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "2")
# Most tests are of what people have made themselves; those of the starter model ask for it.
os.environ["CXR_STARTER"] = "no"


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs, cache and data sets of a test go to its own temporary folder, which is returned."""
    for variable, folder in (("CXR_RUNS", "runs"), ("CXR_CACHE", "cache"), ("CXR_DATA", "data")):
        monkeypatch.setenv(variable, str(tmp_path / folder))
    reach.confine(None)
    return tmp_path


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a drawn data set of 36 images with train and test splits; shared by all tests, so only to be read."""
    return demo.draw(tmp_path_factory.mktemp("drawn") / "tiny", images=36, seed=0)


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Other drawings than ``tiny_dataset``, as of another hospital; shared by all tests, so only to be read."""
    return demo.draw(tmp_path_factory.mktemp("other") / "hospital b", images=36, seed=5)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real X-rays, to be read in place; without it a test is skipped, or fails if it is required."""
    if not (REAL_DATA / "covid-cxr").is_dir():
        reason = "the real X-rays are not here: expected them in ../shared/data beside the project"
        if os.environ.get("CXR_REQUIRE_REAL_DATA") == "1":
            pytest.fail(f"CXR_REQUIRE_REAL_DATA=1, but {reason}")
        pytest.skip(reason)
    return REAL_DATA


@pytest.fixture(scope="session")
def completed_run(tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """small-cnn after two epochs on the drawn data set, at 64 px; shared by all tests, so only to be read.

    With this seed it decides more than one class.
    """
    return _trained(tiny_dataset, tmp_path_factory.mktemp("completed"), seed=2)


@pytest.fixture(scope="session")
def frozen_run(tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A head on a frozen ResNet18 with random weights, otherwise as ``completed_run``."""
    return _trained(tiny_dataset, tmp_path_factory.mktemp("frozen"), **FROZEN)


@pytest.fixture(scope="session")
def pooled_run(tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A linear head on pooled stages of the backbone that comes by pip, otherwise as ``completed_run``."""
    return _trained(tiny_dataset, tmp_path_factory.mktemp("pooled"), **POOLED)


@pytest.fixture(scope="session")
def flat_run(tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """As ``completed_run``, with each label learnt by itself, as in runs of before."""
    return _trained(tiny_dataset, tmp_path_factory.mktemp("flat"), hierarchy="flat")


@pytest.fixture(scope="session")
def findings_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of 160 drawings with several findings at once; shared by all tests, so only to be read."""
    return demo.draw_findings(tmp_path_factory.mktemp("drawn") / "findings", images=160, seed=0)


@pytest.fixture(scope="session")
def findings_run(findings_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """small-cnn after four epochs on ``findings_dataset``; shared by all tests, so only to be read."""
    return _trained(findings_dataset, tmp_path_factory.mktemp("findings"), epochs=4)


@pytest.fixture(scope="session")
def findings_controlled(findings_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A copy of ``findings_run`` with its controls measured; shared by all tests, so only to be read."""
    from cxr_core.training import measure_controls

    return measured_copy(findings_run, tmp_path_factory.mktemp("findings-controlled"), measure_controls)


@pytest.fixture(scope="session")
def findings_left_out(findings_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same with each source left out of training."""
    from cxr_core.training import measure_left_out

    return measured_copy(findings_run, tmp_path_factory.mktemp("findings-left-out"), measure_left_out)


def _trained(root: Path, folder: Path, **config: Any) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_CACHE", str(folder / "cache"))
        return train(root, folder / "runs", **config)


@pytest.fixture(scope="session")
def imported_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A published network of random weights, imported: findings, no data set; shared by all tests, only to be read."""
    from safetensors.torch import save_file

    from cxr_core.inference.imported import import_model
    from cxr_core.model.fetched import Fetched
    from cxr_core.published import PUBLISHED
    from tests.model.published_support import save_densenet

    folder = tmp_path_factory.mktemp("imported")
    save_file(save_densenet(folder / "net.pt"), folder / "net.safetensors")
    return import_model(Fetched(PUBLISHED["densenet121-res224-chex"], folder / "net.safetensors", "ab" * 32), folder)
