"""Splits over findings: whole patients, every finding alike in each split, the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_core.data.stratified import stratified
from cxr_core.errors import ConfigError, DatasetError

FRACTIONS = {"train": 0.7, "val": 0.1, "test": 0.2}
PREVALENCE = np.array([0.01, 0.03, 0.08, 0.2, 0.4])


def sample(n: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Findings that go with the patient, as they do, from 1 % to 40 %; some of them not known."""
    rng = np.random.default_rng(seed)
    patient = rng.integers(0, n // 2, n)
    tendency = rng.random((n // 2, 5)) < PREVALENCE * 1.2
    targets = (tendency[patient] & (rng.random((n, 5)) < 0.85)).astype(np.float32)
    return targets, rng.random((n, 5)) < 0.9, [f"p{k}" for k in patient]


def unevenness(split: np.ndarray, targets: np.ndarray, known: np.ndarray) -> tuple[float, float]:
    """How far the images of each finding in each split are from their share: in chance's own measure (the square root
    of the share), root mean square; and the largest distance in images.
    """
    there = known & (targets >= 0.5)
    wanted = np.outer(list(FRACTIONS.values()), there.sum(axis=0))
    off = np.array([there[split == name].sum(axis=0) for name in FRACTIONS]) - wanted
    return float(np.sqrt((off**2 / wanted).mean())), float(np.abs(off).max())


@pytest.mark.parametrize("seed", range(3))
def test_every_finding_is_as_frequent_in_each_split(seed: int) -> None:
    targets, known, patients = sample(seed=seed)
    split = stratified(targets, known, patients, FRACTIONS, seed)
    for name, fraction in FRACTIONS.items():
        assert (split == name).mean() == pytest.approx(fraction, abs=0.01)
    rng, names = np.random.default_rng(seed), sorted(set(patients))
    random = []
    for _ in range(20):
        of = dict(zip(names, rng.choice(list(FRACTIONS), len(names), p=[0.7, 0.1, 0.2]), strict=True))
        random.append(unevenness(np.array([of[name] for name in patients]), targets, known)[0])
    ours, images = unevenness(split, targets, known)
    assert ours < 0.5 * min(random)
    assert ours < 0.25 * float(np.median(random))
    # A patient has some images, and they cannot be parted.
    assert images < 6


def test_patients_stay_whole() -> None:
    targets, known, patients = sample()
    split = stratified(targets, known, patients, FRACTIONS, 0)
    assert all(len(set(split[np.array(patients) == name])) == 1 for name in set(patients[:300]))


def test_the_order_of_rows_and_findings_changes_nothing() -> None:
    targets, known, patients = sample(600)
    split = stratified(targets, known, patients, FRACTIONS, 0)
    order = np.random.default_rng(1).permutation(600)
    turned = stratified(targets[order], known[order], [patients[k] for k in order], FRACTIONS, 0)
    assert (turned == split[order]).all()
    assert (stratified(targets, known, patients, FRACTIONS, 0) == split).all()
    assert (stratified(targets, known, patients, FRACTIONS, 1) != split).any()


@given(st.integers(3, 40), st.integers(0, 4), st.integers(0, 99))
def test_every_image_gets_a_split(n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    targets, known = (rng.random((n, k)) < 0.5).astype(np.float32), rng.random((n, k)) < 0.5
    split = stratified(targets, known, [f"i{row}" for row in range(n)], FRACTIONS, seed)
    assert set(split) <= set(FRACTIONS)
    assert len(split) == n


def test_a_rare_finding_is_dealt_out_by_share() -> None:
    targets = np.zeros((100, 2), dtype=np.float32)
    targets[:10, 0], targets[5:55, 1] = 1, 1
    split = stratified(targets, targets < 2, [f"i{row}" for row in range(100)], FRACTIONS, 0)
    assert [int((split[:10] == name).sum()) for name in FRACTIONS] == [7, 1, 2]
    assert [int((split[5:55] == name).sum()) for name in FRACTIONS] == [35, 5, 10]
    assert [int((split == name).sum()) for name in FRACTIONS] == [70, 10, 20]


def test_what_cannot_be_split_is_told() -> None:
    targets, known, patients = sample(50)
    with pytest.raises(ConfigError, match="add up to 1"):
        stratified(targets, known, patients, {"train": 0.7, "test": 0.2}, 0)
    with pytest.raises(DatasetError, match="at least 3 patients"):
        stratified(targets, known, ["p"] * 50, FRACTIONS, 0)
