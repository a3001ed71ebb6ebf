"""What the field's terms mean, a sentence or two each, to stand behind a question mark on a page.

st.caption("Macro F1 0.71", help=meaning("macro F1", "test split"))
"""

_MEANINGS = {
    "macro F1": (
        "The mean of the classes' F1 scores, each class counting alike. F1 balances how many of a class are found "
        "(recall) against how many that are called it are right (precision): 1 is perfect."
    ),
    "average precision": (
        "The mean precision over all thresholds (the area under the precision-recall curve). Guessing reaches the "
        "share of images that have the finding."
    ),
    "accuracy": "The share of all images that is classified correctly. A common class counts more than a rare one.",
    "balanced accuracy": "The mean of the classes' recalls: a common class counts no more than a rare one.",
    "recall": "Of the images that have it, the share that is found. Also called sensitivity.",
    "precision": "Of the images that are called it, the share that has it. Also called positive predictive value.",
    "ROC AUC": (
        "The chance that an image with the finding scores higher than one without: 0.5 is guessing, 1 is perfect. "
        "It does not depend on a threshold."
    ),
    "split": (
        "A data set is divided: the network learns from train, thresholds and epoch are chosen on validation, and the "
        "score is measured once on test."
    ),
    "threshold": "The probability from which on a label is called.",
    "temperature": (
        "A single number by which the network's raw scores are divided, so that of the answers with 70 % about 70 % "
        "are right. Above 1 it makes the network less sure of itself, below 1 more."
    ),
    "distance": (
        "How different two pictures look to this network: 0 = identical to it, 1 = unrelated. An answer is withheld "
        "where a picture is farther from the training images than 95 % of the validation images."
    ),
    "macro ROC AUC": (
        "The mean of the findings' ROC AUC, over those with and without cases here. 0.5 is guessing, 1 is perfect."
    ),
    "ECE": ("Expected calibration error: how far the probabilities lie from how often they are right. 0 is best."),
    "Brier score": "The mean squared distance of the probabilities from the truth. 0 is best.",
    "Cramer's V": (
        "How far the source of an image tells its class: 0 = not at all, 1 = completely. Where it is high, a network "
        "may learn the source instead of the disease."
    ),
    "heat map": "Which parts of the picture moved the score (Grad-CAM). It does not show that the score is right.",
}


def meaning(*terms: str) -> str:
    """The meanings of these terms, as Markdown; a term may begin large. Raises KeyError for one that is not here."""
    terms = tuple(term if term in _MEANINGS else term[0].lower() + term[1:] for term in terms)
    if len(terms) == 1:
        return _MEANINGS[terms[0]]
    return "\n\n".join(f"**{term[0].upper()}{term[1:]}**: {_MEANINGS[term]}" for term in terms)
