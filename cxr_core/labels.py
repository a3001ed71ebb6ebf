"""What a class name means to the network: targets, thresholds and the decision.

Three readings. *Single*: the classes exclude each other (softmax, the most probable class wins). *Coherent*: a class
may imply others, as COVID19 implies PNEUMONIA; each is learnt where what it implies is there, none exceeds what it
implies, and the most probable leaf wins (``cxr_core.hierarchy``). *Flat*, as in the 2020 notebook and in older runs:
every class is a label of its own (sigmoid). There the labels do not compete: each has a threshold, and the most
specific label that reaches its threshold is the decision.

``implied`` is a mapping ``{class: (classes that it implies, ...)}``: empty means single, a ``Coherent`` one coherent,
any other flat.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cxr_core.errors import ConfigError, RunError
from cxr_core.figures import of, percent
from cxr_core.findings import means_none
from cxr_core.hierarchy import Coherent

Implied = Mapping[str, tuple[str, ...]]

COVID_IMPLIES_PNEUMONIA = {"COVID19": ("PNEUMONIA",)}
NO_FINDING_NAMES = ("NORMAL", "NO FINDING", "NO_FINDING", "HEALTHY")


def indices(labels: Iterable[str], classes: Sequence[str]) -> NDArray[np.int64]:
    """The place of each label among ``classes``, (N,). Raises RunError where one is none of them."""
    places = {name: k for k, name in enumerate(classes)}
    given = list(labels)
    unknown = [label for label in given if label not in places]
    if unknown:
        raise RunError(
            f"Expected the labels {', '.join(classes)}; {of(len(unknown), len(given))} images have another, such as "
            f"{unknown[0]!r}. Restore the table that they stand in, or train again."
        )
    return np.array([places[label] for label in given], dtype=np.int64)


def parse_labels(labels: str, classes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The implied labels that ``labels`` names.

    ``single``: none. ``covid-implies-pneumonia``: COVID19 implies PNEUMONIA. ``auto``: the latter where both classes
    exist, else none. ``A>B,C>D``: written out (A implies B, C implies D).

    Raises ConfigError where a named class is not among ``classes``, or where classes imply each other in a circle.
    """
    if labels == "single":
        return {}
    if labels == "auto":
        return dict(COVID_IMPLIES_PNEUMONIA) if {"COVID19", "PNEUMONIA"} <= set(classes) else {}
    pairs = [("COVID19", "PNEUMONIA")] if labels == "covid-implies-pneumonia" else read_pairs(labels)
    unknown = sorted({name for pair in pairs for name in pair} - set(classes))
    if unknown:
        raise ConfigError(
            f"labels = {labels} needs the class {', '.join(unknown)}; this data set has {', '.join(classes)}. "
            "Choose labels = single, or a data set with these classes."
        )
    direct: dict[str, set[str]] = {}
    for specific, general in pairs:
        direct.setdefault(specific, set()).add(general)
    return {name: tuple(sorted(_closure(name, direct, labels))) for name in sorted(direct)}


def read_pairs(labels: str) -> list[tuple[str, str]]:
    """``A>B,C>D`` as pairs of names. Raises ConfigError for any other form."""
    pairs = []
    for part in labels.split(","):
        names = [name.strip() for name in part.split(">")]
        if len(names) != 2 or not all(names):
            raise ConfigError(
                "labels: expected auto, single, covid-implies-pneumonia, or pairs such as "
                f"'COVID19>PNEUMONIA' (the first implies the second); got {labels!r}."
            )
        pairs.append((names[0], names[1]))
    return pairs


def _closure(name: str, direct: Mapping[str, set[str]], labels: str) -> set[str]:
    found: set[str] = set()
    waiting = list(direct[name])
    while waiting:
        general = waiting.pop()
        if general == name:
            raise ConfigError(f"labels = {labels}: {name} implies itself. Remove one of the pairs.")
        if general not in found:
            found.add(general)
            waiting.extend(direct.get(general, ()))
    return found


def no_finding_class(classes: Sequence[str]) -> str | None:
    """The class that means that nothing was found (NORMAL and its usual spellings), or None."""
    return next((name for name in classes if name.upper() in NO_FINDING_NAMES), None)


def thresholded(classes: Sequence[str], implied: Implied) -> set[str]:
    """The classes whose threshold can move a decision: with labels, what means none of the findings has none."""
    if not implied:
        return set(classes)
    if isinstance(implied, Coherent):
        return {name for name in classes if not means_none(name)}
    return set(classes) - {no_finding_class(classes) or ""}


def targets(label_index: NDArray[np.integer], classes: Sequence[str], implied: Implied) -> NDArray[np.float32]:
    """Rows of zeros and ones, (N, K) float32: the image's class and every class it implies."""
    meaning = np.eye(len(classes), dtype=np.float32)
    for specific, generals in implied.items():
        for general in generals:
            meaning[list(classes).index(specific), list(classes).index(general)] = 1
    return meaning[np.asarray(label_index, dtype=np.intp)]


def decide(
    probabilities: NDArray[np.floating], classes: Sequence[str], implied: Implied, thresholds: Mapping[str, float]
) -> NDArray[np.intp]:
    """Index of the decided class for each row of ``probabilities`` (N, K), each in 0 to 1.

    Single: the most probable class, or, where ``thresholds`` are given, the one furthest above (or least below) its
    threshold in log-odds. Coherent: as ``Hierarchy.decide``. Flat: among the findings whose probability reaches their
    threshold the most specific one (of two equally specific ones, the further above its threshold, in log-odds); the
    no-finding class when none does, or, in a data set without one, the label nearest to its threshold.
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if isinstance(implied, Coherent):
        return implied.tree.decide(probabilities, thresholds)
    limits = np.array([thresholds.get(name, 0.5) for name in classes])
    margin = _log_odds(probabilities) - _log_odds(limits)
    if not implied:
        best: NDArray[np.intp] = np.argmax(margin if thresholds else probabilities, axis=1)
        return best
    fires = probabilities >= limits
    specificity = np.array([len(implied.get(name, ())) for name in classes], dtype=np.float64)
    normal = no_finding_class(classes)
    if normal is not None:
        fires[:, list(classes).index(normal)] = False
    # The margin is squeezed into 0..1, so it orders labels of one specificity and never outweighs specificity.
    rank = np.where(fires, 1 + specificity + 0.5 * (1 + np.tanh(margin / 20)), 0)
    decision: NDArray[np.intp] = np.argmax(rank, axis=1)
    nothing = ~fires.any(axis=1)
    decision[nothing] = list(classes).index(normal) if normal is not None else margin[nothing].argmax(axis=1)
    return decision


def _log_odds(probability: NDArray[np.floating]) -> NDArray[np.float64]:
    clipped: NDArray[np.float64] = np.clip(probability, 1e-7, 1 - 1e-7, dtype=np.float64)
    return np.log(clipped) - np.log1p(-clipped)


def choose_thresholds(
    true: NDArray[np.integer], probabilities: NDArray[np.floating], classes: Sequence[str], implied: Implied
) -> dict[str, float]:
    """Per label the threshold with the highest F1 on these images: call it with the validation split only.

    F1 of the label against its own truth (an image of a class that implies the label counts as positive). Where a
    range of thresholds is equally good, its middle. 0.5 where no image carries the label, or all do. Single labels
    have no thresholds, nor have coherent ones unless a person chooses some: an empty mapping.

    ``true``: class indices (N,). ``probabilities``: (N, K), 0 to 1.
    """
    if not implied or isinstance(implied, Coherent):
        return {}
    truth = targets(true, classes, implied).astype(bool)
    return {name: _best_f1_threshold(truth[:, k], probabilities[:, k]) for k, name in enumerate(classes)}


def f1_by_rank(
    truth: NDArray[np.bool_], probability: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The probabilities from the highest down, and the F1 of calling each and all above it, -1 where no threshold does
    that: one can only stand between two different probabilities. Both (N,); one image at least is a positive.
    """
    order = np.argsort(-probability, kind="stable")
    ranked = probability[order].astype(np.float64)
    true_positives = np.cumsum(truth[order])
    f1 = 2 * true_positives / (np.arange(1, len(ranked) + 1) + true_positives[-1])
    ends = np.append(ranked[1:] < ranked[:-1], True)
    return ranked, np.where(ends, f1, -1)


def _best_f1_threshold(truth: NDArray[np.bool_], probability: NDArray[np.floating]) -> float:
    positives = int(truth.sum())
    if positives in (0, len(truth)):
        return 0.5
    ranked, f1 = f1_by_rank(truth, probability)
    best = int(np.argmax(f1))
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    # Between two neighbouring floats there is no middle, and the lower one must not reach the threshold.
    return float(min(ranked[best], max((ranked[best] + below) / 2, np.nextafter(below, 1))))


def rule_text(classes: Sequence[str], implied: Implied, thresholds: Mapping[str, float] | None = None) -> str:
    """One sentence that says how probabilities become a decision."""
    if not implied:
        return "The class furthest above its threshold." if thresholds else "The most probable class."
    if isinstance(implied, Coherent):
        return _coherent_text(implied, thresholded(classes, implied) & (thresholds or {}).keys())
    normal = no_finding_class(classes)
    if thresholds:
        return _flat_text([name for name in classes if name != normal], normal, implied, thresholds)
    otherwise = f"{normal} when none does" if normal else "the label nearest to its threshold when none does"
    return f"The most specific label that reaches its threshold, {otherwise} ({_pairs(implied)})."


def _flat_text(names: Sequence[str], normal: str | None, implied: Implied, thresholds: Mapping[str, float]) -> str:
    """``COVID19 from 19.1 % on; else PNEUMONIA from 27.2 % on; else NORMAL (COVID19 implies PNEUMONIA).``"""
    steps = []
    for depth in sorted({len(implied.get(name, ())) for name in names}, reverse=True):
        level = [name for name in names if len(implied.get(name, ())) == depth]
        said = " or ".join(f"{name} from {percent(thresholds.get(name, 0.5), digits=1)} on" for name in level)
        steps.append(f"{said}{', whichever is further above' if len(level) > 1 else ''}")
    return f"{'; else '.join([*steps, normal or 'the label nearest to its threshold'])} ({_pairs(implied)})."


def _coherent_text(implied: Coherent, limited: Iterable[str]) -> str:
    *leaves, last = implied.tree.leaf_names()
    likeliest = f"the most probable of {', '.join(leaves)} and {last}, which add up to 1 ({_pairs(implied)})."
    named = [f"{implied.tree.kinds(name)} where {name} reaches its threshold" for name in sorted(limited)]
    if not named:
        return f"{likeliest[0].upper()}{likeliest[1:]}"
    return f"{', '.join(named)}, and not below it; else {likeliest}"


def _pairs(implied: Implied) -> str:
    return "; ".join(f"{name} implies {' and '.join(generals)}" for name, generals in implied.items())
