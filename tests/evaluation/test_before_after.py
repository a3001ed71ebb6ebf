"""Before and after on the same images: definitions as elsewhere, differences with intervals by patient."""

import numpy as np
import pytest

from cxr_core.evaluation.before_after import OVERALL, PER_LABEL, Answers, BeforeAfter, compared, verdict
from cxr_core.evaluation.calibration import brier, calibrate, ece
from cxr_core.evaluation.findings import judged
from cxr_core.evaluation.local import LocalClasses, Rule, fitted
from cxr_core.evaluation.metrics import report
from cxr_core.hierarchy import Coherent
from cxr_core.labels import Implied
from tests.evaluation.test_local import CLASSES, IMPLIED, classes, findings, own

FORMS: list[Implied] = [{}, IMPLIED, Coherent(CLASSES, IMPLIED)]
LIMITS = {"COVID19": 0.4, "NORMAL": 0.5, "PNEUMONIA": 0.3}


def change(images: LocalClasses, before: Rule, after: Rule, **given: int) -> BeforeAfter:
    groups = [f"p{unit}" for unit in images.units]
    return compared(CLASSES, images.answers(before), images.answers(after), groups, **given)


@pytest.mark.parametrize("form", ["single", "flat", "coherent"])
def test_figures_are_those_of_a_report(form: str) -> None:
    images = classes(form, n=120)
    for rule in (Rule(1.3, {}), Rule(0.6, LIMITS)):
        found = change(images, rule, rule, resamples=50)
        probabilities = calibrate(images.logits, rule.temperature, images.implied)
        whole = report(images.true, probabilities, images.decided(rule), CLASSES, images.implied)
        assert found.overall["macro_f1"].after == pytest.approx(whole["macro_f1"])
        assert found.overall["balanced_accuracy"].after == pytest.approx(whole["balanced_accuracy"])
        assert found.overall["ece"].after == pytest.approx(ece(probabilities, images.true, CLASSES, images.implied))
        assert found.overall["brier"].after == pytest.approx(brier(probabilities, images.true, CLASSES, images.implied))
        for name in CLASSES:
            for figure in ("recall", "specificity", "f1", "roc_auc"):
                assert found.per_class[name][figure].after == pytest.approx(whole["per_class"][name][figure])


def test_figures_of_findings_are_those_of_findings() -> None:
    images, rule = findings(), Rule(1.4, {"Edema": 0.4, "Nodule": 0.6})
    answers = images.answers(rule)
    names = ["Edema", "Nodule"]
    found = compared(names, answers, answers, resamples=50)
    expected = judged(answers.truth, answers.known, answers.probabilities, names, rule.thresholds, resamples=50)
    for row in expected.findings:
        for figure, called in (("recall", "sensitivity"), ("specificity", "specificity"), ("brier", "brier")):
            assert found.per_class[row.name][figure].after == pytest.approx(row.figures[called].value)
    assert found.overall["macro_roc_auc"].after == pytest.approx(expected.macro_roc_auc.value)


def test_the_same_rule_changes_nothing_and_is_not_better() -> None:
    images = classes("coherent")
    found = change(images, Rule(1.0, {}), Rule(1.0, {}), resamples=200)
    changes = [found.overall[name] for name in OVERALL]
    changes += [figures[name] for figures in found.per_class.values() for name in PER_LABEL]
    assert all(row.difference == 0 and row.ci == [0, 0] and not row.is_sure for row in changes)
    said = verdict(found, "macro_f1")
    assert not said.better
    assert said.sentence.startswith("Nothing got better for certain")


@pytest.mark.parametrize("form", ["flat", "coherent"])
def test_a_temperature_leaves_the_ranking_of_what_is_no_product(form: str) -> None:
    found = change(classes(form, sure=3), Rule(1.0, {}), Rule(3.3, {}), resamples=50)
    for name in ("PNEUMONIA",) if form == "coherent" else CLASSES:
        assert found.per_class[name]["roc_auc"].difference == 0


def test_better_and_worse_are_told_apart() -> None:
    images = classes("single", n=400, sure=5)
    cooled = change(images, Rule(0.6, {}), Rule(3.0, {}), resamples=400)
    heated = change(images, Rule(3.0, {}), Rule(0.6, {}), resamples=400)
    assert verdict(cooled, "macro_f1").better
    assert verdict(cooled, "macro_f1").sentence.startswith("It is better here.")
    assert verdict(heated, "macro_f1").sentence.startswith("It is worse here.")
    drop, rise = cooled.overall["brier"], heated.overall["brier"]
    assert drop.difference is not None
    assert drop.ci is not None
    assert drop.ci[0] < drop.difference < drop.ci[1] < 0
    assert rise.difference == -drop.difference


def test_without_a_shift_worse_is_said_no_more_often_than_the_intervals_allow() -> None:
    """Fitted on 50 images and judged on 50 others, where the run's rule is right already: 2.5 % a figure."""
    worse = []
    for form in ("single", "flat", "coherent"):
        now = own(classes(form, n=2000, seed=50))
        for seed in range(1, 7):
            there = classes(form, n=100, seed=seed)
            fit, judge = (there.part(np.arange(start, start + 50)) for start in (0, 50))
            then = fitted(fit, now, CLASSES, seed).rule
            worse.append(not_better(change(judge, now, then, resamples=200)))
    assert sum(worse) <= 1, worse


def not_better(found: BeforeAfter) -> bool:
    return verdict(found, "macro_f1").sentence.startswith(("It is worse", "One got"))


def test_images_of_one_patient_count_as_one() -> None:
    """Each image five times over: as many images, no more that is known."""
    one = classes("single", n=60)
    rows = np.repeat(np.arange(60), 5)
    many = LocalClasses(one.logits[rows], one.true[rows], CLASSES, {}, one.units[rows])
    first, second = (change(images, Rule(1.0, {}), Rule(2.0, {}), resamples=300) for images in (one, many))
    assert second.units == first.units
    assert second.overall["brier"].ci == pytest.approx(first.overall["brier"].ci)


def test_a_label_of_few_patients_is_named_and_its_interval_is_not_too_sure() -> None:
    truth = np.zeros((40, 2), dtype=bool)
    truth[:4, 0] = truth[4:, 1] = True
    answers = Answers(truth, np.ones_like(truth), truth, truth, np.where(truth, 0.9, 0.1), exclusive=True)
    found = compared(("A", "B"), answers, answers, resamples=100)
    assert found.few == {"A": 4, "B": 4}
    ends = found.per_class["A"]["recall"].after_ci
    assert ends is not None
    assert ends[0] < 0.5
