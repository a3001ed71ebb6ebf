"""A temperature and thresholds for the images of one place, and whether they are better there: numbers alone.

::

    images = LocalClasses(logits, true, classes, implied, units)      # or LocalFindings
    chosen = fitted(images.part(fit), now, classes)                   # now: the run's own Rule(temperature, thresholds)
    images.part(judged).answers(chosen.rule)                          # for ``before_after.compared``

Fitted as training does it on its validation split (``calibration``, ``thresholds``), on few images: so thresholds are
bagged, and what could chase noise must earn its place in cross-validation within the half that is fitted. The
temperature is only taken where it lowers the Brier score on images that it was not fitted on, by more than one standard
error (the rule of Breiman et al. 1984), and thresholds where they do better there than the run's own (or than the most
probable class, where the run has none): by macro F1, of a finding by what its thresholds are chosen by. What stays is
moved with the temperature, so that it calls what it called before; so it is for a label whose images are too few.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cxr_core.evaluation.before_after import Answers
from cxr_core.evaluation.calibration import calibrate, fit_temperature
from cxr_core.evaluation.known_temperature import fit_known_temperature
from cxr_core.evaluation.metrics import confusion_matrix, label_truth, summary
from cxr_core.evaluation.thresholds import Rule as By
from cxr_core.evaluation.thresholds import choose
from cxr_core.hierarchy import Coherent, Hierarchy
from cxr_core.labels import Implied, decide, thresholded

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
FOLDS = 5


@dataclass(frozen=True)
class Rule:
    """What turns logits into decisions: they are divided by the temperature, and thresholds decide."""

    temperature: float
    thresholds: Mapping[str, float]


@dataclass(frozen=True)
class Fitted:
    """``kept``: labels whose threshold is the run's own, moved with the temperature."""

    rule: Rule
    kept: tuple[str, ...] = ()


def moved(now: Rule, temperature: float) -> dict[str, float]:
    """The thresholds that call at ``temperature`` what these called before: exact for a label that implies no other."""
    found = {}
    for name, limit in now.thresholds.items():
        logit = (np.log(limit) - np.log1p(-limit)) * now.temperature / temperature
        found[name] = float(np.clip(1 / (1 + np.exp(-logit)), 1e-12, 1 - 1e-12))
    return found


@dataclass(frozen=True)
class LocalClasses:
    """Images of classes that exclude each other: logits (N, K), ``true`` (N,) class indices."""

    logits: Floats
    true: NDArray[np.intp]
    classes: Sequence[str]
    implied: Implied
    units: NDArray[np.intp]

    def part(self, rows: NDArray[np.intp]) -> "LocalClasses":
        return LocalClasses(self.logits[rows], self.true[rows], self.classes, self.implied, self.units[rows])

    def temperature(self, now: float) -> float:
        """The best one on these images; ``now`` where no temperature is best."""
        found = fit_temperature(self.logits, self.true, self.classes, self.implied)
        # 1 stands for: none is best.
        return now if found == 1 else found

    def chosen(self, now: Rule, temperature: float, of: Collection[str], seed: int) -> dict[str, float]:
        """The best thresholds on these images at this temperature, of these labels; none where they do not help."""
        return self._best(temperature, of, seed) if self._earned(now, temperature, of, seed) else {}

    def probabilities(self, temperature: float) -> Floats:
        return calibrate(self.logits, temperature, self.implied)

    def decided(self, rule: Rule) -> NDArray[np.intp]:
        return decide(self.probabilities(rule.temperature), self.classes, self.implied, rule.thresholds)

    def answers(self, rule: Rule) -> Answers:
        """What the rule says of these images."""
        truth, scores = label_truth(self.true, self.probabilities(rule.temperature), self.classes, self.implied)
        eye = np.eye(len(self.classes), dtype=bool)
        called = eye[self.decided(rule)]
        return Answers(truth, np.ones_like(truth), eye[self.true], called, scores, True, competing=not self.implied)

    def order_kept(self) -> list[str] | None:
        """The labels by which no temperature changes the order of the images; None for all of them."""
        if isinstance(self.implied, Coherent):
            return _order_kept(self.implied.tree)
        # Of two classes each is one less the other; of three they share a sum.
        return None if self.implied or len(self.classes) == 2 else []

    def decides_alike(self) -> bool:
        """Whether no temperature changes a decision without thresholds."""
        return not self.implied

    def _best(self, temperature: float, of: Collection[str], seed: int) -> dict[str, float]:
        truth, scores = label_truth(self.true, self.probabilities(temperature), self.classes, self.implied)
        # Flat labels have one for each, also for what means none of them, as the training gives it.
        moving = thresholded(self.classes, self.implied) if isinstance(self.implied, Coherent) else set(self.classes)
        columns = [k for k, name in enumerate(self.classes) if name in of and name in moving]
        names = [self.classes[k] for k in columns]
        found = choose(truth[:, columns], np.ones_like(truth[:, columns]), scores[:, columns], names, By("f1"), seed)
        return {name: best.threshold for name, best in found.items()}

    def _earned(self, now: Rule, temperature: float, of: Collection[str], seed: int) -> bool:
        """Whether thresholds, chosen on the other folds, decide better than the run does."""
        plain = self.decided(Rule(temperature, moved(now, temperature)))
        better = np.empty_like(plain)
        for rest, here in _folds(self.units, seed):
            chosen = self.part(rest)._best(temperature, of, seed)
            better[here] = self.part(here).decided(Rule(temperature, chosen))
        return self._macro_f1(better) > self._macro_f1(plain)

    def _macro_f1(self, decided: NDArray[np.intp]) -> float:
        return float(summary(confusion_matrix(self.true, decided, len(self.classes)), self.classes)["macro_f1"])


@dataclass(frozen=True)
class LocalFindings:
    """Images with any number of findings: logits, ``truth`` and ``known`` are (N, K) over all names of ``tree``, as
    ``Hierarchy.judged`` gives them; ``by``: how thresholds are chosen.
    """

    logits: Floats
    truth: Bools
    known: Bools
    tree: Hierarchy
    by: By
    units: NDArray[np.intp]

    @property
    def columns(self) -> list[int]:
        """Places of the findings."""
        return sorted(self.tree.learnt)

    def part(self, rows: NDArray[np.intp]) -> "LocalFindings":
        parts = (self.logits[rows], self.truth[rows], self.known[rows])
        return LocalFindings(*parts, self.tree, self.by, self.units[rows])

    def temperature(self, now: float) -> float:
        learns = self.tree.conditional_targets(self.truth.astype(np.float32), self.known)
        found = fit_known_temperature(self.logits, *learns)
        return now if found == 1 else found

    def chosen(self, now: Rule, temperature: float, of: Collection[str], seed: int) -> dict[str, float]:
        best = self._best(temperature, of, seed)
        if self.by.by == "sensitivity":
            # A wanted sensitivity is taken at its word, here as in training.
            return best
        scores, carried = self.tree.probabilities(self.logits, temperature), moved(now, temperature)
        called = {name: np.empty(len(scores), dtype=bool) for name in best}
        for rest, here in _folds(self.units, seed):
            for name, limit in self.part(rest)._best(temperature, of, seed).items():
                called[name][here] = scores[here, self.tree.names.index(name)] >= limit
        plain = {name: scores[:, self.tree.names.index(name)] >= carried.get(name, 0.5) for name in best}
        return {name: best[name] for name in best if self._worth(name, called[name]) > self._worth(name, plain[name])}

    def _best(self, temperature: float, of: Collection[str], seed: int) -> dict[str, float]:
        columns = [k for k in self.columns if self.tree.names[k] in of]
        names = [self.tree.names[k] for k in columns]
        scores = self.tree.probabilities(self.logits, temperature)
        found = choose(self.truth[:, columns], self.known[:, columns], scores[:, columns], names, self.by, seed)
        return {name: best.threshold for name, best in found.items()}

    def _worth(self, name: str, called: Bools) -> float:
        """What the run's thresholds are chosen by: F1, or Youden's J."""
        k = self.tree.names.index(name)
        truth, says = self.truth[self.known[:, k], k], called[self.known[:, k]]
        right = float((truth & says).sum())
        if self.by.by == "f1":
            return 2 * right / max(float(truth.sum() + says.sum()), 1.0)
        return right / max(float(truth.sum()), 1.0) - float((says & ~truth).sum()) / max(float((~truth).sum()), 1.0)

    def answers(self, rule: Rule) -> Answers:
        scores = self.tree.probabilities(self.logits, rule.temperature)
        called = self.tree.present(scores, rule.thresholds)
        truth, known = self.truth[:, self.columns], self.known[:, self.columns]
        return Answers(truth, known, truth, called[:, self.columns], scores[:, self.columns], exclusive=False)

    def order_kept(self) -> list[str] | None:
        return _order_kept(self.tree)

    def decides_alike(self) -> bool:
        return False


Local = LocalClasses | LocalFindings


def fitted(images: Local, now: Rule, of: Collection[str], seed: int = 0) -> Fitted:
    """Temperature and thresholds for these images; ``of``: the labels of which there are enough. The same seed gives
    the same.
    """
    temperature = images.temperature(now.temperature) if _calibrates(images, now, seed) else now.temperature
    carried, chosen = moved(now, temperature), images.chosen(now, temperature, of, seed)
    kept = tuple(name for name in carried if name not in chosen)
    return Fitted(Rule(temperature, {**carried, **chosen}), kept)


def _calibrates(images: Local, now: Rule, seed: int) -> bool:
    """Whether a temperature that was fitted on the other folds lowers the Brier score, by more than one standard error
    over the units.
    """
    plain = images.answers(now)
    probabilities = plain.probabilities.copy()
    for rest, here in _folds(images.units, seed):
        temperature = images.part(rest).temperature(now.temperature)
        probabilities[here] = images.part(here).answers(Rule(temperature, {})).probabilities
    gains = _squared(plain) - _squared(replace(plain, probabilities=probabilities))
    of_units = np.bincount(np.unique(images.units, return_inverse=True)[1], gains)
    return bool(of_units.sum() > np.sqrt(len(of_units)) * of_units.std())


def _squared(answers: Answers) -> Floats:
    """What each image adds to the mean Brier score of the labels, (N,)."""
    known = answers.known
    squared = np.where(known, (answers.probabilities - answers.truth) ** 2, 0)
    shares: Floats = (squared / np.maximum(known.sum(axis=0), 1)).sum(axis=1)
    return shares


def _folds(units: NDArray[np.intp], seed: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Rows of all folds but one, and of that one; of units, so that no patient is in two."""
    names, unit = np.unique(units, return_inverse=True)
    fold = (np.random.default_rng(seed).permutation(len(names)) % FOLDS)[unit]
    for k in np.unique(fold):
        yield np.flatnonzero(fold != k), np.flatnonzero(fold == k)


def unchanged(images: Local, now: Rule, then: Rule) -> list[str]:
    """What another temperature cannot change of these images' figures, a sentence each."""
    told = []
    alone = images.order_kept()
    if alone is None:
        told.append(
            "A temperature keeps the order of the images by each label: ROC AUC is the same before and after, by "
            "construction."
        )
    elif alone:
        told.append(
            f"A temperature keeps the order of the images by {' and '.join(alone)}, so their ROC AUC is the same by "
            "construction; that of the others may move a little."
        )
    if now.temperature == then.temperature:
        told.append(
            "The run's temperature stays: another one did not help in cross-validation within the half that was fitted."
        )
    if now.temperature == then.temperature and dict(now.thresholds) == dict(then.thresholds):
        told.append("So the profile is the run's own rule: it changes nothing.")
    elif not now.thresholds and not then.thresholds:
        same = " So no decision changes: recall, specificity and F1 are the same by construction."
        told.append(
            "Thresholds did not help in cross-validation within the half that was fitted: the most probable class "
            f"decides, as before.{same if images.decides_alike() else ''}"
        )
    return told


def _order_kept(tree: Hierarchy) -> list[str] | None:
    """A label that implies others is shown as a product, whose order a temperature may change."""
    if not any(tree.above):
        return None
    return [tree.names[k] for k in sorted(tree.learnt) if not tree.above[k]]
