"""Every stand-in through ``scan``: labels, patients, views, splits and what is left out, exactly, as a data set."""

from pathlib import Path

import numpy as np
import pytest

from cxr_core.data import Pseudonyms, fixes, marks
from cxr_core.data.answers import Answers
from cxr_core.data.cautions import cautions
from cxr_core.data.dataset import scan
from cxr_core.data.dataset import split as splits_of
from cxr_core.errors import DatasetError
from cxr_core.findings import means_none
from cxr_core.images.dicom.terms import code
from cxr_core.settings import cache_dir, runs_dir
from tests.data.sets.standins import MAKERS, Standin, covid_patient

# What their tables do not tell and the pictures' headers do.
IN_HEADERS = {
    "RSNA Pneumonia 2018": ("F", "PA"),
    "SIIM-FISABIO-RSNA COVID-19": ("M", "AP"),
    "SIIM-ACR Pneumothorax": ("M", "AP"),
}


@pytest.fixture(params=list(MAKERS))
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Standin]:
    # Studies of several images and patients of several studies need some to be shared out.
    rounds = 4 if request.param == "SIIM-FISABIO-RSNA COVID-19" else 2
    return request.param, MAKERS[request.param](tmp_path / "set", rounds=rounds)


def test_a_set_as_it_is_downloaded(made: tuple[str, Standin]) -> None:
    name, standin = made
    found = scan(standin.root)
    rows = sorted(standin.rows, key=lambda row: row.file)
    samples = found.samples
    assert found.origin.set == name
    assert found.origin.rule
    assert found.origin.attribution
    assert samples["file"].tolist() == [row.file for row in rows]
    assert all(found.path(file).is_file() for file in samples["file"])
    assert dict(found.origin.left_out) == standin.left_out
    assert found.unreadable.empty
    patients = [row.patient for row in rows]
    if name == "SIIM-FISABIO-RSNA COVID-19":
        patients = [code(covid_patient(int(row.file.split("/")[1], 16))) for row in rows]
    assert samples["patient"].tolist() == patients
    for column in ("source", "split"):
        assert samples[column].tolist() == [getattr(row, column) for row in rows]
    sex, view = IN_HEADERS.get(name, ("", ""))
    assert samples["sex"].tolist() == [row.sex or sex for row in rows]
    assert samples["view"].tolist() == [row.view or view for row in rows]
    if name not in IN_HEADERS:
        np.testing.assert_allclose(samples["age"], [row.age for row in rows])
    else:
        assert samples["age"].notna().all()
    if isinstance(rows[0].labels, str):
        assert found.task == "exclusive"
        assert samples["label"].tolist() == [row.labels for row in rows]
        assert found.classes == sorted({str(row.labels) for row in rows})
        assert found.labels()["yes"].tolist() == found.counts().sum().tolist()
        return
    assert found.task == "findings"
    truths = [row.labels for row in rows if not isinstance(row.labels, str)]
    expected = [[truth.get(finding, standin.otherwise) for finding in found.classes] for truth in truths]
    np.testing.assert_array_equal(found.values, np.array(expected, np.float32))
    assert found.values.dtype == np.float32
    assert found.labels().sum(axis=1).eq(len(rows)).all()
    assert found.counts().sum().tolist() == found.labels()["yes"].tolist()


def test_a_set_is_split_for_a_training(made: tuple[str, Standin]) -> None:
    name, standin = made
    found = scan(standin.root)
    if name == "NIH radiologists 2019":
        # It is for judging alone: all of it is validation and test.
        with pytest.raises(DatasetError, match="Expected training images, got none"):
            splits_of(found, 0.25, 0.25, seed=0)
        return
    filled = splits_of(found, 0.25, 0.25, seed=0)
    assert set(filled["split"]) <= {"train", "val", "test"}
    given = found.samples["split"].isin(["val", "test"])
    assert filled["split"][given].equals(found.samples["split"][given])
    known = filled[(filled["patient"] != "") & ~given.to_numpy()]
    assert (known.groupby("patient")["split"].nunique() == 1).all()


def test_rules_are_changed(tmp_path: Path) -> None:
    standin = MAKERS["CheXpert"](tmp_path / "set")
    kept = scan(standin.root, answers=Answers(rules={"views": "all"}))
    assert len(kept.samples) == 2 * len(standin.rows)
    assert dict(kept.origin.left_out) == {"missing": 1}
    assert kept.samples["view"].value_counts()["lateral"] == len(standin.rows)
    assert kept.digest != scan(standin.root).digest


def test_text_of_findings_is_what_is_there(tmp_path: Path) -> None:
    found = scan(MAKERS["CheXpert"](tmp_path / "set").root)
    assert found.samples["label"].tolist() == [
        "Support Devices",
        "Cardiomegaly",
        "No Finding",
        "Pneumothorax",
        "Lung Opacity | Pleural Effusion",
        "Cardiomegaly | Pleural Effusion",
    ]
    assert [name for name in found.classes if means_none(name)] == ["No Finding"]


def test_the_digest_of_findings_depends_on_each_value(tmp_path: Path) -> None:
    standin = MAKERS["CheXpert"](tmp_path / "set")
    before = scan(standin.root).digest
    assert scan(standin.root).digest == before
    path = standin.root / "train.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("-1.0", "", 1), encoding="utf-8")
    assert scan(standin.root).digest != before


def test_ages_of_a_table_go_before_those_of_headers(tmp_path: Path) -> None:
    standin = MAKERS["RSNA Pneumonia 2018"](tmp_path / "set")
    assert scan(standin.root).samples["age"].tolist() == [30.0 + n for n in range(len(standin.rows))]


def test_findings_without_a_split_are_shared_out(tmp_path: Path) -> None:
    standin = MAKERS["PadChest"](tmp_path / "set", rounds=25)
    found = scan(standin.root)
    filled = splits_of(found, 0.2, 0.2, seed=3)
    shares = filled.groupby("split").size() / len(filled)
    assert abs(shares["val"] - 0.2) < 0.03
    assert abs(shares["test"] - 0.2) < 0.03
    for name in ("pleural effusion", "cardiomegaly", "normal"):
        by_split = filled.groupby("split")[f"y_{name}"].mean()
        assert by_split.max() - by_split.min() < 0.06
    assert splits_of(found, 0.2, 0.2, seed=3).equals(filled)
    assert not splits_of(found, 0.2, 0.2, seed=4)["split"].equals(filled["split"])


def test_a_validation_split_is_taken_from_train_where_a_person_says_so(tmp_path: Path) -> None:
    root = MAKERS["Kermany"](tmp_path / "set", rounds=4).root
    assert scan(root).origin.rules["validation"] == "as given"
    found = scan(root, answers=Answers(rules={"validation": "from train"}))
    assert found.splits == ["train", "test"]
    assert found.counts().sum(axis=1)["train"] == 32


def test_nothing_of_an_image_that_is_not_there_is_read(tmp_path: Path) -> None:
    standin = MAKERS["NIH ChestX-ray14"](tmp_path / "set")
    kept = scan(standin.root, answers=Answers(rules={"missing": "kept"}))
    assert kept.unreadable["file"].tolist() == ["00009999_000.png"]
    assert "the table names it" in kept.unreadable["reason"].iloc[0]


def test_how_far_the_readers_agree(tmp_path: Path) -> None:
    found = scan(MAKERS["VinBigData"](tmp_path / "set").root)
    assert found.origin.agreement
    assert found.origin.readers["Cardiomegaly"] == (1, 0)
    assert found.origin.readers["No finding"] == (1, 1)
    assert found.origin.overlaps == {"VinDr-CXR": "the same images as VinDr-CXR's train"}


def test_fixes_and_marks_of_findings(tmp_path: Path) -> None:
    standin = MAKERS["CheXpert"](tmp_path / "set", rounds=2)
    found = scan(standin.root)
    sick = found.samples[found.samples["y_Pneumothorax"] == 1]
    fixes.move(runs_dir(), found, dict.fromkeys(sick["file"], "left-out"), "no pneumothorax at all")
    fixed = fixes.applied(found, fixes.read(runs_dir()))
    assert fixed.task == "findings"
    assert fixed.counts()["Pneumothorax"].sum() == 0
    assert any("Train has no image with" in sentence for sentence in cautions(fixed.samples, fixed.path("")))
    train = found.samples[found.samples["split"] == "train"]
    with pytest.raises(DatasetError, match="leave train without any image that has a finding"):
        fixes.move(runs_dir(), found, dict.fromkeys(train["file"], "left-out"), "all of it")
    row = train.iloc[0]
    marks.add(runs_dir(), row["digest"], row["file"], row["label"], marks.LEAVE_OUT)
    kept, sentences = marks.leave_out(splits_of(found, 0.2, 0, 0), marks.read(runs_dir()), keep_val=True)
    assert len(kept) == len(found.samples) - 1
    assert "1 of 8 from training" in sentences[0]


def test_pseudonyms_hide_studies_and_keep_findings(tmp_path: Path) -> None:
    found = scan(MAKERS["CheXpert"](tmp_path / "set").root)
    samples = Pseudonyms(bytes(32)).samples(found.samples)
    assert not samples["study"].str.contains("patient").any()
    assert samples["study"].nunique() == found.samples["study"].nunique()
    assert sorted(samples["y_Cardiomegaly"].dropna()) == sorted(found.samples["y_Cardiomegaly"].dropna())


def test_a_source_that_gives_a_finding_away_is_said(tmp_path: Path) -> None:
    found = scan(MAKERS["covid-chestxray-dataset"](tmp_path / "set", rounds=2).root)
    samples = found.samples.assign(source=["a" if value == 1 else "b" for value in found.samples["y_COVID-19"]])
    (said,) = [sentence for sentence in cautions(samples, found.path("")) if "recognising the source" in sentence]
    assert "all 2 images with COVID-19 are from a" in said
    assert not [sentence for sentence in cautions(found.samples, found.path("")) if "recognising" in sentence]


def test_findings_in_two_spellings_are_said(tmp_path: Path) -> None:
    found = scan(MAKERS["CheXpert"](tmp_path / "set").root)
    samples = found.samples.assign(y_edema=0.0)
    assert any("Edema (0), edema (0) differ in case" in one for one in cautions(samples, found.path("")))


def test_patients_of_headers_are_said_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = MAKERS["SIIM-FISABIO-RSNA COVID-19"](tmp_path / "set", rounds=4).root
    first = scan(root)
    assert first.origin.rule.endswith("Patients come from the DICOM headers: 14 in 24 of 24 images.")
    assert not first.origin.problems
    monkeypatch.setattr("cxr_core.images.read_bytes", lambda path: pytest.fail("read twice"))
    assert scan(root).samples.equals(first.samples)
    kept = "".join(path.read_text(encoding="utf-8") for path in (cache_dir() / "scans").iterdir())
    assert first.samples["patient"].iloc[0] in kept
    assert "PATIENT-" not in kept.upper()


@pytest.mark.parametrize("name", ["BIMCV-COVID19", "TBX11K"])
def test_the_folder_above_says_where_the_set_lies(tmp_path: Path, name: str) -> None:
    root = MAKERS[name](tmp_path / "above" / "set").root
    with pytest.raises(DatasetError, match="lies one folder deeper"):
        scan(root.parent)
