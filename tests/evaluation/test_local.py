"""Fitting on local images: temperature and thresholds that help, and that stay where there is nothing to gain."""

import numpy as np
import pytest

from cxr_core.evaluation.calibration import calibrate
from cxr_core.evaluation.local import Local, LocalClasses, LocalFindings, Rule, fitted, moved, unchanged
from cxr_core.evaluation.thresholds import Rule as By
from cxr_core.hierarchy import Coherent, Hierarchy
from cxr_core.labels import Implied, targets

CLASSES = ("COVID19", "NORMAL", "PNEUMONIA")
IMPLIED = {"COVID19": ("PNEUMONIA",)}
FORMS: dict[str, Implied] = {"single": {}, "flat": IMPLIED, "coherent": Coherent(CLASSES, IMPLIED)}
NAMES = ("Edema", "No Finding", "Nodule")


def classes(form: str, n: int = 150, sure: float = 1.0, off: float = 0.0, seed: int = 0) -> LocalClasses:
    """Logits that tell the classes, ``sure`` times as much as they should, those of COVID19 ``off`` by so much."""
    rng = np.random.default_rng(seed)
    true = rng.integers(3, size=n)
    side = 2 * (targets(true, CLASSES, FORMS[form]).astype(np.float64) - 0.5)
    logits = sure * (1.2 * side + 1.2 * rng.normal(size=(n, 3)) + np.array([off, 0, 0]))
    return LocalClasses(logits, true, CLASSES, FORMS[form], np.arange(n) // 2)


def findings(n: int = 200, sure: float = 1.0, seed: int = 0) -> LocalFindings:
    rng = np.random.default_rng(seed)
    truth = rng.random((n, 3)) < 0.3
    logits = sure * (2.0 * (truth - 0.5) + 1.2 * rng.normal(size=(n, 3)))
    known = rng.random((n, 3)) < 0.9
    return LocalFindings(logits, truth & known, known, Hierarchy(NAMES, {}), By("f1"), np.arange(n) // 2)


def own(images: Local) -> Rule:
    """What a training chooses: where no shift is, nothing better is to be had."""
    temperature = images.temperature(1.0)
    if isinstance(images, LocalFindings) or (images.implied and not isinstance(images.implied, Coherent)):
        return Rule(temperature, images._best(temperature, (*CLASSES, *NAMES), 0))
    return Rule(temperature, {})


@pytest.mark.parametrize("form", FORMS)
def test_logits_that_are_too_sure_are_cooled(form: str) -> None:
    now = own(classes(form, n=1000))
    there = classes(form, sure=4, seed=1)
    then = fitted(there, now, CLASSES).rule
    assert then.temperature == pytest.approx(4 * now.temperature, rel=0.35)


def test_thresholds_are_taken_where_the_most_probable_class_is_no_longer_the_best() -> None:
    there = classes("single", off=-2.5, seed=1)
    then = fitted(there, own(classes("single")), CLASSES).rule
    assert set(then.thresholds) == set(CLASSES)
    judge = classes("single", n=1000, off=-2.5, seed=2)
    right = [(judge.decided(rule) == judge.true).mean() for rule in (Rule(then.temperature, {}), then)]
    assert right[1] > right[0] + 0.05


@pytest.mark.parametrize("form", ["single", "coherent"])
def test_without_a_shift_the_decisions_lose_next_to_nothing(form: str) -> None:
    """Over many sites: a threshold must earn its place."""
    now, judge = own(classes(form, n=2000)), classes(form, n=2000, seed=99)
    before = (judge.decided(now) == judge.true).mean()
    after = [
        (judge.decided(fitted(classes(form, n=60, seed=seed), now, CLASSES).rule) == judge.true).mean()
        for seed in range(1, 9)
    ]
    assert before - np.mean(after) < 0.02


def test_a_moved_threshold_calls_what_it_called() -> None:
    logits = np.random.default_rng(0).normal(size=(500, 3)) * 3
    now = Rule(1.7, {"COVID19": 0.23, "NORMAL": 0.5, "PNEUMONIA": 0.91})
    for temperature in (0.4, 1.0, 9.0):
        for k, name in enumerate(CLASSES):
            before = calibrate(logits, now.temperature, IMPLIED)[:, k] >= now.thresholds[name]
            after = calibrate(logits, temperature, IMPLIED)[:, k] >= moved(now, temperature)[name]
            assert (before == after).all()


def test_of_findings_those_of_too_few_images_keep_their_threshold() -> None:
    there = findings(sure=3)
    now = own(findings(n=1000, seed=5))
    found = fitted(there, now, ["Edema"])
    assert found.kept == ("Nodule",)
    assert found.rule.thresholds["Nodule"] == moved(now, found.rule.temperature)["Nodule"]
    assert found.rule.temperature > now.temperature


def test_the_same_seed_gives_the_same_and_the_order_of_the_labels_does_not_matter() -> None:
    there, now = classes("coherent", off=-2), Rule(1.0, {})
    assert fitted(there, now, CLASSES, 3) == fitted(there, now, CLASSES[::-1], 3)


def test_what_cannot_change_is_said() -> None:
    flat, single = classes("flat"), classes("single")
    assert "by construction" in unchanged(flat, Rule(1.0, {"NORMAL": 0.5}), Rule(2.0, {"NORMAL": 0.5}))[0]
    told = unchanged(single, Rule(1.0, {}), Rule(2.0, {}))
    assert len(told) == 1
    assert "no decision changes" in told[0]
    assert "ROC AUC is the same" in unchanged(findings(), Rule(1.0, {}), Rule(2.0, {"Edema": 0.4}))[0]
    part = unchanged(classes("coherent"), Rule(1.0, {}), Rule(2.0, {"COVID19": 0.4}))
    assert "NORMAL" not in part[0]
    assert "by PNEUMONIA" in part[0]
