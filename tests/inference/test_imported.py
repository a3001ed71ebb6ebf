"""A published network as a run of its own: it answers as its authors' code does, and says what it is."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from cxr_core.errors import WeightsError
from cxr_core.images import pixels, read_bytes
from cxr_core.inference.evaluate import evaluate_external
from cxr_core.inference.imported import import_model
from cxr_core.inference.predictor import Predictor
from cxr_core.model.fetched import Fetched
from cxr_core.published import PUBLISHED
from cxr_core.runs import Run, find_run
from cxr_core.runs.external import externals, forget
from tests.model.published_support import save_densenet

CHEX, RAD = PUBLISHED["densenet121-res224-chex"], PUBLISHED["rad-dino"]


@pytest.fixture(scope="module")
def imported(imported_run: Run) -> Run:
    return imported_run


def picture(dataset: Path) -> Path:
    return sorted(dataset.rglob("*.png"))[0]


def test_it_is_a_completed_run_that_says_where_it_comes_from(imported: Run) -> None:
    assert (imported.state, imported.can_resume, imported.task) == ("completed", False, "findings")
    assert imported.name == CHEX.title
    # The places of what CheXpert does not label are left out.
    assert imported.classes == list(CHEX.findings)
    assert len(imported.classes) == 11
    note = imported.imported
    assert note is not None
    assert (note.sets, note.licence, note.as_published) == (["CheXpert"], CHEX.licence, False)
    assert any("CheXpert" in line for line in imported.warnings)
    assert any("not probabilities" in line for line in imported.warnings)
    assert (imported.metrics("test"), imported.best, len(imported.split)) == (None, None, 0)
    assert not imported.folder.exists()
    assert find_run(imported.path.parent, imported.id).info.config["weights"] == CHEX.name


def test_its_answers_are_the_published_display_of_the_published_network(imported: Run, tiny_dataset: Path) -> None:
    xrv = pytest.importorskip("torchxrayvision")
    file = picture(tiny_dataset)
    prediction = next(Predictor.load(imported).predict([(file.name, file)]))
    square = pixels(read_bytes(file), file.name, 224)
    theirs = xrv.models.DenseNet(num_classes=18, in_channels=1).eval()
    from safetensors.torch import load_file

    theirs.load_state_dict({**load_file(imported.path.parent / "net.safetensors")}, strict=True)
    scaled = torch.from_numpy(xrv.datasets.normalize(square.astype(np.float32), 255))[None, None]
    points = torch.tensor(xrv.models.model_urls[CHEX.name]["op_threshs"])
    with torch.no_grad():
        shown = xrv.models.op_norm(torch.sigmoid(theirs(scaled)), points)[0]
    labels = xrv.models.model_urls[CHEX.name]["labels"]
    expected = {name: float(shown[labels.index(name)]) for name in imported.classes}
    assert prediction.probabilities == pytest.approx(expected, abs=2e-3)
    assert prediction.present == tuple(name for name, value in expected.items() if value >= 0.5)
    # Nothing to compare with: the distance is not checked, and is no number.
    assert (prediction.distance, prediction.withheld, prediction.seen) == (None, prediction.withheld, None)
    json.dumps(prediction.distance, allow_nan=False)


def test_a_heat_map_and_no_neighbours(imported: Run, tiny_dataset: Path) -> None:
    predictor, file = Predictor.load(imported), picture(tiny_dataset)
    assert predictor.heat(file.name, file, "Pneumonia").shape == (224, 224)
    assert predictor.similar(file.name, file) == ([], dict.fromkeys(imported.classes, 0))


def test_it_is_evaluated_on_a_data_set(imported: Run, findings_dataset: Path) -> None:
    try:
        outcome = evaluate_external(imported, findings_dataset)
        assert outcome.kept is not None
        both = [match["ours"] for match in outcome.metrics["matched"]]
        assert both == outcome.metrics["classes"] == ["Consolidation", "Pneumothorax", "Effusion", "Cardiomegaly"]
        assert [kept.name for kept in externals(imported)] == [outcome.kept.name]
    finally:
        for kept in externals(imported):
            forget(imported, kept.path.name)


def test_features_alone_are_no_model(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gives features and no answers.*--backbone rad_dino"):
        import_model(Fetched(RAD, tmp_path / "nothing", ""), tmp_path)


def test_another_classifier_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    state = save_densenet(tmp_path / "net.pt", outputs=14)
    save_file(state, tmp_path / "net.safetensors")
    with pytest.raises(WeightsError, match=r"answers \(14,\) findings; .* has 18 places"):
        import_model(Fetched(CHEX, tmp_path / "net.safetensors", ""), tmp_path / "runs")
    assert not list((tmp_path / "runs").glob("*"))
