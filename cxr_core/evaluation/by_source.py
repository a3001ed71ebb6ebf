"""A split's figures source by source, and whether the data set could tell disease from source at all. No torch.

::

    metrics, table = measured(run, "test")
    by_source(table, run.classes, run.implied)      # a dict per source: n, accuracy, macro_f1, ci
    can_leave_out(run.split)                             # whether leaving one source out is possible, in a sentence
    can_leave_out_findings(sources, truth, known, names)     # the same of findings
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxr_core.evaluation.intervals import bootstrap
from cxr_core.evaluation.metrics import report
from cxr_core.labels import Implied, indices

UNKNOWN = "not known"
NO_SOURCE = (
    "No image's source is known, so a model may learn the hospital and not the disease. A "
    "sources.csv beside the folders would say where each image is from."
)


def by_source(table: pd.DataFrame, classes: Sequence[str], implied: Implied) -> list[dict[str, Any]]:
    """``[{"source", "n", "right", "classes": {class: images}, "confusion", "accuracy", "balanced_accuracy",
    "macro_f1", "ci"}]``, sorted by source.

    ``table``: a row per image with source, label, decision, patient and ``p_CLASS``. Macro F1 is over the classes that
    occur in truth or decision there; ``ci`` is that of ``intervals.bootstrap``, by patient.
    """
    named = table["source"].fillna("").astype(str).replace("", UNKNOWN)
    found = []
    for source, part in table.groupby(named, sort=True):
        true, decisions = (indices(part[column], classes) for column in ("label", "decision"))
        probabilities = part[[f"p_{name}" for name in classes]].to_numpy(float)
        figures = report(true, probabilities, decisions, classes, implied)
        counts = part["label"].value_counts()
        found.append(
            {
                "source": str(source),
                "n": figures["n"],
                "right": int((true == decisions).sum()),
                "classes": {name: int(counts.get(name, 0)) for name in classes},
                "confusion": figures["confusion"],
                "accuracy": figures["accuracy"],
                "balanced_accuracy": figures["balanced_accuracy"],
                "macro_f1": figures["macro_f1"],
                "ci": bootstrap(true, probabilities, decisions, classes, implied, part["patient"].fillna("").tolist()),
            }
        )
    return found


def can_leave_out(samples: pd.DataFrame) -> dict[str, Any]:
    """``{"possible", "single": {class: its only source}, "message"}``: can a source be left out of training?

    ``samples``: all images of the data set with source and label. It needs two sources of every class, so that what is
    left can still be learnt from. Images without a known source do not count.
    """
    known = samples[samples["source"].fillna("") != ""]
    sources = {str(name): sorted(set(known.loc[known["label"] == name, "source"])) for name in set(samples["label"])}
    single = {name: (found[0] if found else UNKNOWN) for name, found in sorted(sources.items()) if len(found) < 2}
    if known.empty:
        message = NO_SOURCE
    elif single:
        listed = ", ".join(f"{name} ({source})" for name, source in single.items())
        message = (
            f"This data set cannot tell disease from source: {listed} {'has' if len(single) == 1 else 'have'} fewer "
            "than two known sources. Leaving one source out needs two of every class; only an external data set can "
            "say more."
        )
    else:
        message = (
            "Every class has at least two known sources, so each can be left out of training and tested on: what is "
            "reached there is nearer to a new hospital than the test split is."
        )
    return {"possible": not single and not known.empty, "single": single, "message": message}


def can_leave_out_findings(
    sources: Sequence[str], truth: NDArray[np.bool_], known: NDArray[np.bool_], names: Sequence[str]
) -> dict[str, Any]:
    """The same of findings; ``sources`` (N,), ``truth`` and ``known`` (N, K). Two sources are enough: a finding that is
    in one of them alone (``single``) is then judged in none. Images without a known source do not count.
    """
    where = pd.Series(sources).fillna("").astype(str).to_numpy()
    places = sorted(set(where.tolist()) - {""})
    single = {}
    for k, name in enumerate(names):
        having = sorted(set(where[truth[:, k] & known[:, k]].tolist()) - {""})
        if len(having) < 2:
            single[name] = having[0] if having else UNKNOWN
    if not places:
        message = NO_SOURCE
    elif len(places) == 1:
        message = (
            f"All images of a known source are from {places[0]}, so this data set cannot tell disease from source. "
            "Leaving one source out needs two; only an external data set can say more."
        )
    elif len(single) == len(names):
        listed = ", ".join(f"{name} ({source})" for name, source in single.items())
        message = (
            f"This data set cannot tell disease from source: no finding is in the images of two sources ({listed}). "
            "Only an external data set can say more."
        )
    else:
        message = (
            f"{len(places)} sources are known, so each can be left out of training and tested on: what is reached "
            "there is nearer to a new hospital than the test split is."
        )
        if single:
            listed = ", ".join(f"{name} ({source})" for name, source in single.items())
            message += f" Of fewer than two sources, and not to be told from them: {listed}."
    return {"possible": len(places) > 1 and len(single) < len(names), "single": single, "message": message}
