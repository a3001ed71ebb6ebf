"""Names of findings: whole names match, by rules that are told, and nothing matches twice."""

from hypothesis import given
from hypothesis import strategies as st

from cxr_core.matching import SAME, SIGNS, SPELLING, matched

CHEXPERT = ["No Finding", "Lung Opacity", "Lung Lesion", "Pleural Effusion", "Pleural Other", "Support Devices"]
NIH = ["Effusion", "Pleural_Thickening", "No Finding", "Mass", "Infiltration"]
VINDR = ["Pleural effusion", "Pleural thickening", "Lung Opacity", "Other lesion", "Infiltration", "No finding"]


def test_the_sets_of_the_field() -> None:
    assert [tuple(match) for match in matched(CHEXPERT, VINDR)] == [
        ("Lung Opacity", "Lung Opacity", SAME),
        ("Pleural Effusion", "Pleural effusion", SIGNS),
    ]
    assert [tuple(match) for match in matched(NIH, VINDR)] == [
        ("Effusion", "Pleural effusion", SPELLING),
        ("Pleural_Thickening", "Pleural thickening", SIGNS),
        ("Infiltration", "Infiltration", SAME),
    ]


def test_parts_of_names_match_nothing() -> None:
    assert matched(["Lesion", "Mass", "Fracture"], ["Lung Lesion", "Nodule/Mass", "Rib fracture"]) == []


def test_what_is_not_clear_is_not_matched() -> None:
    assert matched(["Effusion"], ["Pleural effusion", "pleural-effusion"]) == []
    assert [match.theirs for match in matched(["Effusion"], ["Effusion", "Pleural effusion"])] == ["Effusion"]


@given(
    st.lists(st.sampled_from(NIH + VINDR + CHEXPERT), unique=True), st.lists(st.sampled_from(NIH + VINDR), unique=True)
)
def test_it_is_the_same_both_ways_and_nothing_twice(ours: list[str], theirs: list[str]) -> None:
    found = matched(ours, theirs)
    assert len({match.ours for match in found}) == len({match.theirs for match in found}) == len(found)
    assert {(match.theirs, match.ours, match.rule) for match in matched(theirs, ours)} == set(map(tuple, found))


def test_every_name_is_its_own() -> None:
    assert [tuple(match) for match in matched(NIH, NIH)] == [(name, name, SAME) for name in NIH if name != "No Finding"]
