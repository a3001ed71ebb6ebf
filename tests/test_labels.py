"""Classes -> targets, probabilities -> decision, validation -> thresholds."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_core.errors import ConfigError, RunError
from cxr_core.hierarchy import Coherent
from cxr_core.labels import (
    choose_thresholds,
    decide,
    indices,
    no_finding_class,
    parse_labels,
    rule_text,
    targets,
    thresholded,
)

CLASSES = ["COVID19", "NORMAL", "PNEUMONIA"]
IMPLIED = {"COVID19": ("PNEUMONIA",)}
COHERENT = Coherent(CLASSES, IMPLIED)
HALF = dict.fromkeys(CLASSES, 0.5)
COVID, NORMAL, PNEUMONIA = range(3)

# Neighbouring floats, repeats and both ends, besides anything in between.
probabilities = st.one_of(
    st.floats(0, 1), st.sampled_from([0.0, 5e-324, 0.25, 0.5, np.nextafter(0.5, 1), 1 - 2**-52, 1 - 2**-53, 1.0])
)


def one(row: Sequence[float], thresholds: dict[str, float] = HALF) -> int:
    return int(decide(np.array([row]), CLASSES, IMPLIED, thresholds)[0])


def test_a_label_has_its_place_among_the_classes() -> None:
    found = indices(["NORMAL", "COVID19", "NORMAL"], CLASSES)
    assert found.tolist() == [NORMAL, COVID, NORMAL]
    assert found.dtype == np.int64
    assert indices([], CLASSES).tolist() == []


@pytest.mark.parametrize("other", ["covid19", "", float("nan")])
def test_a_label_that_is_none_of_the_classes_is_refused(other: str) -> None:
    with pytest.raises(RunError, match=r"Expected the labels COVID19, NORMAL, PNEUMONIA; 2 of 3 images"):
        indices(["NORMAL", other, other], CLASSES)


def test_auto_implies_only_where_both_classes_exist() -> None:
    assert parse_labels("auto", CLASSES) == IMPLIED
    assert parse_labels("auto", ["NORMAL", "PNEUMONIA"]) == {}
    assert parse_labels("auto", ["COVID19", "NORMAL"]) == {}


def test_named_readings() -> None:
    assert parse_labels("single", CLASSES) == {}
    assert parse_labels("covid-implies-pneumonia", CLASSES) == IMPLIED
    assert parse_labels("COVID19>PNEUMONIA", CLASSES) == IMPLIED
    assert parse_labels(" COVID19 > PNEUMONIA ", CLASSES) == IMPLIED


def test_implication_is_carried_through_a_chain() -> None:
    classes = ["BACTERIAL", "LOBAR", "NORMAL", "PNEUMONIA", "SEPSIS"]
    implied = parse_labels("LOBAR>BACTERIAL,BACTERIAL>PNEUMONIA,LOBAR>SEPSIS", classes)
    assert implied == {"BACTERIAL": ("PNEUMONIA",), "LOBAR": ("BACTERIAL", "PNEUMONIA", "SEPSIS")}


@pytest.mark.parametrize("labels", ["A>B,B>A", "A>A", "A>B,B>C,C>A"])
def test_circles_are_refused(labels: str) -> None:
    with pytest.raises(ConfigError, match="implies itself"):
        parse_labels(labels, ["A", "B", "C"])


@pytest.mark.parametrize("labels", ["", "A", "A>", ">B", "A>B>C", "A>B,", "A,B", "multi"])
def test_unreadable_pairs_say_what_is_expected(labels: str) -> None:
    with pytest.raises(ConfigError, match="expected auto, single, covid-implies-pneumonia, or pairs") as caught:
        parse_labels(labels, ["A", "B", "C"])
    assert repr(labels) in str(caught.value)


def test_unknown_classes_are_named() -> None:
    with pytest.raises(ConfigError, match="needs the class PNEUMONIA; this data set has COVID19, NORMAL"):
        parse_labels("covid-implies-pneumonia", ["COVID19", "NORMAL"])
    with pytest.raises(ConfigError, match="needs the class FLU, RSV"):
        parse_labels("RSV>FLU", CLASSES)


def test_targets_hold_the_class_and_what_it_implies() -> None:
    rows = targets(np.array([COVID, NORMAL, PNEUMONIA]), CLASSES, IMPLIED)
    assert rows.dtype == np.float32
    assert rows.tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]
    assert targets(np.array([2, 0]), CLASSES, {}).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert targets(np.array([], dtype=int), CLASSES, IMPLIED).shape == (0, 3)


@pytest.mark.parametrize("name", ["NORMAL", "normal", "No finding", "no_finding", "Healthy"])
def test_no_finding_is_known_by_its_usual_names(name: str) -> None:
    assert no_finding_class(["EFFUSION", name]) == name
    assert no_finding_class(["EFFUSION", "ABNORMAL"]) is None


def test_a_more_probable_general_label_does_not_beat_the_specific_one() -> None:
    """The notebook's third defect: argmax between COVID19 and the PNEUMONIA it implies."""
    assert one([0.9, 0.05, 0.95]) == COVID


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([0.1, 0.1, 0.6], PNEUMONIA),
        ([0.1, 0.1, 0.1], NORMAL),  # nothing fires
        ([0.49, 0.99, 0.49], NORMAL),
        ([0.1, 0.99, 0.5], PNEUMONIA),  # no finding never outweighs a finding that fires
        ([0.5, 0.0, 0.0], COVID),  # a threshold is reached, not only passed
        ([1.0, 1.0, 1.0], COVID),
        ([0.0, 0.0, 0.0], NORMAL),
    ],
)
def test_hierarchy(row: list[float], expected: int) -> None:
    assert one(row) == expected


def test_each_label_has_its_own_threshold() -> None:
    thresholds = {"COVID19": 0.2, "NORMAL": 0.5, "PNEUMONIA": 0.8}
    assert one([0.25, 0.9, 0.1], thresholds) == COVID
    assert one([0.1, 0.1, 0.79], thresholds) == NORMAL
    assert one([0.1, 0.1, 0.81], thresholds) == PNEUMONIA
    assert one([0.1, 0.1, 0.6], {}) == PNEUMONIA  # 0.5 where none was chosen


def test_between_equals_the_further_above_its_threshold_wins() -> None:
    classes, implied = ["A", "B", "G", "NORMAL"], {"A": ("G",), "B": ("G",)}
    thresholds = {"A": 0.1, "B": 0.6, "G": 0.5, "NORMAL": 0.5}
    rows = np.array([[0.7, 0.7, 0.9, 0.1], [0.11, 0.9, 0.9, 0.1]])
    assert decide(rows, classes, implied, thresholds).tolist() == [0, 1]


def test_the_longest_chain_is_the_most_specific() -> None:
    classes = ["A", "B", "C", "NORMAL"]
    implied = parse_labels("C>B,B>A", classes)
    rows = np.array([[0.99, 0.99, 0.51, 0], [0.99, 0.51, 0.49, 0], [0.51, 0.49, 0.49, 0], [0, 0, 0.51, 0]])
    assert decide(rows, classes, implied, dict.fromkeys(classes, 0.5)).tolist() == [2, 1, 0, 2]


def test_without_a_no_finding_class_the_nearest_label_is_taken() -> None:
    classes, implied = ["A", "B", "C"], {"A": ("B",)}
    thresholds = {"A": 0.9, "B": 0.9, "C": 0.2}
    rows = np.array([[0.6, 0.5, 0.01], [0.1, 0.1, 0.15], [0.1, 0.95, 0.1]])
    assert decide(rows, classes, implied, thresholds).tolist() == [0, 2, 1]


def test_single_labels_take_the_most_probable() -> None:
    rows = np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]], dtype=np.float32)
    assert decide(rows, CLASSES, {}, {}).tolist() == [1, 0]
    assert decide(np.empty((0, 3)), CLASSES, {}, {}).shape == (0,)
    assert decide(np.empty((0, 3)), CLASSES, IMPLIED, HALF).shape == (0,)


def test_single_labels_with_thresholds_take_the_furthest_above_its_own() -> None:
    rows = np.array([[0.2, 0.5, 0.3], [0.01, 0.5, 0.49]])
    assert decide(rows, CLASSES, {}, {"COVID19": 0.1}).tolist() == [COVID, NORMAL]
    assert decide(rows, CLASSES, {}, HALF).tolist() == decide(rows, CLASSES, {}, {}).tolist()


@given(st.lists(st.tuples(*[probabilities] * 6), min_size=1, max_size=8))
def test_decision_is_the_rule_read_aloud(rows: list[tuple[float, ...]]) -> None:
    """Against a plain reading: COVID19 if it fires, else PNEUMONIA if it fires, else NORMAL."""
    for *row, covid, normal, pneumonia in rows:
        thresholds = dict(zip(CLASSES, (covid, normal, pneumonia), strict=True))
        expected = COVID if row[0] >= covid else PNEUMONIA if row[2] >= pneumonia else NORMAL
        assert one(row, thresholds) == expected


def test_coherent_labels_take_the_most_probable_leaf() -> None:
    rows = np.array([[0.2, 0.3, 0.7], [0.3, 0.45, 0.55], [0.6, 0.3, 0.7]])
    assert decide(rows, CLASSES, COHERENT, {}).tolist() == [PNEUMONIA, NORMAL, COVID]
    assert decide(rows, CLASSES, COHERENT, {"NORMAL": 0.001}).tolist() == [PNEUMONIA, NORMAL, COVID]
    assert decide(rows, CLASSES, COHERENT, {"PNEUMONIA": 0.6}).tolist() == [PNEUMONIA, NORMAL, COVID]
    assert decide(rows, CLASSES, COHERENT, {"PNEUMONIA": 0.55}).tolist() == [PNEUMONIA, COVID, COVID]
    assert decide(rows, CLASSES, COHERENT, {"COVID19": 0.2}).tolist() == [COVID, COVID, COVID]
    assert decide(np.empty((0, 3)), CLASSES, COHERENT, {}).shape == (0,)
    assert choose_thresholds(np.array([0, 1, 2]), rows, CLASSES, COHERENT) == {}


def test_what_means_none_of_the_findings_has_no_threshold() -> None:
    assert thresholded(CLASSES, {}) == set(CLASSES)
    assert thresholded(CLASSES, IMPLIED) == thresholded(CLASSES, COHERENT) == {"COVID19", "PNEUMONIA"}
    # An older run decides by its labels as it always did.
    names = ["COVID19", "PNEUMONIA", "negative"]
    assert thresholded(names, IMPLIED) == set(names)
    assert thresholded(names, Coherent(names, IMPLIED)) == {"COVID19", "PNEUMONIA"}


def f1_at(truth: np.ndarray, probability: np.ndarray, threshold: float) -> float:
    fires = probability >= threshold
    return float(2 * (fires & truth).sum() / (fires.sum() + truth.sum()))


@given(st.lists(st.tuples(st.integers(0, 2), probabilities, probabilities, probabilities), min_size=1, max_size=20))
def test_no_threshold_has_a_higher_f1(rows: list[tuple[int, float, float, float]]) -> None:
    true, scores = np.array([row[0] for row in rows]), np.array([row[1:] for row in rows])
    chosen = choose_thresholds(true, scores, CLASSES, IMPLIED)
    truth = targets(true, CLASSES, IMPLIED).astype(bool)
    assert list(chosen) == CLASSES
    for k, name in enumerate(CLASSES):
        if truth[:, k].all() or not truth[:, k].any():
            assert chosen[name] == 0.5
        else:
            # Every outcome that any threshold can have is had by one of the probabilities themselves.
            best = max(f1_at(truth[:, k], scores[:, k], candidate) for candidate in scores[:, k])
            assert f1_at(truth[:, k], scores[:, k], chosen[name]) == best


def test_threshold_is_the_middle_of_an_equally_good_range() -> None:
    scores = np.array([[0.9, 0.0, 0.9], [0.7, 0.0, 0.8], [0.3, 0.9, 0.2], [0.1, 0.8, 0.1]])
    chosen = choose_thresholds(np.array([COVID, COVID, NORMAL, NORMAL]), scores, CLASSES, IMPLIED)
    assert chosen == {"COVID19": 0.5, "NORMAL": 0.4, "PNEUMONIA": 0.5}


def test_thresholds_from_single_precision_probabilities() -> None:
    scores = np.array([[0.6, 0, 0], [0.5, 0, 0]], dtype=np.float32)
    threshold = choose_thresholds(np.array([COVID, NORMAL]), scores, CLASSES, IMPLIED)["COVID19"]
    assert 0.5 < threshold < np.float32(0.6)


def test_single_labels_have_no_thresholds() -> None:
    assert choose_thresholds(np.array([0, 1]), np.eye(3)[:2], CLASSES, {}) == {}


def test_rule_in_words() -> None:
    assert rule_text(CLASSES, {}) == "The most probable class."
    text = rule_text(CLASSES, IMPLIED)
    assert "NORMAL when none does" in text
    assert "COVID19 implies PNEUMONIA" in text
    assert "nearest to its threshold" in rule_text(["A", "B"], {"A": ("B",)})
    limits = {"COVID19": 0.19, "NORMAL": 0.5, "PNEUMONIA": 0.27}
    assert rule_text(CLASSES, IMPLIED, limits) == (
        "COVID19 from 19.0 % on; else PNEUMONIA from 27.0 % on; else NORMAL (COVID19 implies PNEUMONIA)."
    )
    equals = {"A": ("C",), "B": ("C",)}
    assert rule_text(["A", "B", "C"], equals, dict.fromkeys("ABC", 0.25)).startswith(
        "A from 25.0 % on or B from 25.0 % on, whichever is further above; else C from 25.0 % on; else "
    )


def test_the_coherent_rule_in_words() -> None:
    plain = (
        "he most probable of COVID19, NORMAL and PNEUMONIA without COVID19, which add up to 1 (COVID19 implies "
        "PNEUMONIA)."
    )
    assert rule_text(CLASSES, COHERENT) == rule_text(CLASSES, COHERENT, {"NORMAL": 0.3}) == f"T{plain}"
    assert rule_text(CLASSES, COHERENT, {"PNEUMONIA": 0.3, "COVID19": 0.2}) == (
        "COVID19 where COVID19 reaches its threshold, PNEUMONIA or COVID19 where PNEUMONIA reaches its threshold, and "
        f"not below it; else t{plain}"
    )


def test_certain_labels_are_still_held_against_their_thresholds() -> None:
    """A sigmoid in single precision reaches 1: the log-odds stay finite, and the lower threshold is further below."""
    classes = ["A", "B", "C"]
    certain = np.array([[1.0, 1.0, 0.2]])
    assert decide(certain, classes, {}, {"A": 0.8, "B": 0.2, "C": 0.5}).tolist() == [1]
    assert decide(certain, classes, {"A": ("C",), "B": ("C",)}, {"A": 0.8, "B": 0.2, "C": 0.5}).tolist() == [1]
    never = np.array([[0.0, 0.0, 0.0]])
    assert decide(never, classes, {}, {"A": 0.2, "B": 0.8, "C": 0.1}).tolist() == [2]


def test_where_every_image_is_to_be_found_the_threshold_is_half_of_the_lowest() -> None:
    """F1 at three found images is 4/5, at one 2/3: the range from 0 to 0.6 is the best."""
    found = choose_thresholds(np.array([0, 1, 0]), np.array([[0.9, 0], [0.8, 0], [0.6, 0]]), ["A", "B"], {"A": ("B",)})
    assert found["A"] == pytest.approx(0.3)
