"""Labels that imply others: coherent bit for bit, leaves that add up, decisions that a reader expects."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cxr_core.errors import ConfigError
from cxr_core.hierarchy import Coherent, Hierarchy

NAMES = ("COVID19", "NORMAL", "PNEUMONIA")
TREE = Hierarchy(NAMES, {"COVID19": ("PNEUMONIA",)})
# A chain of three, a sibling, a label with two generals that do not imply each other, and one apart.
WIDE_NAMES = ("a", "b", "c", "d", "e", "f", "healthy")
WIDE = Hierarchy(WIDE_NAMES, {"b": ("a",), "c": ("a", "b"), "d": ("a",), "f": ("a", "b", "e")})
SHARES = st.floats(0, 1, width=32)


def rows(k: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float32, st.tuples(st.integers(1, 5), st.just(k)), elements=SHARES)


@given(rows(7))
def test_a_specific_label_never_exceeds_a_general_one_in_float32(c: np.ndarray) -> None:
    p = WIDE.shown(c)
    assert p.dtype == np.float32
    for k, above in enumerate(WIDE.above):
        for general in above:
            assert (p[:, k] <= p[:, general]).all()
    wide = c.astype(np.float64)
    np.testing.assert_allclose(p[:, 5], wide[:, 0] * wide[:, 1] * wide[:, 4] * wide[:, 5], rtol=1e-5, atol=1e-37)
    np.testing.assert_allclose(p[:, 6], (1 - wide[:, 0]) * (1 - wide[:, 4]), rtol=1e-5, atol=1e-6)


@given(rows(7))
def test_the_way_back(c: np.ndarray) -> None:
    wide = c.astype(np.float64)
    p = WIDE.shown(wide)
    back = WIDE.conditional(p)
    assert ((back >= 0) & (back <= 1)).all()
    np.testing.assert_allclose(WIDE.shown(back), p, rtol=1e-12, atol=1e-300)
    # Where what a label implies is not there at all, nothing is known of the label.
    assert (back[p[:, 0] == 0][:, [1, 2, 3, 5]] == 0.5).all()
    likely = np.clip(wide, 0.01, 1)
    np.testing.assert_allclose(WIDE.conditional(WIDE.shown(likely))[:, :6], likely[:, :6], rtol=1e-12)


def test_what_is_no_number_stays_none() -> None:
    assert np.isnan(TREE.conditional(np.array([[np.nan, 0.5, np.nan]]))[0, [0, 2]]).all()


def test_a_coherent_mapping_is_one_even_where_nothing_is_implied() -> None:
    found = Coherent(NAMES, {"COVID19": ("PNEUMONIA",)})
    assert found == {"COVID19": ("PNEUMONIA",)}
    assert found.tree.names == NAMES
    alone = Coherent(NAMES, {})
    assert alone
    assert alone == {}


@given(rows(7))
def test_leaves_add_up_to_one(c: np.ndarray) -> None:
    for tree in (WIDE, Hierarchy(WIDE_NAMES[:6], {"b": ("a",), "c": ("a", "b")})):
        leaves = tree.leaves(tree.shown(c[:, : len(tree.names)]))
        assert (leaves >= 0).all()
        np.testing.assert_allclose(leaves.sum(axis=1), 1, rtol=1e-12)


@given(rows(3))
def test_the_notebooks_leaves(c: np.ndarray) -> None:
    p = TREE.shown(c).astype(np.float64)
    leaves = TREE.leaves(p)
    np.testing.assert_allclose(leaves[:, 1], 1 - p[:, 2], atol=1e-6)
    np.testing.assert_allclose(leaves[:, 0], p[:, 0], atol=1e-6)
    np.testing.assert_allclose(leaves[:, 2] + leaves[:, 0], p[:, 2], atol=1e-6)
    assert (TREE.decide(p, {}) == leaves.argmax(axis=1)).all()
    for row, decision in zip(p, TREE.decide(p, {}), strict=True):
        told = TREE.reason(row, int(decision), {})
        assert not told or (decision == 1 and "PNEUMONIA of any kind" in told)


@given(rows(7), st.permutations(range(7)))
def test_the_order_of_the_names_changes_nothing(c: np.ndarray, order: list[int]) -> None:
    names = [WIDE_NAMES[k] for k in order]
    implied = {"b": ("a",), "c": ("a", "b"), "d": ("a",), "f": ("a", "b", "e")}
    turned = Hierarchy(names, implied)
    np.testing.assert_allclose(turned.shown(c[:, order]), WIDE.shown(c)[:, order], rtol=1e-6, atol=1e-37)
    p = WIDE.shown(c.astype(np.float64))
    np.testing.assert_allclose(turned.leaves(p[:, order]), WIDE.leaves(p)[:, order], rtol=1e-9, atol=1e-15)


@given(rows(4))
def test_without_a_hierarchy_it_is_the_sigmoid(c: np.ndarray) -> None:
    flat = Hierarchy(("a", "b", "c", "d"), {})
    assert np.array_equal(flat.shown(c), c)
    alone = Hierarchy(("a",), {})
    assert np.array_equal(alone.shown(c[:, :1]), c[:, :1])
    assert (alone.leaves(c[:, :1]) == 1).all()


def test_each_is_learnt_where_its_general_label_is_there() -> None:
    nan = 0.0
    targets = np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0], [nan, 0, 1], [0, 0, 0.7]], dtype=np.float32)
    known = np.array([[1, 1, 1], [1, 1, 1], [1, 1, 1], [0, 1, 1], [1, 1, 1]], dtype=bool)
    learnt, learns = TREE.conditional_targets(targets, known)
    # COVID19 makes PNEUMONIA there though it was denied; NORMAL is never learnt; soft PNEUMONIA teaches no COVID19.
    assert learns.tolist() == [[1, 0, 1], [1, 0, 1], [0, 0, 1], [0, 0, 1], [0, 0, 1]]
    assert learnt[:, [0, 2]].tolist() == [[1, 1], [0, 1], [0, 0], [0, 1], [0, np.float32(0.7)]]


@given(arrays(np.float32, (4, 7), elements=st.sampled_from([0, 1])), arrays(bool, (4, 7)))
def test_what_follows_is_coherent_and_final(targets: np.ndarray, known: np.ndarray) -> None:
    targets = np.where(known, targets, 0).astype(np.float32)
    closed, sure = WIDE.closed(targets, known)
    assert (sure[known]).all()
    for k, above in enumerate(WIDE.above):
        there = sure[:, k] & (closed[:, k] == 1)
        for general in above:
            assert (sure[there, general] & (closed[there, general] == 1)).all()
    again, also = WIDE.closed(closed, sure)
    assert np.array_equal(again, closed)
    assert np.array_equal(also, sure)


def decided(c: list[float], thresholds: dict[str, float]) -> tuple[str, str]:
    row = TREE.shown(np.array([c]))[0]
    place = int(TREE.decide(row[None], thresholds)[0])
    return NAMES[place], TREE.reason(row, place, thresholds)


# Conditional COVID19, nothing, PNEUMONIA: COVID19 is shown with the product of the two.
CASES = [
    ([0.9, 0.5, 0.9], {}, "COVID19", ""),
    ([0.1, 0.5, 0.9], {}, "PNEUMONIA", ""),
    ([0.1, 0.5, 0.2], {}, "NORMAL", ""),
    (
        [0.55, 0.5, 0.58],
        {},
        "NORMAL",
        "NORMAL (42 %) is the most probable class; PNEUMONIA of any kind is 58 % (PNEUMONIA without COVID19 26 %, "
        "COVID19 32 %).",
    ),
    (
        [0.2, 0.5, 0.3],
        {"PNEUMONIA": 0.27},
        "PNEUMONIA",
        "NORMAL is more probable (70 %), but PNEUMONIA (30 %) reaches its threshold of 27 %.",
    ),
    (
        [0.8, 0.5, 0.3],
        {"COVID19": 0.2},
        "COVID19",
        "NORMAL is more probable (70 %), but COVID19 (24 %) reaches its threshold of 20 %.",
    ),
    # Nobody set one for COVID19: within PNEUMONIA the more probable kind.
    (
        [0.8, 0.5, 0.3],
        {"PNEUMONIA": 0.27},
        "COVID19",
        "NORMAL is more probable (70 %), but PNEUMONIA (30 %) reaches its threshold of 27 %.",
    ),
    (
        [0.9, 0.5, 0.9],
        {"COVID19": 0.9},
        "PNEUMONIA",
        "COVID19 is more probable (81 %), but does not reach its threshold of 90 %.",
    ),
    (
        [0.9, 0.5, 0.9],
        {"COVID19": 0.9, "PNEUMONIA": 0.5},
        "PNEUMONIA",
        "COVID19 is more probable (81 %), but does not reach its threshold of 90 %.",
    ),
    # The specific one reaches its own though the general one does not: it is what was asked for.
    (
        [0.9, 0.5, 0.4],
        {"COVID19": 0.3, "PNEUMONIA": 0.5},
        "COVID19",
        "NORMAL is more probable (60 %), but COVID19 (36 %) reaches its threshold of 30 %.",
    ),
]


@pytest.mark.parametrize(("c", "thresholds", "name", "told"), CASES)
def test_decisions_and_why(c: list[float], thresholds: dict[str, float], name: str, told: str) -> None:
    assert decided(c, thresholds) == (name, told)


def test_a_threshold_for_nothing_found_changes_nothing() -> None:
    p = TREE.shown(np.random.default_rng(0).random((200, 3)))
    assert (TREE.decide(p, {"NORMAL": 0.01}) == TREE.decide(p, {})).all()


def test_lower_thresholds_find_more() -> None:
    p = TREE.shown(np.random.default_rng(1).random((500, 3)))
    found = [int((TREE.decide(p, {"COVID19": t}) == 0).sum()) for t in (0.9, 0.5, 0.2, 0.0)]
    assert found == sorted(found)
    assert found[-1] == 500
    sick = [int((TREE.decide(p, {"PNEUMONIA": t}) != 1).sum()) for t in (0.9, 0.5, 0.2)]
    assert sick == [int((p[:, 2] >= t).sum()) for t in (0.9, 0.5, 0.2)]


@given(rows(7), st.dictionaries(st.sampled_from(WIDE_NAMES), SHARES))
def test_every_image_gets_a_decision_that_its_thresholds_allow(c: np.ndarray, thresholds: dict[str, float]) -> None:
    p = WIDE.shown(np.clip(c.astype(np.float64), 0.01, 0.99))
    decision = WIDE.decide(p, thresholds)
    for row, k in zip(p, decision, strict=True):
        fires = {j for j in range(6) if row[j] >= thresholds.get(WIDE_NAMES[j], 2)}
        if fires:
            # What fires is decided, or what is more specific.
            assert fires & {int(k), *WIDE.above[k]}
        elif k == 6 or WIDE_NAMES[k] not in thresholds:
            assert not {WIDE_NAMES[j] for j in WIDE.above[k]} & thresholds.keys()
        else:
            pytest.fail("a label was decided that does not reach its threshold")


@given(rows(7), st.dictionaries(st.sampled_from(WIDE_NAMES), SHARES))
def test_what_is_there_brings_what_it_implies(c: np.ndarray, thresholds: dict[str, float]) -> None:
    p = WIDE.shown(c)
    there = WIDE.present(p, thresholds)
    for k, name in enumerate(WIDE_NAMES[:6]):
        reached = p[:, [k, *WIDE.below[k]]] >= [thresholds.get(WIDE_NAMES[j], 0.5) for j in (k, *WIDE.below[k])]
        assert (there[:, k] == reached.any(axis=1)).all(), name
    assert (there[:, 6] == ~there[:, :6].any(axis=1)).all()


def test_what_makes_no_hierarchy_is_refused() -> None:
    with pytest.raises(ConfigError, match="NORMAL"):
        Hierarchy(NAMES, {"COVID19": ("NORMAL",)})
    with pytest.raises(ConfigError, match="not itself"):
        Hierarchy(("a", "b"), {"a": ("b",), "b": ("a",)})
    with pytest.raises(ConfigError, match="NORMAL and healthy"):
        Hierarchy(("NORMAL", "healthy", "a"), {}).leaves(np.full((1, 3), 0.5))
