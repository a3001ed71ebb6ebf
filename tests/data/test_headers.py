"""Patients of headers: taken where they tell images apart, never where an ID was removed or is the file's own."""

import pandas as pd

from cxr_core.data.headers import patients
from cxr_core.data.origin import Origin

ORIGIN = Origin(rule="The class of the table.")


def told(codes: list[str], known: dict[int, str] | None = None) -> tuple[list[str], Origin]:
    samples = pd.DataFrame({"patient": [(known or {}).get(row, "") for row in range(len(codes))]}, dtype="str")
    found, origin = patients(samples, pd.Series(codes, dtype="str"), ORIGIN)
    assert (samples["patient"] == [(known or {}).get(row, "") for row in range(len(codes))]).all()
    return found["patient"].tolist(), origin


def test_an_id_that_images_share_is_a_patient() -> None:
    found, origin = told(["a", "a", "b", "", "c"])
    assert found == ["a", "a", "b", "", "c"]
    assert origin.rule == "The class of the table. Patients come from the DICOM headers: 3 in 4 of 5 images."
    assert not origin.problems


def test_what_a_table_says_goes_before() -> None:
    assert told(["a", "a", "b", "b"], {0: "one", 1: "one"})[0] == ["one", "one", "b", "b"]


def test_without_any_nothing_changes() -> None:
    assert told(["", "", ""]) == (["", "", ""], ORIGIN)


def test_an_id_of_each_image_tells_nothing() -> None:
    found, origin = told([f"{n}" for n in range(30)])
    assert set(found) == {""}
    assert origin.rule == ORIGIN.rule
    assert "who has several images is not known" in origin.problems[0]


def test_an_id_of_very_many_was_removed() -> None:
    found, origin = told(["x"] * 40 + [f"{n // 2}" for n in range(60)])
    assert found == [""] * 40 + [f"{n // 2}" for n in range(60)]
    assert "30 in 60 of 100 images" in origin.rule
    assert origin.problems[0].startswith("40 of 100 images share")
