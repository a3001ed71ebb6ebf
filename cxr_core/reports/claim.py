"""CLAIM (Mongan, Moy, Kahn 2020, Radiology: Artificial Intelligence 2(2):e200029): where a model card answers an item.

The items on title, abstract, discussion and study registration belong to a paper and are left to it.
"""

from cxr_core.reports.document import Table

_HERE = {
    "7 Data sources": "Training data, Evaluation data (sources by class)",
    "8 Eligibility criteria": "not known: whatever the data set holds and can be read",
    "9 Preprocessing": "Model details (Input); the same function for training, test and use",
    "12 De-identification": "not done here: images are used as they come, DICOM identifiers are never read",
    "13 Missing data": "Training data (files that could not be read)",
    "14-18 Ground truth and its annotators": "the data set's labels; who gave them, and how, is not known here",
    "19 Sample size": "what the data set has; no calculation was made",
    "20-21 Partitions, and what keeps them apart": "Training data; overlaps are in Caveats",
    "22 Model": "Model details, Training",
    "23 Software": "Model details",
    "24 Initialisation": "Model details (Origin of its weights)",
    "25 Training": "Training (every hyperparameter)",
    "26 Choice of the final model": "Metrics (best epoch, by which figure)",
    "27 Ensembles": "none",
    "28 Metrics": "Metrics",
    "29 Uncertainty": "Quantitative analyses (95 % intervals, by patient where known)",
    "30 Robustness": "not tested",
    "31 Explainability": "Grad-CAM on demand; not validated against any annotation",
    "32 External data": "not tested",
    "33-34 Flow of participants, demographics": "counts in Training data and Evaluation data; demographics not known",
    "35-36 Performance with its precision": "Quantitative analyses, Calibration",
    "37 Failure analysis": "Quantitative analyses (confusion matrix); single errors on the Evaluate page",
    "38 Limitations": "Caveats and recommendations, What was not tested",
}


_OF_FINDINGS = {
    "7 Data sources": "Training data, Evaluation data (images by source)",
    "14-18 Ground truth and its annotators": "Training data (how the labels were made, what was learnt of them)",
    "37 Failure analysis": "Quantitative analyses (counts by finding); single errors on the Evaluate page",
}


def table(external: bool = False, findings: bool = False) -> Table:
    """Each item with the section of the card that answers it, or with what is missing.

    ``external``: the run was evaluated on an external data set; ``findings``: it is one of findings.
    """
    answers = (
        _HERE
        | (_OF_FINDINGS if findings else {})
        | ({"32 External data": "Quantitative analyses (External)"} if external else {})
    )
    return Table(("Item", "Where, or what is missing"), [[item, answer] for item, answer in answers.items()])
