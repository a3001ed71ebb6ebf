"""What is read first of a run's figures: each class by itself, their mean, and what could not be judged.

    recalls(report)         # "COVID19 93 of 107, NORMAL 0 of 3 (few), PNEUMONIA 0 of 2 (few)"
    unjudged(report)        # a sentence for each class of fewer than ten images, or of none

Accuracy alone is led by the commonest class: who calls every image COVID19 has 107 of 112 right. ``report`` is what
``metrics.report`` gives, with ``ci`` or without, or a row of ``by_source``.
"""

from collections.abc import Mapping
from typing import Any

from cxr_core.evaluation.rare import FEW, clopper_pearson


def counted(report: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Class -> (images decided rightly, images)."""
    rows = zip(report["classes"], report["confusion"], strict=True)
    return {name: (int(row[k]), int(sum(row))) for k, (name, row) in enumerate(rows)}


def few(report: Mapping[str, Any]) -> dict[str, int]:
    """Class -> its patients (images, where none is known), where these are fewer than ten."""
    units = {name: images for name, (_, images) in counted(report).items()}
    units |= (report.get("ci") or {}).get("few", {})
    return {name: count for name, count in units.items() if count < FEW}


def recalls(report: Mapping[str, Any]) -> str:
    """The recall of each class as counts; a class of few images is marked."""
    rare = few(report)
    return ", ".join(
        f"{name} {right:,} of {images:,}{' (few)' if name in rare and images else ''}"
        for name, (right, images) in counted(report).items()
    )


def unjudged(report: Mapping[str, Any]) -> list[str]:
    """A sentence for each class that these images cannot judge; none where there are enough of all."""
    said = []
    for name, units in few(report).items():
        right, images = counted(report)[name]
        if not images:
            said.append(f"{name} cannot be judged: there is no image of it here, and the averages leave it out.")
            continue
        low, high = clopper_pearson(right / images * units, units)
        of_few = "1 image" if images == 1 else f"{images:,} images"
        if units < images:
            of_few += f" of {'1 patient' if units == 1 else f'{units} patients'}"
        said.append(
            f"{name} has only {of_few}, too few to judge: its recall may be anything from {low:.2f} to {high:.2f}."
        )
    return said
