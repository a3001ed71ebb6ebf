"""A run of findings on its own test and on another data set, on the findings that both can judge. No torch.

found = against_findings(run, measured(run, "test"), external.measured, external.name)
sentence("hospital b", found)     # "On the external data set hospital b, macro ROC AUC ... is lower by ..."
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cxr_core.errors import RunError
from cxr_core.evaluation.unpaired_findings import FIGURES, Labels, unpaired_findings
from cxr_core.figures import compact, counted, spelled
from cxr_core.runs.measured_findings import judged_labels
from cxr_core.runs.run import Run


def against_findings(
    run: Run, own: tuple[dict[str, Any], pd.DataFrame], other: tuple[dict[str, Any], pd.DataFrame], name: str
) -> dict[str, Any]:
    """``unpaired_findings``, a the run's test and b the data set ``name``: metrics and table of each, as measured.

    Raises RunError where no finding has images with it and without it on both sides.
    """
    names, sides = list(other[0]["classes"]), []
    for (_, table), absent in ((own, ()), (other, other[0]["absent"])):
        labels = judged_labels(table, run.tree, run.config.policy, absent)
        places = [labels.names.index(one) for one in names]
        patients = table["patient"].fillna("").tolist()
        sides.append(Labels(labels.truth[:, places], labels.known[:, places], labels.scores[:, places], patients))
    found = unpaired_findings(sides[0], sides[1], names, other[0]["thresholds"])
    if not found["labels"]:
        raise RunError(
            f"{name} and the run's test have no finding in common that some images of each have and others have not, "
            "so they cannot be compared."
        )
    # An interval that stands elsewhere too is the same everywhere, and not one of other draws.
    for side, (metrics, _) in (("a", own), ("b", other)):
        for one, figures in found["per_class"].items():
            kept = metrics["ci"]["per_class"][one]
            for title in FIGURES.values():
                figures[title][f"{side}_ci"] = kept[title]
        if metrics["counted"] == found["labels"]:
            found["macro_roc_auc"][f"{side}_ci"] = metrics["ci"]["macro_roc_auc"]
    return found


def sentence(name: str, found: Mapping[str, Any]) -> str:
    """The drop in one sentence: by how much, whether these images show it, and both sides of it."""
    macro = found["macro_roc_auc"]
    on = f"macro ROC AUC over {counted(len(found['labels']), 'finding')} that both have"
    drop, ends = spelled(macro["drop"], macro["ci"]), macro["ci"]
    there, own = (compact(macro[side], macro[f"{side}_ci"]) for side in ("b", "a"))
    sides = f"{there} there, {own} on the run's own test"
    if not ends:
        return f"On the external data set {name}, {on} is {sides}; with fewer than two patients nothing can be said."
    if ends[0] > 0:
        return f"On the external data set {name}, {on} is lower by {drop}: {sides}."
    if ends[1] < 0:
        return f"On the external data set {name}, {on} is higher, a drop of {drop}: {sides}."
    return (
        f"On the external data set {name}, {on} has a drop of {drop}, which does not show that it does worse there: "
        f"{sides}."
    )
