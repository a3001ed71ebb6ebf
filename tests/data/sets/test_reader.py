"""Tables that were cut, changed or put together: a DatasetError that says what came, never a wrong record."""

import gzip
import os
from pathlib import Path

import pytest

from cxr_core import reach
from cxr_core.data.sets import registry as sets
from cxr_core.errors import DatasetError
from tests.data.sets.standins import MAKERS, Standin, rewrite

TABLES = {
    "NIH ChestX-ray14": "Data_Entry_2017_v2020.csv",
    "NIH radiologists 2019": "four_findings.csv",
    "CheXpert": "train.csv",
    "PadChest": "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv.gz",
    "MIMIC-CXR-JPG": "mimic-cxr-2.0.0-metadata.csv.gz",
    "VinDr-CXR": "annotations/image_labels_train.csv",
    "VinBigData": "train.csv",
    "RSNA Pneumonia 2018": "stage_2_train_labels.csv",
    "SIIM-FISABIO-RSNA COVID-19": "train_study_level.csv",
    "SIIM-ACR Pneumothorax": "train-rle.csv",
}


def text_of(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


@pytest.fixture(params=list(TABLES))
def cut(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Standin, Path]:
    made = MAKERS[request.param](tmp_path)
    return made, made.root / TABLES[request.param]


def test_a_row_cut_in_its_middle(cut: tuple[Standin, Path]) -> None:
    made, path = cut
    first, *rows = text_of(path).splitlines()
    rewrite(path, "\n".join([first, *rows[:-1], rows[-1].rsplit(",", 1)[0]]))
    with pytest.raises(
        DatasetError, match=r"row \d+: expected \d+ values as the header has, got \d+ \(1 such row\): the table was cut"
    ):
        sets.read(made.root)


def test_a_table_of_a_header_alone(cut: tuple[Standin, Path]) -> None:
    made, path = cut
    rewrite(path, text_of(path).splitlines()[0] + "\n")
    with pytest.raises(DatasetError, match="no rows below its header"):
        sets.read(made.root)


def test_compressed_and_cut(tmp_path: Path) -> None:
    made = MAKERS["PadChest"](tmp_path, rounds=30)
    path = made.root / TABLES["PadChest"]
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(DatasetError, match="ends too early or is damaged"):
        sets.read(path)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("NIH ChestX-ray14", "Mass|Nodule", "Mass|Nodul", "'Nodul' in 1 of 7 rows"),
        ("NIH radiologists 2019", "YES", "MAYBE", "expected 1, 0, -1 or nothing, got 'maybe'"),
        ("CheXpert", "-1.0", "-2.0", "column Edema: expected 1, 0, -1 or nothing, got '-2.0'"),
        ("VinBigData", "Cardiomegaly", "Big heart", "'Big heart'"),
        ("RSNA Pneumonia 2018", ",1\n", ",yes\n", "column Target"),
        ("SIIM-ACR Pneumothorax", "557374 2", "557374", "expected pairs of lengths"),
        ("SIIM-FISABIO-RSNA COVID-19", "1,0,0,0", "1,1,0,0", "expected one 1 among"),
    ],
)
def test_a_value_that_the_set_does_not_have(tmp_path: Path, name: str, old: str, new: str, said: str) -> None:
    made = MAKERS[name](tmp_path)
    path = made.root / TABLES[name]
    assert old in text_of(path)
    rewrite(path, text_of(path).replace(old, new))
    with pytest.raises(DatasetError, match=said.replace("(", "\\(")):
        sets.read(made.root)


def test_a_column_that_is_missing(tmp_path: Path) -> None:
    made = MAKERS["CheXpert"](tmp_path)
    path = made.root / "train.csv"
    rewrite(path, text_of(path).replace("Edema", "Oedema"))
    with pytest.raises(DatasetError, match=r"train\.csv: expected the columns .* without Edema"):
        sets.read(made.root)


def test_a_column_that_stands_twice(tmp_path: Path) -> None:
    made = MAKERS["CheXpert"](tmp_path)
    path = made.root / "train.csv"
    rewrite(path, text_of(path).replace("Frontal/Lateral", "Edema"))
    with pytest.raises(DatasetError, match="the column edema stands twice"):
        sets.read(made.root)


def test_a_line_of_covidx_that_was_cut(tmp_path: Path) -> None:
    made = MAKERS["COVIDx"](tmp_path)
    path = made.root / "labels" / "train_COVIDx9A.txt"
    rewrite(path, text_of(path) + "COVID 9 COVID(9).p")
    with pytest.raises(DatasetError, match="line 5: expected a patient, an image, a label"):
        sets.read(made.root)


def test_two_editions_of_covidx(tmp_path: Path) -> None:
    made = MAKERS["COVIDx"](tmp_path)
    for split in ("train", "test"):
        text = text_of(made.root / "labels" / f"{split}_COVIDx9A.txt")
        for label in ("normal", "pneumonia"):
            text = text.replace(f" {label}", " negative")
        rewrite(made.root / "labels" / f"{split}_COVIDx9B.txt", text.replace("COVID-19", "positive"))
    with pytest.raises(DatasetError, match="several editions of COVIDx"):
        sets.read(made.root)
    assert set(sets.read(made.root, {"edition": "B"}).images["label"]) == {"negative", "positive"}
    assert len(sets.read(made.root, {"edition": "A"}).images) == len(made.rows)


def test_two_sets_in_one_folder(tmp_path: Path) -> None:
    MAKERS["NIH ChestX-ray14"](tmp_path)
    MAKERS["NIH radiologists 2019"](tmp_path)
    with pytest.raises(DatasetError, match="2 sets lie in one folder: NIH ChestX-ray14"):
        sets.recognise(tmp_path)
    alone = sets.recognise(tmp_path / "four_findings.csv")
    assert alone is not None
    assert alone.name == "NIH radiologists 2019"
    # Some images of both have one name here: which is which cannot be told.
    with pytest.raises(DatasetError, match="Two images have the name"):
        sets.read(tmp_path / TABLES["NIH ChestX-ray14"])


def test_images_with_other_endings_and_in_another_case(tmp_path: Path) -> None:
    made = MAKERS["NIH ChestX-ray14"](tmp_path)
    for path in sorted(made.root.rglob("*.png")):
        path.rename(path.with_name(path.stem.upper() + ".JPG"))
    assert len(sets.read(made.root).images) == len(made.rows)


def test_two_images_of_one_name(tmp_path: Path) -> None:
    made = MAKERS["NIH ChestX-ray14"](tmp_path)
    made.draw("copies/00000002_000.png")
    with pytest.raises(DatasetError, match=r"copies/00000002_000\.png and images_001/images/00000002_000\.png"):
        sets.read(made.root)


def test_images_that_a_folder_tells_apart(tmp_path: Path) -> None:
    made = MAKERS["PadChest"](tmp_path)
    made.draw(f"9/{Path(made.rows[0].file).name}")
    assert made.rows[0].file in set(sets.read(made.root).images["file"])


def test_none_of_the_images_is_there(tmp_path: Path) -> None:
    made = MAKERS["NIH ChestX-ray14"](tmp_path)
    for path in made.root.rglob("*.png"):
        path.unlink()
    with pytest.raises(DatasetError, match="none of the 7 images that the table names was found"):
        sets.read(made.root)


def test_the_labels_of_mimic_are_in_a_table_of_their_own(tmp_path: Path) -> None:
    made = MAKERS["MIMIC-CXR-JPG"](tmp_path)
    (made.root / "mimic-cxr-2.0.0-metadata.csv.gz").unlink()
    with pytest.raises(DatasetError, match="the table of metadata of MIMIC-CXR is missing"):
        sets.read(made.root)


def test_the_labels_of_chexpert_plus_are_a_download_of_their_own(tmp_path: Path) -> None:
    made = MAKERS["CheXpert Plus"](tmp_path)
    (made.root / "chexbert_labels" / "report_fixed.json").write_text('{"path_to_image": 1')
    with pytest.raises(DatasetError, match="expected one JSON object a line"):
        sets.read(made.root)
    (made.root / "chexbert_labels" / "report_fixed.json").unlink()
    with pytest.raises(DatasetError, match="the JSON file of CheXbert's labels"):
        sets.read(made.root)


def test_a_rule_that_the_set_does_not_have(tmp_path: Path) -> None:
    made = MAKERS["CheXpert"](tmp_path)
    with pytest.raises(DatasetError, match=r"CheXpert has no choice 'CT' for the rule 'modality'\. Expected .*views"):
        sets.read(made.root, {"modality": "CT"})


def test_nothing_that_is_known(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="none of the 18 public sets"):
        sets.read(tmp_path)
    with pytest.raises(DatasetError, match="there is no such folder or table"):
        sets.read(tmp_path / "absent")


def test_a_pipe_is_never_opened(tmp_path: Path) -> None:
    made = MAKERS["NIH ChestX-ray14"](tmp_path)
    for name in ("list.txt", "more.csv", "some.json"):
        os.mkfifo(made.root / name)
    assert len(sets.read(made.root).images) == len(made.rows)
    with pytest.raises(DatasetError, match="there is no such folder or table"):
        sets.recognise(made.root / "list.txt")


def test_out_of_reach(tmp_path: Path) -> None:
    made = MAKERS["NIH ChestX-ray14"](tmp_path / "set")
    reach.confine([tmp_path / "elsewhere"])
    try:
        with pytest.raises(DatasetError, match="outside of the folders"):
            sets.recognise(made.root)
    finally:
        reach.confine(None)
