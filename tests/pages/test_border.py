"""Mask the border, on every page where a person meets it: fixed, said before a training, beside an answer, undone."""

from pathlib import Path

import pytest

from cxr_core.data import fixes
from cxr_core.runs.run import Run
from cxr_core.settings import runs_dir
from cxr_core.ui.case import BORDER_NOTE
from tests.pages.support import open_page, texts
from tests.runs_support import lettered_dataset, train

TURNED_ON = "A fix of this data set turns on Mask the border"
IN_BATCH = "Their border is masked"


@pytest.fixture(scope="module")
def lettered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lettered_dataset(tmp_path_factory.mktemp("lettered") / "set", images=36)


@pytest.fixture(scope="module")
def masked_run(lettered: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("masked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_CACHE", str(folder / "cache"))
        return train(lettered, folder / "runs", mask_border=True)


def said(page: str, root: Path) -> str:
    at = open_page(f"pages/{page}.py", timeout=60, data=str(root))
    assert not at.exception
    return texts(at)


def test_letters_are_shown_fixed_and_the_fix_undone(lettered: Path) -> None:
    assert TURNED_ON not in said("3_Train", lettered)
    assert IN_BATCH not in said("1_Dataset", lettered)
    at = open_page("pages/2_Audit.py", timeout=60, data=str(lettered))
    at.button(key="fix-letters-mask the border").click().run()
    assert not at.exception
    shown = texts(at)
    count = len(fixes.read(runs_dir()))
    assert f"Letters: mask the border · the border of every image is masked, because of {count} images" in shown
    assert fixes.BORDER_MASKED not in shown
    assert "the border of every image is masked in training" in shown
    assert not [button for button in at.button if "mask the border" in str(button.key)]
    assert TURNED_ON in said("3_Train", lettered)
    assert IN_BATCH in said("1_Dataset", lettered)

    (name,) = set(fixes.read(runs_dir())["mend"])
    at.button(key=f"undo-fix-{name}").click().run()
    assert not at.exception
    assert fixes.read(runs_dir()).empty
    assert at.button(key="fix-letters-mask the border")
    assert "the border of every image is masked in training" not in texts(at)
    assert TURNED_ON not in said("3_Train", lettered)
    assert IN_BATCH not in said("1_Dataset", lettered)


@pytest.mark.parametrize(
    ("place", "count", "words"),
    [
        ("left-out", 1, "1 image left out"),
        ("train", 2, "2 images moved to train"),
        ("none", 3, "the given split of 3 images forgotten"),
    ],
)
def test_every_fix_is_said_in_plain_words(lettered: Path, place: str, count: int, words: str) -> None:
    from cxr_core.data.dataset import scan

    dataset = scan(lettered)
    files = dataset.samples["file"][dataset.samples["label"] == "NORMAL"][:count]
    fixes.move(runs_dir(), dataset, dict.fromkeys(files, place), "leak: a fix")
    assert f"Leak: a fix · {words} · " in said("2_Audit", lettered)


def test_the_form_has_it_under_its_name() -> None:
    at = open_page("pages/3_Train.py")
    assert at.checkbox(key="config-mask_border").label == "Mask the border"


def test_it_is_said_beside_an_answer(
    masked_run: Run, completed_run: Run, lettered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = min(lettered.glob("train/COVID19/*.png"))
    for run, expected in ((masked_run, True), (completed_run, False)):
        monkeypatch.setenv("CXR_RUNS", str(run.path.parent))
        at = open_page("pages/6_Predict.py", timeout=60, run=run.id)
        assert ("does not see the border" in texts(at)) == expected
        at.file_uploader[0].set_value([(file.name, file.read_bytes(), "image/png")])
        at.run()
        assert not at.exception
        for box in [box for box in at.checkbox if box.label == "Show anyway"]:
            box.set_value(True).run()
        assert (BORDER_NOTE in [caption.value for caption in at.caption]) == expected
