"""Folders that look like no classes: patients, studies, parts of a download, masks, one heap. They are asked, not
trained on.

    if (question := doubt(found.items)) is not None: raise asked(root, question)
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from statistics import median

from cxr_core.data.listing import Item
from cxr_core.errors import Question, QuestionError
from cxr_core.figures import counted
from cxr_core.paths import shown

# How folders become classes, as a person chooses it.
CLASSES = {"classes": ("ask", "first", "nearest")}
FIRST, NEAREST = CLASSES["classes"][1:]
# Names of folders that hold images of any class: as public data sets ship them, and one for each patient.
_PLACE = re.compile(
    r"^((stage[ _-]?\d+[ _-])?((train|test|val|valid|raw|all)[ _-])*"
    r"(images?|imgs?|pictures?|pics|photos?|pngs?|jpe?gs?|dicoms?|dcms?|x-?rays?|radiographs?|files?)([ _-]?\d+)?"
    r"|cxr_png|stage_2_.*|((lung|left|right|manual)[ _-]?)?masks?)$",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"^((patient|pat|subject|person|study|series|sub|ses)[ _-]?s?\d+|sub-\w+|ses-\w+|p\d{2,}|s\d{5,}|\d{5,}"
    r"|[0-9a-f]{12,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
    re.IGNORECASE,
)
# So many classes, half of them with fewer images than those, look like patients.
MANY, FEW = 50, 3
ASKS_FOLDER = "Which folder is the class of an image?"
WAY_ON = (
    "Say what it is on the Dataset page, or with --rule classes=first (the folders are the classes after all), --rule "
    "classes=nearest (the folder next to the images is the class) or --describe FILE (what the columns of a table mean)"
)


def is_place(name: str) -> bool:
    """Whether a folder's name says where images lie, and not of which class they are."""
    return _PLACE.match(name) is not None or is_person(name)


def is_person(name: str) -> bool:
    """Whether a folder's name looks like one of a patient or a study."""
    return _PERSON.match(name) is not None


def doubt(items: Sequence[Item], known: Collection[str] = ()) -> Question | None:
    """What to ask of these classes; None where they look like classes, or are all ``known`` to be some."""
    counts = Counter(item.label for item in items)
    classes = sorted(counts)
    if set(classes) <= set(known):
        return None
    if all(map(is_place, classes)):
        listed = ", ".join(classes[:3]) + (f" and {len(classes) - 3:,} more" if len(classes) > 3 else "")
        verb = "seems" if len(classes) == 1 else "seem"
        because = f"{listed} {verb} to say where images lie and not of which class they are"
    elif len(classes) == 1 and len(items) > 1:
        because = f"all {counted(len(items), 'image')} lie in one folder, {classes[0]}: expected two classes at least"
    elif len(classes) >= MANY and median(counts.values()) < FEW:
        because = (
            f"{len(classes):,} folders, half of them with fewer than {FEW} images, may be patients or studies and not "
            "classes"
        )
    else:
        return None
    return Question(ASKS_FOLDER, f"{because}.", _proposal(items, classes))


def _proposal(items: Sequence[Item], classes: Sequence[str]) -> dict[str, dict[str, str]] | None:
    inner = Counter(nearest(item.file) for item in items)
    if len(inner) > 1 and "" not in inner and not (len(inner) >= MANY and median(inner.values()) < FEW):
        return {"rules": {"classes": NEAREST}}
    return {"rules": {"classes": FIRST}} if len(classes) == 1 and not is_place(classes[0]) else None


def nearest(file: str) -> str:
    """The folder next to an image whose name is none of a place or a person, "" where there is none."""
    return next((name for name in reversed(file.split("/")[:-1]) if not is_place(name)), "")


def person(file: str) -> str:
    """The outermost folder of an image that looks like a patient's, "" where there is none."""
    return next((name for name in file.split("/")[:-1] if is_person(name)), "")


def asked(root: Path, question: Question, way_on: str = WAY_ON) -> QuestionError:
    """The error that puts the question."""
    return QuestionError(f"{shown(root)}: {question.because} {question.asks} {way_on}.", question)
