"""Labels that imply others, coherent by construction: a specific label never exceeds the general one.

::

    implied = Coherent(("COVID19", "NORMAL", "PNEUMONIA"), {"COVID19": ("PNEUMONIA",)})
    tree = implied.tree
    targets, known = tree.conditional_targets(targets, known)    # what the network learns
    p = tree.shown(sigmoid(logits))                              # what is shown
    tree.decide(p, thresholds={})                                # exclusive classes: the most probable leaf

The network gives the probability of each label *where all that it implies is there*; it learns it from such images
alone, and what is shown is the product along the path (Chen et al. 2019, "Deep Hierarchical Multi-label Classification
of Chest X-ray Images", MIDL; 2020, Medical Image Analysis 66). Without a hierarchy that is the plain sigmoid.

Where the classes of a data set exclude each other, an image belongs to one *leaf*: NORMAL, PNEUMONIA without COVID19,
COVID19. Their probabilities add up to one. Where labels have a threshold (an operating point), a label that reaches its
own is decided, or what is more specific, and one that does not is ruled out.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_core.errors import ConfigError
from cxr_core.figures import percent
from cxr_core.findings import Bools, Policy, learnt, means_none, present, resolved
from cxr_core.findings import Floats as Targets

Floats = NDArray[np.floating]


class Hierarchy:
    """``names`` of K labels, and what each implies, with all that follows (``labels.parse_labels``). Raises ConfigError
    where labels imply one another in a circle, or where one implies, or is implied by, that there is no finding.
    """

    def __init__(self, names: Sequence[str], implied: Mapping[str, tuple[str, ...]]) -> None:
        self.names = tuple(names)
        place = {name: k for k, name in enumerate(self.names)}
        wrong = sorted(name for pair in implied.items() for name in (pair[0], *pair[1]) if name not in place)
        if wrong:
            raise ConfigError(f"labels: expected names among {', '.join(self.names)}; got {wrong[0]}. Correct it.")
        # Everything that a label implies, itself not among it.
        self.above: tuple[frozenset[int], ...] = tuple(
            frozenset(place[general] for general in implied.get(name, ())) for name in self.names
        )
        for k, above in enumerate(self.above):
            if k in above or any(not self.above[general] <= above for general in above):
                raise ConfigError(f"labels: {self.names[k]} must imply all that follows, and not itself. Correct it.")
            if above and any(means_none(self.names[j]) for j in (k, *above)):
                raise ConfigError(
                    f"labels: {self.names[k]} implies {', '.join(self.names[j] for j in sorted(above))}; what means "
                    "that there is no finding neither implies nor is implied. Remove the pair."
                )
        self.below = tuple(
            frozenset(k for k in range(len(self.names)) if j in self.above[k]) for j in range(len(self.names))
        )

    @cached_property
    def learnt(self) -> list[int]:
        """Places of the labels that the network learns, the general before the specific."""
        return sorted(learnt(self.names), key=lambda k: (len(self.above[k]), k))

    @cached_property
    def none(self) -> int | None:
        """The place of the label that means none of the findings. Raises ConfigError where there are two."""
        found = [k for k, name in enumerate(self.names) if means_none(name)]
        if len(found) > 1:
            raise ConfigError(
                f"Expected one class without a finding, got {' and '.join(self.names[k] for k in found)}. Join them."
            )
        return found[0] if found else None

    def check_exclusive(self) -> None:
        """Raises ConfigError where no class of an image can be decided: see ``none``."""
        _ = self.none

    def closed(self, targets: Targets, known: Bools) -> tuple[Targets, Bools]:
        """What follows: a specific label that is there makes the general one there, whatever was said of that; a
        general one that is not there then makes what is more specific not there. Both (N, K).
        """
        targets, known = targets.copy(), known.copy()
        for k in reversed(self.learnt):
            there = known[:, k] & (targets[:, k] == 1)
            for general in self.above[k]:
                targets[there, general], known[there, general] = 1, True
        for k in self.learnt:
            for general in self.above[k]:
                gone = known[:, general] & (targets[:, general] == 0)
                targets[gone, k], known[gone, k] = 0, True
        return targets, known

    def conditional_targets(self, targets: Targets, known: Bools) -> tuple[Targets, Bools]:
        """What the network learns, (N, K) each: the closed targets, known only where all that a label implies is there
        for certain. What means none of the findings is never known: it is not learnt.
        """
        targets, known = self.closed(targets, known)
        there = known & (targets == 1)
        learns = np.zeros_like(known)
        for k in self.learnt:
            learns[:, k] = known[:, k] & there[:, list(self.above[k])].all(axis=1)
        return np.where(learns, targets, 0).astype(np.float32), learns

    def judged(self, values: Targets, policy: Policy) -> tuple[Bools, Bools]:
        """What an answer is judged by, (N, K) each: whether a label is there and whether that is certain, of labels as
        they came. What is uncertain is judged by nothing, whatever training makes of it; of several readers the most.
        """
        targets, known = self.closed(*resolved(values, self.names, policy.for_judging()))
        return (targets > 0.5) & known, known

    def probabilities(self, logits: Floats, temperature: float) -> NDArray[np.float64]:
        """What is ``shown`` of logits (N, K) of the conditional probabilities, at a temperature above 0."""
        scaled = np.asarray(logits, dtype=np.float64) / temperature
        found: NDArray[np.float64] = self.shown(np.exp(-np.logaddexp(0, -scaled))).astype(np.float64)
        return found

    def shown(self, conditional: Floats) -> Floats:
        """The probability of each label, (N, K) of the dtype given: the product over it and all that it implies, and
        never more than any of these. What means none of the findings gets what no finding is left with.
        """
        given = np.asarray(conditional)
        p = given.copy()
        nothing = np.ones(len(p), dtype=p.dtype)
        for k in self.learnt:
            above = sorted(self.above[k])
            if above:
                # In a chain this is c times the general one, which no rounding exceeds.
                p[:, k] = np.minimum(given[:, k] * self._general(k, p, given), p[:, above].min(axis=1))
            else:
                nothing = nothing * (1 - p[:, k])
        for k, name in enumerate(self.names):
            if means_none(name):
                p[:, k] = nothing
        return p

    def conditional(self, shown: Floats) -> NDArray[np.float64]:
        """The way back: the probability of each label where all that it implies is there, (N, K). One half where that
        is not there at all, so that nothing is known. What means none of the findings keeps its own.
        """
        p = np.asarray(shown, dtype=np.float64)
        c = p.copy()
        for k in self.learnt:
            if self.above[k]:
                general = self._general(k, p, c)
                ratio = np.divide(p[:, k], general, out=np.full(len(p), 0.5), where=general != 0)
                c[:, k] = np.clip(ratio, 0, 1)
        return c

    def present(self, shown: Floats, thresholds: Mapping[str, float]) -> Bools:
        """For findings: which are there, (N, K), of what is ``shown``: those that reach their threshold, as in
        ``findings.present``, and all that these imply.
        """
        fires = present(shown, self.names, thresholds)
        for k in self.learnt:
            for general in self.above[k]:
                fires[:, general] |= fires[:, k]
        return fires

    def path(self, k: int) -> tuple[list[int], list[int]]:
        """Of what the shown probability of label k is the product: the places of those labels that are there, and of
        those that are not, which make what means none of the findings.
        """
        if k not in self.learnt:
            return [], [j for j in self.learnt if not self.above[j]]
        return sorted({k, *self.above[k]}), []

    def leaves(self, shown: Floats) -> NDArray[np.float64]:
        """For classes that exclude each other: the probability that each is the image's class, (N, K), adding up to 1.

        A leaf is there with all that it implies, and without all else that could be there too. On one path (NORMAL,
        PNEUMONIA, COVID19) these add up by themselves; where siblings could both be there, they are divided by their
        sum.
        """
        c = np.clip(self.conditional(shown), 1e-12, 1 - 1e-12)
        weight = np.zeros_like(c)
        for k in [*self.learnt, *([] if self.none is None else [self.none])]:
            path = set() if k == self.none else {k, *self.above[k]}
            absent = [j for j in self.learnt if j not in path and self.above[j] <= path]
            weight[:, k] = c[:, sorted(path)].prod(axis=1) * (1 - c[:, absent]).prod(axis=1)
        shares: NDArray[np.float64] = weight / weight.sum(axis=1, keepdims=True)
        return shares

    def leaf_names(self) -> tuple[str, ...]:
        """The leaves in words: ``PNEUMONIA without COVID19``."""
        return tuple(
            f"{name} without {' and '.join(self.names[j] for j in sorted(below))}" if below else name
            for name, below in zip(self.names, self.below, strict=True)
        )

    def kinds(self, name: str) -> str:
        """A label with what is more specific, in words: ``PNEUMONIA or COVID19``."""
        return " or ".join([name, *(self.names[k] for k in sorted(self.below[self.names.index(name)]))])

    def decide(self, shown: Floats, thresholds: Mapping[str, float]) -> NDArray[np.intp]:
        """The class of each image, (N,), for classes that exclude each other, from what is ``shown`` (N, K).

        Without thresholds the most probable leaf. A label with a threshold: one that reaches it is decided, or the most
        probable of what is more specific; of two the more specific, of two as specific the further above its own, in
        log-odds; one that does not is ruled out with all that is more specific, and its share counts for the next
        general label: a pneumonia that is not called COVID19 is a pneumonia. Where that leaves nothing, the label
        nearest to its threshold.
        """
        leaves, limits = self.leaves(shown), self._limits(thresholds)
        if not limits:
            likeliest: NDArray[np.intp] = np.argmax(leaves, axis=1).astype(np.intp)
            return likeliest
        p = np.asarray(shown, dtype=np.float64)
        fires = {k: p[:, k] >= limit for k, limit in limits.items()}
        margin = {k: _log_odds(p[:, k]) - _log_odds(np.array(limit)) for k, limit in limits.items()}
        allowed = np.ones(leaves.shape, dtype=bool)
        best = np.full(len(p), -np.inf)
        chosen = np.full(len(p), -1)
        for k in limits:
            rank = np.where(fires[k], len(self.above[k]) + 0.5 * (1 + np.tanh(margin[k] / 20)), -np.inf)
            chosen, best = np.where(rank > best, k, chosen), np.maximum(rank, best)
            allowed[~fires[k]] &= ~self._under(k)
        for k in limits:
            here = chosen == k
            within = np.tile(self._under(k), (int(here.sum()), 1))
            for j in self.below[k] & limits.keys():
                within[~fires[j][here]] &= ~self._under(j)
            allowed[here] = within
        for k in sorted(limits, key=lambda k: -len(self.above[k])):
            self._hand_up(leaves, k, ~fires[k])
        decision = np.argmax(np.where(allowed, leaves, -1), axis=1)
        stuck = ~allowed.any(axis=1)
        nearest = np.array(list(limits))[np.argmax(np.stack(list(margin.values()), axis=1), axis=1)]
        decided: NDArray[np.intp] = np.where(stuck, nearest, decision).astype(np.intp)
        return decided

    def reason(self, shown: Floats, decision: int, thresholds: Mapping[str, float]) -> str:
        """One image (K,): a sentence where its decision is not what the longest bar says, "" where it is."""
        p = np.asarray(shown, dtype=np.float64)
        leaves = self.leaves(p[None])[0]
        words, top = self.leaf_names(), int(leaves.argmax())
        if decision != top:
            limits = self._limits(thresholds)
            reached = [k for k in (decision, *self.above[decision]) if k in limits and p[k] >= limits[k]]
            if reached and top not in {reached[0], *self.below[reached[0]]}:
                k = reached[0]
                return (
                    f"{words[top]} is more probable ({percent(leaves[top])}), but {self.names[k]} ({percent(p[k])}) "
                    f"reaches its threshold of {percent(limits[k])}."
                )
            short = [k for k in (top, *self.above[top]) if k in limits and p[k] < limits[k]]
            if short and short[0] == top and not self.below[top]:
                return (
                    f"{words[top]} is more probable ({percent(leaves[top])}), but does not reach its threshold of "
                    f"{percent(limits[top])}."
                )
            if short:
                k = short[0]
                return (
                    f"{words[top]} is more probable ({percent(leaves[top])}), but {self.names[k]} ({percent(p[k])}) "
                    f"does not reach its threshold of {percent(limits[k])}."
                )
            return f"{words[top]} is more probable ({percent(leaves[top])}), but the thresholds decide."
        whole = max((k for k in self.learnt if self.below[k]), key=lambda k: p[k], default=None)
        if whole is None or decision in {whole, *self.below[whole]} or p[whole] <= leaves[decision]:
            return ""
        parts = ", ".join(f"{words[k]} {percent(leaves[k])}" for k in (whole, *sorted(self.below[whole])))
        return (
            f"{words[decision]} ({percent(leaves[decision])}) is the most probable class; {self.names[whole]} of any "
            f"kind is {percent(p[whole])} ({parts})."
        )

    def _general(self, k: int, shown: NDArray[np.floating], conditional: NDArray[np.floating]) -> NDArray[Any]:
        """The probability that all that label k implies is there, (N,): from the nearest of these down."""
        above = sorted(self.above[k], key=lambda j: (len(self.above[j]), j))
        product = shown[:, above[-1]]
        for other in above[:-1]:
            if other not in self.above[above[-1]]:
                product = product * conditional[:, other]
        return product

    def _hand_up(self, leaves: NDArray[np.float64], k: int, silent: Bools) -> None:
        """In place: where ``silent``, what label k and the more specific ones have goes to the next general one."""
        parts = self._under(k)
        above = max(self.above[k], key=lambda j: len(self.above[j]), default=self.none)
        if above is not None:
            leaves[silent, above] += leaves[silent][:, parts].sum(axis=1)
        leaves[silent[:, None] & parts] = 0

    def _under(self, k: int) -> Bools:
        """Label k and what is more specific, (K,)."""
        return np.isin(np.arange(len(self.names)), [k, *self.below[k]])

    def _limits(self, thresholds: Mapping[str, float]) -> dict[int, float]:
        return {k: thresholds[self.names[k]] for k in self.learnt if self.names[k] in thresholds}


class Coherent(dict[str, tuple[str, ...]]):
    """What each label implies, where the labels are learnt as conditional probabilities: with their ``tree``.

    True even where nothing is implied: each label is then learnt by itself. A plain mapping stands for the flat labels.
    """

    def __init__(self, names: Sequence[str], implied: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(implied)
        self.tree = Hierarchy(names, implied)

    def __bool__(self) -> bool:
        return True


def _log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(probability, 1e-7, 1 - 1e-7)
    return np.log(clipped) - np.log1p(-clipped)
