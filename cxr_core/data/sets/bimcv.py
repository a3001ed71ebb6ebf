"""BIMCV-COVID19+ and -: findings of each report, and COVID-19 by the test that lies nearest to the image."""

import json
from pathlib import Path

import pandas as pd

from cxr_core import reach
from cxr_core.data.budget import Budget
from cxr_core.data.sets import tables, trees, values
from cxr_core.data.sets.draft import VIEWS, Draft
from cxr_core.data.sets.padchest import listed
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.errors import DatasetError
from cxr_core.findings import FINDINGS

NO_FINDING, COVID = "normal", "COVID-19"
_UNUSABLE = ("exclude", "suboptimal study", "unchanged")
_ANSWERS = {"positivo": 1.0, "positive": 1.0, "negativo": 0.0, "negative": 0.0}
_XRAY = ("mod-rx",)
# DICOM's tags, as the files beside the images write them.
_STUDY_DATE, _VIEW = "00080020", "00185101"


def _finds(place: Place) -> list[Path]:
    return [path for path in place.having("patientid", "reportid", "labels") if "imageid" not in place.tables[path]]


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    paths = _finds(place)
    reports = pd.concat([tables.read(path, ("PatientID", "ReportID", "Labels")) for path in paths], ignore_index=True)
    files, _ = trees.images(place, budget)
    ids = files["file"].str.extract(r"(?:^|/)(?P<patient>sub-S?\w+?)/(?P<study>ses-E?\w+?)/").fillna("")
    known = pd.Series(range(len(reports)), index=_key(reports["PatientID"], reports["ReportID"]))
    known = known[~known.index.duplicated()]
    rows = _key(ids["patient"], ids["study"]).map(known)
    found = listed(reports["Labels"])
    found = found[~found.isin(_UNUSABLE)]
    marks = values.table_of(found, reports.index)
    labels = pd.DataFrame(float("nan"), index=files.index, columns=marks.columns, dtype="float32")
    has = rows.notna()
    labels[has] = marks.to_numpy()[rows[has].astype(int)]
    about = [_beside(place.root / file) for file in files["file"]]
    view = pd.Series([view for _, view in about], index=files.index, dtype="str")
    named = files["name"].str.extract(r"_vp-([a-z]+)", expand=False).fillna("").astype("str")
    labels[COVID], unknown = _tests(place, ids["patient"], pd.Series([day for day, _ in about], index=files.index))
    age, sex = _people(place, ids["patient"])
    images = files[["file"]].assign(
        patient=ids["patient"],
        study=ids["patient"] + "/" + ids["study"],
        age=age,
        sex=sex,
        view=values.views(view).where(values.views(view) != "", values.views(named)),
    )
    draft = Draft(place, rules, images, labels)
    draft.leave_out("no label", ~has & labels[COVID].isna())
    if rules["modality"] == "X-ray":
        modality = files["file"].str.extract(r"/(mod-\w+)/", expand=False)
        draft.leave_out("modality", modality.notna() & ~modality.isin(_XRAY))
    draft.views()
    draft.labels = values.met(draft.labels.drop(columns=COVID)).join(draft.labels[COVID])
    draft.problem(unknown, "images have no test result that can be joined: COVID-19 is blank there.")
    return draft.record(
        paths,
        task=FINDINGS,
        rule="The findings of the report of the session; COVID-19 by the test nearest in time, not by the report.",
        no_finding=NO_FINDING if NO_FINDING in labels else None,
        in_headers=("age", "sex", "view"),
    )


def _key(patient: pd.Series, study: pd.Series) -> pd.Series:
    """Tables write the ids with and without ``sub-`` and ``ses-``."""
    plain = patient.str.removeprefix("sub-") + "/" + study.str.removeprefix("ses-")
    return plain.astype("str")


def _beside(image: Path) -> tuple[str, str]:
    """(day of the study as YYYYMMDD, view) of the JSON file beside an image, "" where it is not told."""
    path = image.with_suffix(".json")
    if not path.is_file() or not reach.reachable(path):
        return "", ""
    try:
        tags = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"{path.name}: expected the tags of an image as JSON ({error}). Download it again."
        ) from error
    return tuple(_value(tags, tag) for tag in (_STUDY_DATE, _VIEW))  # type: ignore[return-value]


def _value(tags: object, tag: str) -> str:
    entry = tags.get(tag, "") if isinstance(tags, dict) else ""
    values_of = entry.get("Value", [""]) if isinstance(entry, dict) else [entry]
    return str(values_of[0]) if isinstance(values_of, list) and values_of else ""


def _tests(place: Place, patients: pd.Series, days: pd.Series) -> tuple[pd.Series, pd.Series]:
    """COVID-19 of each image, and for which it is not known."""
    unknown = pd.Series(float("nan"), index=patients.index, dtype="float32")
    found = place.beside("participant", "fecha", "resultado")
    if not found:
        return unknown, unknown.isna()
    tests = pd.concat([tables.read(path, ("participant", "fecha", "resultado")) for path in found], ignore_index=True)
    tests["answer"] = tests["resultado"].str.lower().map(_ANSWERS)
    tests["day"] = pd.to_datetime(tests["fecha"], format="%d.%m.%Y", errors="coerce")
    tests["patient"] = tests["participant"].str.removeprefix("sub-")
    tests = tests[tests["answer"].notna()]
    images = pd.DataFrame({"patient": patients.str.removeprefix("sub-"), "made": days, "image": patients.index})
    images["made"] = pd.to_datetime(images["made"], format="%Y%m%d", errors="coerce")
    pairs = images.merge(tests, on="patient")
    pairs["apart"] = (pairs["made"] - pairs["day"]).abs()
    dated = pairs[pairs["apart"].notna()].sort_values(["image", "apart", "day"], kind="stable").groupby("image")
    # Without a day an image has its person's result only where all of the results agree.
    undated = pairs[~pairs["image"].isin(list(dated.groups))].groupby("image")["answer"]
    agreed = undated.first()[undated.nunique() == 1]
    answers = pd.concat([dated["answer"].first(), agreed]).astype("float32").reindex(patients.index)
    return answers, answers.isna()


def _people(place: Place, patients: pd.Series) -> tuple[pd.Series, pd.Series]:
    found = place.beside("participant", "age", "gender")
    if not found:
        return pd.Series(float("nan"), index=patients.index), pd.Series("", index=patients.index, dtype="str")
    table = pd.concat([tables.read(path, ("participant", "age", "gender")) for path in found], ignore_index=True)
    table = table[~table["participant"].duplicated()]
    key = table["participant"].str.removeprefix("sub-")
    # Ages are a list as text, one a session: the first.
    age = values.ages(table["age"].str.extract(r"(\d+)", expand=False).fillna("").astype("str")).set_axis(key)
    sex = values.sex(table["gender"].str.strip("[]' ").str.split(",").str[0].str.strip("' ").astype("str")).set_axis(
        key
    )
    plain = patients.str.removeprefix("sub-")
    return plain.map(age).astype(float), plain.map(sex).fillna("").astype("str")


READER = Reader(
    "BIMCV-COVID19",
    _finds,
    _reads,
    "de la Iglesia Vayá et al., BIMCV-COVID19+, 2020; Medical Imaging Databank of the Valencia Region.",
    choices={"modality": ("X-ray", "all"), **VIEWS},
    overlaps={
        "COVIDx": "COVIDx takes its images (bimcv)",
        "SIIM-FISABIO-RSNA COVID-19": "SIIM-COVID takes its images",
    },
)
