"""Numbers alone: arrays of labels, decisions and probabilities -> metrics, intervals, calibration, operating points.

    decisions = decide(probabilities, classes, implied, thresholds)          # cxr_core.labels
    report(true, probabilities, decisions, classes, implied)                 # every metric, as metrics_test.json has it
    bootstrap(true, probabilities, decisions, classes, implied, patients)    # their 95 % intervals, by patient
    paired(true, a, b, len(classes), patients)                               # two runs on the same images

``balance`` says what is read first of a report. Nothing here knows of files, runs or networks.
"""

from cxr_core.evaluation.calibration import calibrate, logits_of
from cxr_core.evaluation.intervals import bootstrap, paired, unpaired
from cxr_core.evaluation.metrics import confusion_matrix, curves, report, summary

__all__ = [
    "bootstrap",
    "calibrate",
    "confusion_matrix",
    "curves",
    "logits_of",
    "paired",
    "report",
    "summary",
    "unpaired",
]
