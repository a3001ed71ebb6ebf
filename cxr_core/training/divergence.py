"""Whether a training got anywhere: sentences that stand beside its results, never a reason to stop it.

    signs(run.history, 3, guess, classes, lr)     # [] for a training that learnt something

The measure is what needs no network at all: the loss of giving every image the shares that the classes have in
training. Gradient steps reach that in the first epoch; a training that ends far above it has lost its way, however it
scores.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cxr_core.runs.records import Epoch, EpochFigures

# Dropout and augmentation may hold the loss on training images a little above guessing. Twice, nothing but steps that
# are too long.
TRAIN_LIMIT = 2.0
# On validation, a network that is sure of its mistakes is far above guessing and may yet rank well: only what no
# overfitting explains is a sign.
VAL_LIMIT = 10.0


@dataclass(frozen=True)
class Guess:
    """Loss of answering every image with the classes' shares in training, by the run's own loss."""

    train: float
    val: float


def signs(history: Sequence[Epoch], chosen: int, guess: Guess, classes: Sequence[str], lr: float) -> list[str]:
    """What is wrong with the training behind ``history``, of which epoch ``chosen`` is used."""
    row, last = history[chosen - 1], history[-1]
    found = []
    way_on = f"Lower the learning rate (now {lr:g}) and train again."
    train, val, at_end = (_loss(figures) for figures in (row.train, row.val, last.train))
    if train > TRAIN_LIMIT * guess.train or val > VAL_LIMIT * guess.val:
        found.append(
            f"The training diverged: in epoch {chosen}, which is used, the loss is {train:.3g} in "
            f"training and {val:.3g} in validation; answering every image with the classes' shares "
            f"would give {guess.train:.3g} and {guess.val:.3g}. These results say nothing about the method. {way_on}"
        )
    elif at_end > TRAIN_LIMIT * guess.train:
        found.append(
            f"The training diverged after epoch {chosen}, which is used: at its end the loss in training is "
            f"{at_end:.3g}, and answering every image with the classes' shares would give "
            f"{guess.train:.3g}. {way_on}"
        )
    answered = [sum(column) for column in zip(*row.val.confusion, strict=True)]
    shown = [sum(images) for images in row.val.confusion]
    if sum(count > 0 for count in answered) == 1 and sum(count > 0 for count in shown) > 1:
        name = classes[max(range(len(classes)), key=answered.__getitem__)]
        found.append(
            f"The network answers {name} for all {sum(answered)} validation images (epoch {chosen}): it does not "
            "tell the classes apart."
        )
    return found


def _loss(figures: EpochFigures) -> float:
    return math.nan if figures.loss is None else figures.loss
