"""One temperature for a network of findings, from the labels that are known.

    temperature = fit_known_temperature(logits, targets, known)      # validation split, never test

As ``calibration.fit_temperature`` for labels of their own, over the known elements alone. With a hierarchy the logits
are those of the conditional probabilities, and targets and known are ``Hierarchy.conditional_targets``: what is shown
stays coherent at every temperature.
"""

import numpy as np
import numpy.typing as npt

from cxr_core.errors import RunError

COLDEST, HOTTEST = 0.05, 20.0


def fit_known_temperature(logits: npt.ArrayLike, targets: npt.ArrayLike, known: npt.ArrayLike) -> float:
    """The temperature, within 0.05..20, with the smallest negative log likelihood; all three are (N, K), targets in
    0..1. 1 where none is best: nothing is known, or every logit is on its right side, or all are alike. Raises RunError
    where a logit of a known label is not a number.
    """
    from scipy.optimize import minimize_scalar

    sure = np.asarray(known, dtype=bool)
    x, t = np.asarray(logits, dtype=np.float64)[sure], np.asarray(targets, dtype=np.float64)[sure]
    if not np.isfinite(x).all():
        raise RunError(
            f"Expected logits that are numbers, got none for {int((~np.isfinite(x)).sum())} of {len(x)} labels: the "
            "training diverged. Train again with a lower learning rate."
        )
    # A soft target has no right side: it has both, by its share.
    if not ((t < 1) & (x > 0) | (t > 0) & (x < 0)).any():
        return 1.0

    def loss(log_temperature: float) -> float:
        scaled = x / np.exp(log_temperature)
        return float((t * np.logaddexp(0, -scaled) + (1 - t) * np.logaddexp(0, scaled)).mean())

    bounds = (np.log(COLDEST), np.log(HOTTEST))
    best = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-7})
    return float(np.clip(np.exp(best.x), COLDEST, HOTTEST))
