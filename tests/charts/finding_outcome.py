"""What the charts of findings are drawn of in tests: 300 images of four findings, one of them rare, one never there."""

from typing import Any

import numpy as np

from cxr_core.evaluation.findings import calibration, judged, together

NAMES = ["Nodule", "Effusion", "Rare one", "Never there"]
RNG = np.random.default_rng(0)
TRUTH = np.stack([RNG.random(300) < share for share in (0.3, 0.2, 0.02, 0.0)], axis=1)
TRUTH[:, 1] |= TRUTH[:, 0] & (RNG.random(300) < 0.5)
KNOWN = RNG.random(TRUTH.shape) < 0.9
P = np.clip(0.35 * TRUTH + RNG.uniform(0, 0.65, TRUTH.shape), 0, 1)
LIMITS = {"Nodule": 0.4, "Effusion": 0.5}
PATIENTS = [f"p{k // 2}" for k in range(300)]
FOUND = judged(TRUTH, KNOWN, P, NAMES, LIMITS, PATIENTS, resamples=100)
CALIBRATION = calibration(TRUTH, KNOWN, P, NAMES)
CALLED = np.array([LIMITS.get(name, 0.5) for name in NAMES]) <= P
PAIRS = together(TRUTH, KNOWN, CALLED, NAMES)
_CALLED = {"sensitivity": "recall", "ppv": "precision"}
# As metrics_SPLIT.json has it.
REPORT: dict[str, Any] = {
    "n": 300,
    "classes": NAMES,
    "counted": list(FOUND.counted),
    "macro_roc_auc": FOUND.macro_roc_auc.value,
    "per_class": {
        one.name: {
            **{_CALLED.get(name, name): figure.value for name, figure in one.figures.items()},
            "n": one.n,
            "positives": one.positives,
            "patients": one.patients,
            "others": one.others,
        }
        for one in FOUND.findings
    },
    "ci": {
        "macro_roc_auc": FOUND.macro_roc_auc.ends,
        "per_class": {
            one.name: {_CALLED.get(name, name): figure.ends for name, figure in one.figures.items()}
            for one in FOUND.findings
        },
    },
}
