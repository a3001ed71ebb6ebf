"""What stands first beside a score, on counts that a reader can check."""

import numpy as np
from scipy.stats import binomtest

from cxr_core.evaluation.balance import few, recalls, unjudged
from cxr_core.evaluation.intervals import bootstrap
from cxr_core.evaluation.metrics import report

CLASSES = ["COVID19", "NORMAL", "PNEUMONIA"]


def of(true: list[int], decided: list[int], groups: list[str] | None = None) -> dict[str, object]:
    p = np.eye(3)[decided]
    return {
        **report(true, p, decided, CLASSES, {}),
        "ci": bootstrap(true, p, decided, CLASSES, {}, groups, resamples=50),
    }


def test_few_images_are_named_with_what_they_leave_open() -> None:
    found = of([0] * 107 + [1] * 3 + [2] * 2, [0] * 93 + [1] * 14 + [0] * 5)
    assert recalls(found) == "COVID19 93 of 107, NORMAL 0 of 3 (few), PNEUMONIA 0 of 2 (few)"
    assert few(found) == {"NORMAL": 3, "PNEUMONIA": 2}
    high = binomtest(0, 3).proportion_ci().high
    assert unjudged(found)[0] == (
        f"NORMAL has only 3 images, too few to judge: its recall may be anything from 0.00 to {high:.2f}."
    )
    assert unjudged({**found, "ci": None}) == unjudged(found)


def test_enough_images_need_no_word_and_none_cannot_be_judged() -> None:
    assert unjudged(of([0] * 10 + [1] * 10 + [2] * 10, [0] * 30)) == []
    said = unjudged(of([0] * 10 + [1] * 10, [0] * 20))
    assert said == ["PNEUMONIA cannot be judged: there is no image of it here, and the averages leave it out."]
    assert recalls(of([0] * 10 + [1] * 10, [0] * 20)).endswith("PNEUMONIA 0 of 0")


def test_many_images_of_few_patients_are_few() -> None:
    patients = [f"a{k}" for k in range(10)] + [f"b{k}" for k in range(10)] + [f"c{k // 6}" for k in range(12)]
    found = of([0] * 10 + [1] * 10 + [2] * 12, [0] * 10 + [1] * 10 + [2] * 12, patients)
    assert few(found) == {"PNEUMONIA": 2}
    assert unjudged(found)[0].startswith("PNEUMONIA has only 12 images of 2 patients, too few to judge")
