"""Ages as people write them: in years, with DICOM's letters, unknown, and wrong."""

import pytest

from cxr_core.images.ages import OLDEST, is_wrong, years


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("58", 58),
        ("058", 58),
        ("058Y", 58),
        (" 58 y ", 58),
        ("58.0", 58),
        ("0", 0),
        ("120", 120),
        ("018M", 1.5),
        ("104W", 1.993),
        ("013D", 0.0356),
    ],
)
def test_ages_are_read_in_years(text: str, age: float) -> None:
    assert years(text) == pytest.approx(age, rel=1e-3, abs=1e-9)
    assert not is_wrong(text)


@pytest.mark.parametrize("text", ["411", "121", "-3", "old", "5 8", "58,5", "1e1", "inf", "٥٨", "Y", "9" * 500, "148Y"])
def test_what_is_no_age_is_wrong_and_never_a_number(text: str) -> None:
    assert years(text) is None
    assert is_wrong(text)


@pytest.mark.parametrize("text", ["", " ", "nan", "NA", "n/a", "None", "unknown", "?"])
def test_an_unknown_age_is_not_wrong(text: str) -> None:
    assert years(text) is None
    assert not is_wrong(text)


def test_units_agree_at_a_birthday() -> None:
    for whole in (1, 18, OLDEST):
        assert years(f"{whole * 12}M") == years(f"{whole}Y") == whole
