"""covid-chestxray-dataset (Cohen): a finding as a path, ``Pneumonia/Viral/COVID-19``; X-rays and CT in one table."""

from pathlib import Path

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.sets import tables, values
from cxr_core.data.sets.draft import MISSING, VIEWS, Draft
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.findings import FINDINGS

NO_FINDING = "No Finding"
_UNKNOWN = ("todo", "unknown", "")
# The first editions name the cause without its path.
_PATHS = {
    "covid-19": "Pneumonia/Viral/COVID-19",
    "sars": "Pneumonia/Viral/SARS",
    "mers": "Pneumonia/Viral/MERS",
    "mers-cov": "Pneumonia/Viral/MERS-CoV",
    "varicella": "Pneumonia/Viral/Varicella",
    "influenza": "Pneumonia/Viral/Influenza",
    "streptococcus": "Pneumonia/Bacterial/Streptococcus",
    "klebsiella": "Pneumonia/Bacterial/Klebsiella",
    "legionella": "Pneumonia/Bacterial/Legionella",
    "e.coli": "Pneumonia/Bacterial/E.Coli",
    "chlamydophila": "Pneumonia/Bacterial/Chlamydophila",
    "pneumocystis": "Pneumonia/Fungal/Pneumocystis",
    "no finding": NO_FINDING,
}


def _finds(place: Place) -> list[Path]:
    return place.having("patientid", "finding", "filename", "modality")


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    path = place.one("the table of covid-chestxray-dataset", _finds(place))
    table = tables.read(
        path,
        ("patientid", "finding", "modality", "filename"),
        ("sex", "age", "view", "location", "folder", "offset"),
    )
    parts = table["finding"].str.split(r"\s*,\s*", regex=True).explode()
    unknown = parts.str.lower().isin(_UNKNOWN)
    parts = parts[~unknown]
    parts = parts.str.lower().map(_PATHS).fillna(parts)
    steps = parts.str.split("/").explode().str.strip()
    labels = values.table_of(steps[steps != ""], table.index)
    images = pd.DataFrame(
        {
            "patient": table["patientid"],
            "study": table["patientid"] + "/" + table["offset"],
            "age": values.ages(table["age"]),
            "sex": values.sex(table["sex"]),
            "view": values.views(table["view"]),
            "source": table["location"],
        }
    )
    draft = Draft(place, rules, images, labels)
    unlabelled = pd.Series(~table.index.isin(parts.index), index=table.index)
    draft.leave_out("no label", unlabelled)
    if rules["modality"] == "X-ray":
        draft.leave_out("modality", ~table["modality"].str.lower().isin(["x-ray", "xray"]))
    draft.views(table["view"])
    folder = table["folder"].where(table["folder"] != "", "images")
    draft.found(folder + "/" + table["filename"], budget=budget)
    draft.labels = kept = values.met(draft.labels)
    return draft.record(
        [path],
        task=FINDINGS,
        rule="Every step of the path in finding is a label of its own; what is not named is taken as absent.",
        no_finding=NO_FINDING if NO_FINDING in kept else None,
    )


READER = Reader(
    "covid-chestxray-dataset",
    _finds,
    _reads,
    "Cohen et al., COVID-19 Image Data Collection, 2020, and those named in its columns doi, url and license.",
    choices={"modality": ("X-ray", "all"), **VIEWS, **MISSING},
    overlaps={
        "COVIDx": "COVIDx takes its images",
        "COVID-19 Radiography Database": "the database takes its images",
    },
)
