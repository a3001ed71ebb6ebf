"""The kinds of issue that an audit can report: one entry each, and all that depends on the kind.

    KINDS["leak"].fixes           # what can be done about it
    KINDS["children"].severities  # the usual one first

To add a kind: one entry here, and one function that gives its issues (:func:`cxr_core.audit.issues.issue`), called by
:mod:`cxr_core.audit.auditing`. Page, command line, reports and verdict follow from the entry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cxr_core.images import BORDER

BLOCKS, WARNS, INFORMS = "blocks", "warns", "informs"
SEVERITIES = (BLOCKS, WARNS, INFORMS)

# What can be done about an issue, and what it does in one line. The image files are never changed.
LEAVE_OUT, KEEP_ONE, SAME_SPLIT, SPLIT_BY_PATIENT = "leave out", "keep one of each", "same split", "split by patient"
MASK_BORDER = "mask the border"
FIXES = {
    LEAVE_OUT: "Leave these images out of every split.",
    KEEP_ONE: "Keep one image of each group, that of the test where it has one, and leave the others out.",
    SAME_SPLIT: "Move the images of each group to the split that most of them are in, to train where it is even.",
    SPLIT_BY_PATIENT: "Forget the given splits; a training then takes new ones, by patient.",
    MASK_BORDER: f"Erase {100 * BORDER:.0f} % of each side of every image, in training and wherever the run is "
    "used. Of every image: a mask on some would tell them from the others.",
}

LEAK, SHORTCUT, DRAWN = "leak", "shortcut", "drawn"


@dataclass(frozen=True)
class Kind:
    """``name`` in one or two words, as it is shown and written down; ``severities`` that an issue of it may have, the
    usual one first; ``means``: what it says of a score, or of the images, in one line; ``fixes`` that may be offered,
    the gentlest first; ``shown``: facts that stand below its pictures besides split and label; ``colour``: its pictures
    are shown in colour; ``clause``: the verdict has a clause of its own for it; ``beside``: its message stands beside
    every score of a run, where no caution says it already.
    """

    name: str
    severities: tuple[str, ...]
    means: str
    fixes: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    colour: bool = False
    clause: bool = False
    beside: bool = False

    @property
    def severity(self) -> str:
        """The usual one."""
        return self.severities[0]


def _kinds() -> list[Kind]:
    pairs = [
        Kind(
            LEAK,
            (BLOCKS,),
            "one copy is learnt from, the other is in the test: the test is easier than a new image",
            (KEEP_ONE, SAME_SPLIT),
            clause=True,
        ),
        Kind(
            "label conflict",
            (WARNS,),
            "the two copies have different labels, so one is wrong",
            (LEAVE_OUT,),
            beside=True,
        ),
        Kind("duplicates", (INFORMS,), "one picture counts twice", (KEEP_ONE,)),
    ]
    composition = [
        Kind(
            "patients",
            (WARNS,),
            "the test is easier than a new patient",
            (SAME_SPLIT, LEAVE_OUT, SPLIT_BY_PATIENT),
            clause=True,
        ),
        Kind("pretraining", (WARNS, INFORMS), "the network may have seen images of the test before"),
        Kind(DRAWN, (INFORMS,), "the scores say nothing about patients or real images", clause=True),
        Kind("sources unknown", (INFORMS,), "a model may learn the hospital and not the disease"),
        Kind("persons", (INFORMS,), "files are named after persons"),
        Kind("sources", (WARNS,), "this data set cannot tell disease from source", clause=True),
        Kind("collections", (WARNS,), "the test measures other sources than those that were learnt from"),
        Kind("untested", (WARNS,), "nothing is measured there"),
        Kind("patients in names", (WARNS,), "images of one patient may be in train and in test"),
        Kind("spelling", (WARNS,), "one class in several spellings"),
        Kind("missing", (WARNS,), "a word for a missing value, taken for a class"),
        Kind("several", (WARNS,), "each combination of findings is a class of its own"),
        Kind("folders", (WARNS,), "these may be patients or examinations, and not classes"),
        Kind("masks", (WARNS,), "masks or annotations, and no X-rays"),
        Kind("balance", (INFORMS,), "accuracy favours the larger; read balanced accuracy and macro F1"),
        Kind("small validation", (INFORMS,), "the best epoch and the thresholds are chosen by few"),
        Kind("test size", (WARNS, INFORMS), "a recall may be off by so many points either way"),
    ]
    scores = [
        Kind(
            SHORTCUT,
            (WARNS, INFORMS),
            "a network can reach as much without looking at a lung",
            (MASK_BORDER,),
            clause=True,
            beside=True,
        ),
        Kind("source-only score", (INFORMS, WARNS), "only what a network reaches beyond it may come from lungs"),
    ]
    pictures = [
        Kind("unreadable", (WARNS,), "they are left out everywhere"),
        Kind("truncated", (WARNS,), "the end of the picture is missing; they are left out everywhere"),
        Kind("tiny", (WARNS,), "fine signs of disease are gone", (LEAVE_OUT,)),
        Kind("letters", (INFORMS,), "a network can read them instead of the lungs", (MASK_BORDER,)),
        Kind(
            "children",
            (WARNS, INFORMS),
            "among adults a network can tell a child, and the class with it",
            (LEAVE_OUT,),
            ("age",),
        ),
        Kind("ages", (INFORMS,), "they count as of unknown age", shown=("age",)),
    ]
    questioned = [
        Kind(name, (WARNS,), means, (LEAVE_OUT,), colour=name == "colour") for name, means in QUESTIONED.items()
    ]
    return [*pairs, *composition, *scores, *pictures, *questioned]


# Why Predict withholds an answer, as cxr_core.images.gate.KINDS has it -> what such images are.
QUESTIONED = {
    "modality": "another modality, by the DICOM header",
    "body part": "another part of the body, by the DICOM header",
    "lateral": "no frontal view, by the DICOM header",
    "polarity": "perhaps inverted, for the DICOM header contradicts itself on what is white",
    "colour": "in colour, as a photograph or a drawing",
    "blank": "blank, or more than half one single grey",
    "few greys": "only a few grey levels, as in a drawing or a page",
    "no detail": "no detail",
    "fine detail": "fine detail alone, as in noise and text",
    "turned": "upside down or on the side",
    "inverted": "inverted, lungs bright and bones dark",
    "unlike": "unlike an upright frontal chest X-ray",
}
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _kinds()})
