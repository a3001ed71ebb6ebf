"""Matrices of labels by their laws: nothing is made up, every count adds up, No Finding is derived."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_core import findings
from cxr_core.errors import ConfigError, DatasetError
from cxr_core.findings import Policy, contradictions, effect, means_none, none_of_them, present, resolved

NAMES = ["No Finding", "Edema", "Pneumonia", "Support Devices"]
NAN = float("nan")
CELLS = st.sampled_from([1.0, 0.0, -1.0, NAN])
MATRICES = st.lists(st.lists(CELLS, min_size=4, max_size=4), min_size=1, max_size=12).map(
    lambda rows: np.array(rows, dtype=np.float32)
)
POLICIES = [
    Policy.model_validate({"uncertain": uncertain, "blank": blank})
    for uncertain, blank in product(("unknown", "1", "0", "soft"), ("0", "unknown"))
]


@pytest.mark.parametrize(
    "name",
    ["NORMAL", "normal", "No Finding", "No_Finding", "no finding", "healthy", "negative", "Negative for Pneumonia"],
)
def test_spellings_of_none(name: str) -> None:
    assert means_none(name)
    assert not findings.learnt([name])


@pytest.mark.parametrize(
    "name", ["No Lung Opacity / Not Normal", "Pneumonia", "abnormal", "Nodule", "sick", "positive"]
)
def test_what_is_a_finding(name: str) -> None:
    assert not means_none(name)
    assert not findings.is_device(name)


def test_devices() -> None:
    assert all(map(findings.is_device, ["Support Devices", "NSG tube", "pacemaker", "central venous catheter"]))
    assert findings.decisive(NAMES) == [1, 2]


@given(MATRICES, st.sampled_from(POLICIES))
def test_what_was_said_stays_and_the_rest_follows_the_policy(values: np.ndarray, policy: Policy) -> None:
    targets, known = resolved(values, NAMES, policy)
    assert targets.dtype == np.float32
    assert not np.isnan(targets).any()
    assert (targets[~known] == 0).all()
    expected = {"unknown": (0, False), "1": (1, True), "0": (0, True), "soft": (np.float32(0.7), True)}[
        policy.uncertain
    ]
    for row, k in product(range(len(values)), (1, 2, 3)):
        value, got = values[row, k], (targets[row, k], known[row, k])
        if value in (0, 1):
            assert got == (value, True)
        elif value == -1:
            assert got == expected
        elif values[row, 0] == 1 and k != 3:
            assert got == (0, True)
        else:
            assert got == (0, policy.blank == "0")
    # No Finding: yes exactly where every finding is known to be absent, no where one is there, else not known.
    for row in range(len(values)):
        there = [bool(known[row, k] and targets[row, k] == 1) for k in (1, 2)]
        gone = [bool(known[row, k] and targets[row, k] == 0) for k in (1, 2)]
        assert known[row, 0] == (any(there) or all(gone))
        assert targets[row, 0] == all(gone)
    target, sure = none_of_them(targets, known, NAMES)
    assert (target == targets[:, 0]).all()
    assert (sure == known[:, 0]).all()


@given(MATRICES, st.sampled_from(POLICIES))
def test_counts_add_up_and_are_those_of_the_targets(values: np.ndarray, policy: Policy) -> None:
    targets, known = resolved(values, NAMES, policy)
    for k, (name, counts) in enumerate(effect(values, NAMES, policy).items()):
        assert name == NAMES[k]
        assert counts.yes + counts.no + counts.uncertain + counts.blank + counts.shares == len(values)
        assert counts.ones + counts.zeros + counts.soft + counts.unknown == len(values)
        assert counts.ones == int((targets[known[:, k], k] == 1).sum())
        assert counts.unknown == int((~known[:, k]).sum())


def test_one_finding_has_a_policy_of_its_own() -> None:
    values = np.array([[NAN, -1, -1, NAN], [NAN, NAN, NAN, NAN]], dtype=np.float32)
    policy = Policy.model_validate({"uncertain_of": {"Edema": "1"}, "blank_of": {"Pneumonia": "unknown"}})
    targets, known = resolved(values, NAMES, policy)
    assert targets[0, 1:3].tolist() == [1, 0]
    assert known.tolist() == [[True, True, False, True], [False, True, False, True]]
    assert Policy.model_validate_json(policy.model_dump_json()) == policy
    assert hash(policy) == hash(Policy(uncertain_of=(("Edema", "1"),), blank_of=(("Pneumonia", "unknown"),)))
    judged = resolved(values, NAMES, policy.for_judging())[1]
    assert not judged[0, 1:3].any()


def test_shares_of_readers_are_soft_targets() -> None:
    values = np.array([[NAN, 1 / 3, 1, 0]], dtype=np.float32)
    targets, known = resolved(values, NAMES, Policy())
    assert targets[0, 1] == np.float32(1 / 3)
    assert known.all()
    assert effect(values, NAMES, Policy())["Edema"].soft == 1


def test_contradictions_are_counted_and_said() -> None:
    values = np.array(
        [[1, 1, 0, 0], [1, -1, 0, 0], [1, 0, NAN, 1], [0, 0, 0, 1], [0, 1, 0, 0], [1, 1, -1, 0]], dtype=np.float32
    )
    (found,) = contradictions(values, NAMES)
    assert (found.said, found.beside_present, found.beside_uncertain, found.nothing_named) == (4, 2, 1, 1)
    assert found.findings == {"Edema": 2}
    assert str(found).startswith("2 of 4 images with No Finding have a finding all the same; 1 of 4 have an uncertain")
    (clean,) = contradictions(values[2:3], NAMES)
    assert not clean.any
    assert not str(clean)
    assert contradictions(values[:, 1:], NAMES[1:]) == []


def test_wrong_values_and_names_are_told() -> None:
    with pytest.raises(DatasetError, match=r"1 of 2 images have another, such as 3 for Edema"):
        resolved(np.array([[0, 3, 0, 0], [0, 0, 0, 0]], dtype=np.float32), NAMES, Policy())
    for name in ("Oedema", "No Finding"):
        with pytest.raises(ConfigError, match=name):
            resolved(np.zeros((1, 4), dtype=np.float32), NAMES, Policy(uncertain_of=((name, "1"),)))


def test_a_finding_is_present_from_its_threshold_on() -> None:
    probabilities = np.array([[0.9, 0.5, 0.1, 0.0], [0.1, 0.49, 0.2, 0.9], [0.0, 0.0, 0.3, 0.0]])
    fires = present(probabilities, NAMES, {"Pneumonia": 0.3, "No Finding": 0.0})
    assert fires.tolist() == [
        [False, True, False, False],
        [True, False, False, True],
        [False, False, True, False],
    ]
    assert findings.none_reached(NAMES) == "None of the 3 findings reaches its threshold."
