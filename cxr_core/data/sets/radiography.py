"""COVID-19 Radiography Database (Kaggle): ``CLASS/images``, and beside them ``CLASS/masks`` of the lungs."""

from pathlib import Path

from cxr_core.data.budget import Budget
from cxr_core.data.sets import trees
from cxr_core.data.sets.draft import Draft
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.findings import EXCLUSIVE

CLASSES = ("COVID", "Lung_Opacity", "Normal", "Viral Pneumonia")
# COVID and Viral Pneumonia together are in no other set.
_OWN = ("COVID", "Viral Pneumonia", "Normal")


def _finds(place: Place) -> list[Path]:
    if place.chosen is not None:
        return []
    folders = {folder.rsplit("/", 1)[-1] for folder in place.folders}
    return [place.root / folder for folder in place.named(*_OWN)] if folders.issuperset(_OWN) else []


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    files, index = trees.images(place, budget)
    label = files["above"].where(files["folder"].str.lower() == "images", files["folder"])
    draft = Draft(place, rules, files[["file"]].assign(label=label))
    draft.left_out.append(("masks", len(index.masks)))
    trees.outside(draft, ~label.isin(CLASSES), "images lie in none of the four class folders and are left out.")
    return draft.record([], task=EXCLUSIVE, rule="The folder above images; masks are no images.")


READER = Reader(
    "COVID-19 Radiography Database",
    _finds,
    _reads,
    "Chowdhury et al., IEEE Access 2020; Rahman et al., Computers in Biology and Medicine 2021.",
    overlaps={
        "covid-chestxray-dataset": "the database takes its images",
        "RSNA Pneumonia 2018": "the database takes its images",
        "Kermany": "the normal and viral images come from Kermany's children",
        "COVIDx": "both take images of SIRM, cohen and RSNA",
    },
)
