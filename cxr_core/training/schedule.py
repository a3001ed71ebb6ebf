"""Learning rates as pure functions of the step, so that a resumed training needs no scheduler state."""

import math

WARM_UP = 0.3
ONE_CYCLE_START = 25.0
ONE_CYCLE_END = 1e4


def learning_rate(schedule: str, peak: float, step: int, steps: int) -> float:
    """The learning rate of ``step`` (from 0) out of ``steps``.

    ``constant``: ``peak``. ``cosine``: from ``peak`` to 0 along half a cosine (Loshchilov and Hutter, 2017).
    ``one-cycle``: up from ``peak / 25`` over 30 % of the steps, then down to ``peak / 25e4``, both along a cosine
    (Smith and Topin, 2018, as in torch.optim.lr_scheduler.OneCycleLR).
    """
    if schedule == "constant":
        return peak
    if schedule == "cosine":
        return _cosine(peak, 0.0, step / steps)
    start = peak / ONE_CYCLE_START
    turn = WARM_UP * steps - 1
    if step <= turn:
        return _cosine(start, peak, step / turn)
    return _cosine(peak, start / ONE_CYCLE_END, min(1.0, (step - turn) / max(1e-9, steps - 1 - turn)))


def _cosine(begin: float, end: float, share: float) -> float:
    return end + (begin - end) * (1 + math.cos(math.pi * share)) / 2
