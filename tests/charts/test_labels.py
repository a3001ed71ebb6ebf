"""Charts of a data set of findings: every number with what it was counted on, and no more rows than can be read."""

import numpy as np
import pandas as pd
import pytest

from cxr_core import charts
from cxr_core.charts.labels import MOST

NAN = float("nan")
NAMES = ["No Finding", "Edema", "Mass", "Support Devices"]
VALUES = np.array([[1, 0, 0, 1], [0, 1, 1, 0], [0, 1, NAN, -1], [NAN, -1, 0, 0]], np.float32)
LABELS = pd.DataFrame(
    {"yes": [1, 2, 1, 1], "no": [2, 1, 2, 2], "uncertain": [0, 1, 0, 1], "blank": [1, 0, 1, 0]}, index=NAMES
)


def test_what_is_said_adds_up_to_all_images() -> None:
    drawn = charts.composition(LABELS)
    np.testing.assert_allclose(sum(np.array(trace.x) for trace in drawn.data), np.ones(4))
    assert [trace.name for trace in drawn.data] == ["yes", "uncertain", "blank", "no"]
    assert drawn.data[0].hovertext[0] == "Edema: yes<br>2 of 4 (50 %)"


def test_prevalence_is_of_the_split() -> None:
    counts = pd.DataFrame([[1, 2], [0, 3]], index=["train", "test"], columns=["Mass", "Edema"])
    drawn = charts.by_split(counts, pd.Series({"train": 4, "test": 3}))
    assert [trace.name for trace in drawn.data] == ["train", "test"]
    assert drawn.data[1].hovertext[0] == "Edema, test<br>3 of 3 (100.0 %)"
    assert list(drawn.data[0].x) == [0.5, 0.25]


def test_findings_of_an_image_leave_out_devices_and_the_uncertain() -> None:
    drawn = charts.per_image(VALUES, NAMES)
    assert list(drawn.data[0].y) == [2, 1, 1]
    assert drawn.data[0].hovertext[2] == "2 findings<br>1 of 4 images (25 %)"


def test_together_is_the_share_of_the_rows_finding() -> None:
    drawn = charts.co_occurrence(VALUES[:, 1:], NAMES[1:])
    (cells,) = drawn.data
    assert np.isnan(np.diag(np.array(cells.z, float))).all()
    assert cells.z[0][1] == 0.5
    assert cells.z[1][0] == 1.0
    assert cells.text[0][0] == ""
    assert drawn.layout.annotations[0].text == "2", "read on the page's ground, not on a cell's"
    assert cells.hovertext[0][1] == "Edema: 2 images<br>Mass too in 1 of 2"


def test_of_hundreds_of_findings_the_most_frequent_are_drawn() -> None:
    values = np.triu(np.ones((200, 200), np.float32))
    names = [f"n{k}" for k in range(200)]
    labels = pd.DataFrame({"yes": range(200), "no": 0, "uncertain": 0, "blank": 1}, index=names)
    assert len(charts.composition(labels).data[0].y) == MOST
    assert np.array(charts.co_occurrence(values, names).data[0].z).shape == (MOST, MOST)
    counts = pd.DataFrame([range(200)], index=[""], columns=names)
    assert len(charts.by_split(counts, pd.Series({"": 200})).data[0].y) == MOST


@pytest.mark.parametrize("values", [np.zeros((0, 3), np.float32), np.full((2, 3), NAN, np.float32)])
def test_nothing_is_drawn_of_nothing(values: np.ndarray) -> None:
    names = ["a", "b", "c"]
    assert np.array(charts.co_occurrence(values, names).data[0].z).size == 0
    assert sum(charts.per_image(values, names).data[0].y) == len(values)


def test_ages_by_decade_and_groups_with_the_unknown() -> None:
    drawn = charts.ages(pd.Series([0.5, 9.9, 10, 71, NAN]))
    assert list(drawn.data[0].y) == [2, 1, 0, 0, 0, 0, 0, 1]
    assert drawn.data[0].hovertext[0] == "0-9 years<br>2 of 5 images (40 %)"
    assert charts.ages(pd.Series([NAN])).data[0].y.tolist() == [0]
    told = charts.groups(pd.Series(["PA", "PA", "AP", ""]), "View")
    assert list(told.layout.xaxis.ticktext) == ["PA", "AP", "not known"]
