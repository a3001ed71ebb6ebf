"""A run whose border is masked: no door lets the border in, and the gate still looks at the whole picture."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cxr_core.images.gate import withheld
from cxr_core.images.masking import FILL, masked
from cxr_core.images.reading import content_digest, pixels
from cxr_core.inference.embedding import embed_pixels
from cxr_core.inference.evaluate import evaluate_folder
from cxr_core.inference.explain import heat_map
from cxr_core.inference.predictor import Predictor
from cxr_core.inference.trained import Trained
from cxr_core.model.features import FeatureStore
from cxr_core.reports.card import model_card
from cxr_core.reports.markdown import render
from cxr_core.reports.verdict import verdict
from cxr_core.runs import controls
from cxr_core.runs.companions import CONTROLS, laid_down
from cxr_core.runs.run import Run
from tests.runs_support import FROZEN, copy_of, train


@pytest.fixture(scope="module", params=["small-cnn", "resnet18"])
def run(request: pytest.FixtureRequest, tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Really trained with the border masked: all of a small-cnn, and a head on a frozen ResNet18."""
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_CACHE", str(folder / "cache"))
        config = FROZEN if request.param == "resnet18" else {}
        return train(tiny_dataset, folder / "runs", mask_border=True, views=2, **config)


def lettered(file: Path) -> bytes:
    """The picture with white letters at its border, of its own size."""
    picture = np.array(Image.open(file).convert("L"))
    height, width = picture.shape
    # Within the outer eighth, with room for what resizing spreads.
    for top, left in ((0, 0), (0, width - width // 10), (height - height // 12, width // 3)):
        picture[top : top + height // 12, left : left + width // 10] = 255
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def pair(tiny_dataset: Path) -> tuple[bytes, bytes]:
    """A drawing as it is, and with letters."""
    file = min(tiny_dataset.glob("test/PNEUMONIA/*.png"))
    return file.read_bytes(), lettered(file)


def squares(*contents: bytes) -> NDArray[np.uint8]:
    return np.stack([pixels(content, "a.png", 64) for content in contents])


def test_predictions_equal_the_run_s_own_to_the_last_bit(run: Run, tiny_dataset: Path) -> None:
    for split in ("val", "test"):
        table = run.predictions(split)
        found = Predictor.load(run).predict((file, tiny_dataset / file) for file in table["file"])
        for answer, (_, row) in zip(found, table.iterrows(), strict=True):
            assert answer.probabilities == {name: row[f"p_{name}"] for name in run.classes}
            assert answer.label == row["decision"]


def test_another_folder_is_judged_without_its_border(run: Run, tiny_dataset: Path, tmp_path: Path) -> None:
    table = run.predictions("test")
    for file, label in zip(table["file"], table["label"], strict=True):
        target = tmp_path / "other" / label / Path(file).name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(lettered(tiny_dataset / file))
    _, other = evaluate_folder(run, tmp_path / "other")
    columns = [f"p_{name}" for name in run.classes]
    own = table.assign(file=table["file"].str.split("/").str[1:].str.join("/")).set_index("file")
    assert (other.set_index("file")[columns] == own.loc[other["file"], columns]).all(axis=None)


def test_letters_at_the_border_change_nothing(run: Run, pair: tuple[bytes, bytes]) -> None:
    predictor = Predictor.load(run)
    plain, letters = predictor.predict([("a.png", pair[0]), ("b.png", pair[1])])
    assert plain.probabilities == letters.probabilities
    assert plain.distance == letters.distance
    assert predictor.similar("a.png", pair[0])[1] == predictor.similar("b.png", pair[1])[1]
    heats = [np.stack([predictor.heat("a.png", content, label) for label in run.classes]) for content in pair]
    assert heats[0].tobytes() == heats[1].tobytes()
    vectors = embed_pixels(predictor.trained, squares(*pair))
    assert vectors[0].tobytes() == vectors[1].tobytes()


def test_they_change_the_answers_of_a_run_that_sees_them(
    completed_run: Run, frozen_run: Run, pair: tuple[bytes, bytes]
) -> None:
    """So that the test above could fail."""
    for seeing in (completed_run, frozen_run):
        predictor = Predictor.load(seeing)
        plain, letters = predictor.predict([("a.png", pair[0]), ("b.png", pair[1])])
        assert plain.probabilities != letters.probabilities
        vectors = embed_pixels(predictor.trained, squares(*pair))
        assert vectors[0].tobytes() != vectors[1].tobytes()
        heats = [
            np.stack([heat_map(predictor.trained, square, label) for label in seeing.classes])
            for square in squares(*pair)
        ]
        assert heats[0].tobytes() != heats[1].tobytes()


def test_the_gate_looks_at_the_whole_picture(run: Run, tiny_dataset: Path) -> None:
    known = Predictor.load(run).known
    files = sorted(tiny_dataset.glob("test/*/*.png"))
    for file, answer in zip(files, Predictor.load(run).predict((file.name, file) for file in files), strict=True):
        content, distance = file.read_bytes(), answer.distance or 0.0
        square = pixels(content, file.name, 64)
        assert answer.withheld == withheld(content, file.name, square, distance, known.limit)
    # A third of it is of the fill's grey: with the border erased it would be more than half.
    flat = np.random.default_rng(0).integers(0, 256, (80, 80), dtype=np.uint8)
    flat[14:46, 12:68] = FILL
    out = io.BytesIO()
    Image.fromarray(flat).save(out, "PNG")
    square = pixels(out.getvalue(), "flat.png", 64)
    (answer,) = Predictor.load(run).predict([("flat.png", out.getvalue())])
    expected = withheld(out.getvalue(), "flat.png", square, answer.distance or 0.0, known.limit)
    assert answer.withheld == expected
    assert expected != withheld(
        out.getvalue(), "flat.png", masked(square, "border-erased"), answer.distance or 0.0, known.limit
    )


def test_its_kept_rows_are_of_masked_pictures(run: Run, tiny_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_CACHE", str(run.path.parent.parent / "cache"))
    trained = Trained.load(run)
    assert trained.space.mask == run.mask == "border-erased"
    store = FeatureStore(trained.space)
    files = sorted(tiny_dataset.glob("test/NORMAL/*.png"))
    rows = store.read(store.rows([f"{content_digest(file.read_bytes())}:0" for file in files]))
    assert trained.features(squares(*(file.read_bytes() for file in files))).tobytes() == rows.tobytes()
    if trained.space.dtype == "uint8":
        name = content_digest(files[0].read_bytes())
        assert masked(store.read(store.rows([f"{name}:0"]))[0], "border-erased").tobytes() == rows[0].tobytes()
    store.close()


def test_it_is_said_once_beside_every_score(run: Run, completed_run: Run) -> None:
    assert run.config.mask_border
    assert sum("does not see the border" in warning for warning in run.warnings) == 1
    metrics = run.metrics("test")
    assert metrics
    assert any("does not see the border" in warning for warning in metrics["warnings"])
    assert run.audit
    assert run.audit.facts["border_masked"]
    assert completed_run.audit
    assert not completed_run.audit.facts["border_masked"]
    assert not any("border" in warning for warning in completed_run.warnings)


def test_its_one_control_is_the_middle_which_has_no_border(run: Run, completed_run: Run, tmp_path: Path) -> None:
    copy = copy_of(run, tmp_path)
    (companion,) = controls.planned(copy)
    control = laid_down(copy, CONTROLS, companion, "1 of 1")
    assert (control.mask, control.config) == ("middle-only", run.config)
    assert len(controls.planned(completed_run)) == 2


def test_what_its_shortcut_score_does_not_see_is_not_named(run: Run, tmp_path: Path) -> None:
    copy = copy_of(run, tmp_path)
    score = {"macro_f1": 1.0, "interval": None, "n": 12, "on": "images"}
    (copy.path / CONTROLS.file).write_text(
        json.dumps({"chance_macro_f1": 0.3, "middle-only": score, "shortcut": score})
    )
    found = controls.scores(copy)
    assert found
    said = [controls.verdict(found), *(bar.meaning for bar in found.bars)]
    assert any("size, file and brightness alone" in sentence for sentence in said)
    assert not any("border" in sentence for sentence in said)
    poor = {**score, "macro_f1": 0.0}
    (copy.path / CONTROLS.file).write_text(json.dumps({"chance_macro_f1": 0.3, "middle-only": poor}))
    found = controls.scores(copy)
    assert found
    assert controls.NO_LUNGLESS in controls.verdict(found)


def test_the_verdict_and_the_card_do_not_name_the_border_either(run: Run, tmp_path: Path) -> None:
    copy = copy_of(run, tmp_path)
    reached: dict[str, Any] = {
        "macro_f1": 1.0,
        "interval": None,
        "chance_macro_f1": 0.3,
        "by_feature": {},
        "claimed": True,
        "n": 36,
    }
    (copy.path / "audit.json").write_text(json.dumps(run.audit.as_json() | {"shortcut": reached} if run.audit else {}))
    assert "by size, file and brightness alone (1.00)" in verdict(copy).sentence
    assert "Size, file and brightness alone (shortcut), macro F1" in render(model_card(copy))
