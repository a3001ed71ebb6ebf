"""What the charts of a run are drawn of in tests: its figures, intervals and curves, and those of a single image."""

import numpy as np

from cxr_core.evaluation import calibration, intervals, metrics, operating

CLASSES = ["COVID19", "NORMAL", "PNEUMONIA"]
TRUE = np.random.default_rng(0).integers(0, 3, 120)
LOGITS = np.random.default_rng(1).normal(0, 2, (120, 3)) + 2 * np.eye(3)[TRUE]
PROBABILITIES = calibration.calibrate(LOGITS, 1, {})
DECISIONS = LOGITS.argmax(axis=1)
REPORT = metrics.report(TRUE, PROBABILITIES, DECISIONS, CLASSES, {})
CURVES = metrics.curves(TRUE, PROBABILITIES, CLASSES, {})
CI = intervals.bootstrap(TRUE, PROBABILITIES, DECISIONS, CLASSES, {}, resamples=100)
PAIRED = intervals.paired(TRUE, DECISIONS, np.ones(120, dtype=int), 3, resamples=100)
BEFORE = calibration.reliability(PROBABILITIES, TRUE, CLASSES, {})
AFTER = calibration.reliability(calibration.calibrate(LOGITS, 2, {}), TRUE, CLASSES, {})
POINT = operating.at_threshold(TRUE == 0, PROBABILITIES[:, 0], 0.4)

# The report and the intervals of a test set without one class, of one image.
ONE, FLAT = [1], np.full((1, 3), 0.3)
ONE_REPORT, ONE_CI = (
    metrics.report(ONE, FLAT, ONE, CLASSES, {}),
    intervals.bootstrap(ONE, FLAT, ONE, CLASSES, {}, resamples=5),
)
NO_POINT = operating.at_threshold([False], [0.3], 0.5)
