"""What is read first of a run's figures: each class by itself, their mean, and what could not be judged.

    recalls(report)         # "COVID19 93 of 107, NORMAL 0 of 3 (few), PNEUMONIA 0 of 2 (few)"
    unjudged(report)        # a sentence for each class of fewer than ten images, or of none

Accuracy alone is led by the commonest class: who calls every image COVID19 has 107 of 112 right. ``report`` is what
``metrics.report`` gives, with ``ci`` or without, or a row of ``by_source``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cxr_core import figures
from cxr_core.evaluation.rare import FEW, clopper_pearson


def counted(report: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Class -> (images decided rightly, images); finding -> (images with it that are called, images with it)."""
    if "confusion" not in report:
        return {name: (int(there[1]), int(sum(there))) for name, (_, there) in report["one_vs_rest"].items()}
    rows = zip(report["classes"], report["confusion"], strict=True)
    return {name: (int(row[k]), int(sum(row))) for k, (name, row) in enumerate(rows)}


def right_of(report: Mapping[str, Any]) -> str:
    """``171 of 220``: images decided rightly, in any report with a confusion matrix."""
    return right_in(report["confusion"])


def right_in(confusion: Sequence[Sequence[int]]) -> str:
    """The same of a confusion matrix alone."""
    return figures.of(sum(row[k] for k, row in enumerate(confusion)), sum(map(sum, confusion)))


def right(report: Mapping[str, Any]) -> int:
    """How many images were decided rightly."""
    return int(sum(row[k] for k, row in enumerate(report["confusion"])))


def few(report: Mapping[str, Any]) -> dict[str, int]:
    """Class or finding -> its patients (images, where none is known), where these are fewer than ten."""
    units = {name: images for name, (_, images) in counted(report).items()}
    if "confusion" in report:
        units |= (report.get("ci") or {}).get("few", {})
    else:
        units = {name: figures["patients"] for name, figures in report["per_class"].items()}
    return {name: count for name, count in units.items() if count < FEW}


def recalls(report: Mapping[str, Any]) -> str:
    """The recall of each class as counts; a class of few images is marked."""
    rare = few(report)
    return ", ".join(
        f"{name} {figures.of(found, images)}{' (few)' if name in rare and images else ''}"
        for name, (found, images) in counted(report).items()
    )


def unjudged(report: Mapping[str, Any]) -> list[str]:
    """A sentence for each class that these images cannot judge; none where there are enough of all."""
    said = []
    for name, units in few(report).items():
        found, images = counted(report)[name]
        if not images:
            said.append(f"{name} cannot be judged: there is no image of it here, and the averages leave it out.")
            continue
        of_few = figures.counted(images, "image")
        if units < images:
            of_few += f" of {figures.counted(units, 'patient')}"
        anything = figures.interval(clopper_pearson(found / images * units, units), 2)
        said.append(f"{name} has only {of_few}, too few to judge: its recall may be anything from {anything}.")
    return said
