"""Names of files that tell a person, or which images are of one patient; and names that do neither."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from cxr_core.data.cautions import cautions
from cxr_core.data.persons import patients_in_names, person_names

PERSONS = [("Smith", "John"), ("Doe", "Jane"), ("Miller", "Eva"), ("Özil", "Mesut"), ("Rossi", "Pia"), ("Novak", "Al")]
NOBODY = (
    *("COVID-{0}", "Viral Pneumonia-{0}", "Lung_Opacity-{0}", "Tuberculosis-{0}", "Normal-{0}", "p{0:05d}_2"),
    *("{0:08d}_000", "person{0}_virus_{0}", "IM-{0:04d}-0001", "NORMAL2-IM-{0:04d}-0001-0002", "CHNCXR_{0:04d}_1"),
    *("0004cfab-14fd-4e49-80ba-{0:012d}", "Screenshot 12", "WhatsApp Image {0}", "covid19_0{0}", "1.2.840.113619.{0}"),
    *("Chest PA {0}", "New Folder {0}", "view{0}_frontal", "study{0}/image{0}", "20991399_{0}", "Pat_Lateral"),
)


def samples(files: Sequence[str], patients: Sequence[str] = (), test: int = 0) -> pd.DataFrame:
    """Files of the class NORMAL; the last ``test`` of them are its test."""
    split = ["train"] * (len(files) - test) + ["test"] * test
    patient = list(patients) or [""] * len(files)
    return pd.DataFrame({"file": files, "label": "NORMAL", "patient": patient, "split": split})


@pytest.mark.parametrize(
    "form",
    ["{0}_{1}_3.png", "{0}, {1}.dcm", "{0} {1}/im.png", "{2}^{3}.dcm", "{0}-{1}.jpg", "{2}_{3}/a/1.png", "x {1} {0}"],
)
def test_names_of_persons_are_noticed_and_never_said(form: str) -> None:
    files = [f"NORMAL/{form.format(last, first, last.upper(), first.upper())}" for last, first in PERSONS]
    sentence = person_names(samples(files))
    assert sentence.startswith("Names of files or folders look like names of persons.")
    assert not any(part.lower() in sentence.lower() for part in ("smith", "jane", "özil"))


@pytest.mark.parametrize("form", NOBODY)
def test_usual_names_are_nobodys(form: str) -> None:
    assert person_names(samples([f"NORMAL/{form.format(k)}.png" for k in range(40)])) == ""


@pytest.mark.parametrize(
    "form", ["{0}{1:02d}{2:02d}", "{2:02d}.{1:02d}.{0}", "{0}-{1:02d}-{2:02d}", "a_{0}_{1:02d}_{2:02d}b"]
)
def test_dates_are_noticed(form: str) -> None:
    files = [f"NORMAL/x{form.format(1950 + k, 1 + k, 11 + k)}.png" for k in range(6)]
    expected = "names of files or folders hold dates" if "_{1" not in form else ""
    assert expected in person_names(samples(files)).lower()


def test_one_name_in_many_is_no_form() -> None:
    assert person_names(samples([f"NORMAL/{k}.png" for k in range(40)] + ["NORMAL/Smith_John.png"])) == ""


def test_a_class_is_not_a_person() -> None:
    assert person_names(samples([f"Mary Jane/{k}.png" for k in range(9)]).assign(label="Mary Jane")) == ""


def test_patients_called_by_name() -> None:
    files = [f"NORMAL/{k}.png" for k in range(6)]
    assert "Patients are called" in person_names(samples(files, [f"{last}^{first}" for last, first in PERSONS]))
    assert person_names(samples(files, [f"p{k}" for k in range(6)])) == ""


def test_a_caution_says_it_where_a_data_set_is_opened() -> None:
    files = [f"NORMAL/{last}_{first}.png" for last, first in PERSONS]
    table = samples(files).assign(source="", digest=files)
    assert sum("names of persons" in sentence for sentence in cautions(table, Path("nowhere"))) == 1


def numbered(patients: int, each: int, form: str = "{0:08d}_{1:03d}") -> list[str]:
    return [f"A/{form.format(patient, k)}.png" for k in range(each) for patient in range(patients)]


def test_patients_that_only_the_names_of_files_tell() -> None:
    """10 patients with 4 images; the last image of each is its test."""
    sentence = patients_in_names(samples(numbered(10, 4), test=10))
    assert sentence.startswith(
        "40 of 40 files are named like PATIENT_NUMBER (10 patients), and 10 patients would be in"
    )
    assert "(10 of 10 test images)" in sentence
    assert "no table says so" in patients_in_names(samples(numbered(10, 4)))


@pytest.mark.parametrize(
    "files",
    [
        numbered(40, 1),  # a running number
        numbered(1, 40, "covid19_{1:04d}"),  # the name of a series
        numbered(2, 20, "series{0:03d}_{1}"),
        [*numbered(10, 2), *(f"A/other{k}.png" for k in range(20))],
        numbered(20, 2, "person{0}_virus_{1}"),  # Kermany: numbers of its own in each class
        numbered(10, 2, "{0}_{1}"),
    ],
)
def test_other_forms_are_no_patients(files: list[str]) -> None:
    assert patients_in_names(samples(files, test=len(files) // 2)) == ""


def test_known_patients_need_no_guess() -> None:
    assert patients_in_names(samples(numbered(10, 4), [str(k) for k in range(40)])) == ""
    assert patients_in_names(samples([])) == ""
