"""The real tables of public sets, from the wheel of torchxrayvision (a development requirement): their known counts.

Their images are absent but for a few that are drawn here.
"""

import shutil
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from cxr_core.data.sets import registry as sets
from cxr_core.data.sets.nih import boxes
from cxr_core.data.sets.record import Record
from tests.images.files import write

KEPT = {"missing": "kept"}


def folder() -> Path:
    """Where the wheel keeps its tables; the package itself is not imported, which would bring torch in."""
    spec = find_spec("torchxrayvision")
    assert spec is not None, "install requirements-dev.txt"
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "data"


def copied(root: Path, *names: str) -> Path:
    for name in names:
        if name.endswith(".zip"):
            with zipfile.ZipFile(folder() / name) as archive:
                archive.extractall(root)
        else:
            shutil.copy(folder() / name, root / name)
    return root


def positives(record: Record) -> pd.Series:
    return (record.labels == 1).sum()


def test_nih(tmp_path: Path) -> None:
    root = copied(tmp_path, "Data_Entry_2017_v2020.csv.gz", "BBox_List_2017.csv.gz")
    write(root / "images_001" / "images" / "00000001_001.png", 1)
    record = sets.read(root, KEPT)
    assert record.set == "NIH ChestX-ray14"
    assert len(record.images) == 112_120
    assert record.images["patient"].nunique() == 30_805
    assert int((record.labels.sum(axis=1) > 1).sum()) == 20_796
    assert positives(record)["No Finding"] == 60_361
    assert record.labels.shape[1] == 15
    assert record.images["age"].between(0, 95).all()
    assert set(record.images["view"]) == {"PA", "AP"}
    assert record.boxes is not None
    assert (len(record.boxes), record.boxes["image"].nunique()) == (984, 880)
    assert set(record.boxes["finding"]) <= set(record.labels.columns)
    assert record.problems == []
    here = sets.read(root)
    assert here.images["file"].tolist() == ["images_001/images/00000001_001.png"]
    assert positives(here)[lambda found: found > 0].index.tolist() == ["Cardiomegaly", "Emphysema"]
    assert here.left_out == [("missing", 112_119)]


def test_nih_boxes() -> None:
    found = boxes(folder() / "BBox_List_2017.csv.gz")
    assert (len(found), found["name"].nunique()) == (984, 880)
    assert (found[["width", "height"]] > 0).all(axis=None)


def test_nih_radiologists(tmp_path: Path) -> None:
    record = sets.read(copied(tmp_path, "google2019_nih-chest-xray-labels.csv.gz"), KEPT)
    assert record.set == "NIH radiologists 2019"
    assert len(record.images) == 4_376
    assert positives(record).to_dict() == {
        "Fracture": 186,
        "Pneumothorax": 238,
        "Airspace opacity": 2_166,
        "Nodule or mass": 605,
    }
    assert record.images["split"].value_counts().to_dict() == {"val": 2_414, "test": 1_962}


def test_chexpert(tmp_path: Path) -> None:
    root = copied(tmp_path, "chexpert_train.csv.gz")
    write(root / "train" / "patient00002" / "study2" / "view1_frontal.jpg", 1)
    record = sets.read(root, {**KEPT, "views": "all"})
    assert record.set == "CheXpert"
    assert len(record.images) == 223_414
    assert record.images["patient"].nunique() == 64_540
    assert int((record.labels == -1).any(axis=1).sum()) == 85_056
    assert int((record.images.groupby("patient")["study"].nunique() > 1).sum()) == 30_976
    assert int(record.images["age"].isna().sum()) == 3
    assert record.images["sex"].value_counts().to_dict() == {"M": 132_636, "F": 90_777, "": 1}
    assert set(record.images["split"]) == {"train"}
    # No Finding never meets a finding: nothing to report.
    assert record.problems == []
    here = sets.read(root)
    assert here.left_out == [("views", 32_387), ("missing", 191_026)]
    assert here.images["patient"].tolist() == ["patient00002"]
    assert here.labels.loc[0, "Edema"] == -1


def test_padchest(tmp_path: Path) -> None:
    root = copied(tmp_path, "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv.gz")
    record = sets.read(root, KEPT)
    assert record.set == "PadChest"
    assert len(record.images) + sum(number for _, number in record.left_out) == 160_861
    assert dict(record.left_out) == {"no label": 880, "quality": 3_162, "unchanged": 3_705, "views": 48_092}
    assert all(name == name.strip() and name for name in record.labels.columns)
    assert {"pleural effusion", "pneumonia", "normal"} <= set(record.labels.columns)
    assert not {"unchanged", "exclude", "suboptimal study", "nan"} & set(record.labels.columns)
    assert set(record.images["source"]) == {"PhilipsMedicalSystems", "ImagingDynamicsCompanyLtd"}
    assert set(record.images["sex"]) == {"F", "M", ""}


def test_vinbigdata(tmp_path: Path) -> None:
    root = copied(tmp_path, "vinbigdata-train.csv.gz")
    record = sets.read(root, KEPT)
    assert record.set == "VinBigData"
    assert len(record.images) == 15_000
    assert record.problems == []
    assert record.agreement is not None
    by_finding = record.agreement.drop(columns="No finding").to_numpy().round(4)
    assert int((by_finding > 0).sum()) == 15_365
    assert int((by_finding == 0.3333).sum()) == 6_540
    assert int((by_finding == 1).sum()) == 5_266
    anyone = sets.read(root, {**KEPT, "readers": "any"})
    assert int((anyone.labels.drop(columns="No finding") == 1).sum().sum()) == 15_365


def test_rsna(tmp_path: Path) -> None:
    root = copied(tmp_path, "kaggle_stage_2_train_labels.csv.zip")
    record = sets.read(root, KEPT)
    assert record.set == "RSNA Pneumonia 2018"
    assert len(record.images) == 26_684
    assert positives(record).to_dict() == {"Lung Opacity": 6_012}
    assert record.boxes is not None
    assert len(record.boxes) + 26_684 - 6_012 == 30_227


def test_siim_acr(tmp_path: Path) -> None:
    root = copied(tmp_path, "siim-pneumothorax-train-rle.csv.gz")
    record = sets.read(root, KEPT)
    assert record.set == "SIIM-ACR Pneumothorax"
    assert len(record.images) == 12_047
    assert positives(record).to_dict() == {"Pneumothorax": 12_047 - 9_378}


@pytest.mark.parametrize("name", ["kaggle_stage_2_train_images_dicom_headers.csv.gz", "nlmcxr_dicom_metadata.csv.gz"])
def test_a_table_without_labels_is_none_of_them(tmp_path: Path, name: str) -> None:
    assert sets.recognise(copied(tmp_path, name)) is None
