"""Names of files that tell a person: her name, a date, or which images are of one patient.

    person_names(samples)         # a sentence, where names of files or patients look like names of persons
    patients_in_names(samples)    # a sentence, where PATIENT_NUMBER is the form of the files' names

Both look at the form alone, so both may be wrong; no name is ever part of the sentence.
"""

import re
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from cxr_core.figures import of

# Fewer different ones, or a smaller share of the files, and the form is a chance.
_LEAST = 3
_SHARE = 0.1
_ENOUGH = 4000
_DICOM = re.compile(r"[^\W\d_]{2,}[ '-]?[^\W\d_]*\^[^\W\d_]+")
_WORD = r"([A-ZÀ-Þ][a-zà-ÿ'\u2019]{1,20}|[A-ZÀ-Þ]{3,20})"
_WORDS = re.compile(rf"(?<![^\W_]){_WORD}(?:,\s?|[_ -]){_WORD}(?![^\W\d_])")
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0[1-9]|[12]\d|3[01])[-_.](?:0[1-9]|1[0-2])[-_.](?:19|20)\d\d)(?!\d)"
)
_PATIENT = re.compile(r"^([A-Za-z]{0,12}[_-]?\d{3,12})[_-](\d{1,4})$")
# Words that stand in the names of X-ray files and are nobody's.
_FILES = (
    "abnormal adenocarcinoma anterior ap atelectasis bacteria bacterial batch bilateral cardiomegaly case chest "
    "clinic consolidation copy corona coronavirus covid cr ct cxr dataset day dicom disease dr dx edema effusion "
    "emphysema erect exam export fibrosis figure file film final finding findings frontal fungal healthy hernia "
    "hospital im image images img infiltration lateral left lung lungs mass mers new no nodule none normal opacity "
    "original pa part patient person photo picture pleural pneumocystis pneumonia pneumothorax portable posterior "
    "radiograph ray right sars scan screenshot series sick slice streptococcus study subject supine test thorax "
    "train tuberculosis val validation view viral virus whatsapp xray"
)
_NOBODY = frozenset(_FILES.split())


def person_names(samples: pd.DataFrame) -> str:
    """One sentence, "" where nothing looks like it. ``samples``: columns file, label, patient; of many, some thousands
    spread over all of them are looked at, since a form is that of most names.
    """
    samples = samples.iloc[:: max(1, len(samples) // _ENOUGH)]
    parts = [_own_parts(str(file), str(label)) for file, label in zip(samples["file"], samples["label"], strict=True)]
    patients = sorted(set(samples["patient"]) - {""})
    told = [
        said
        for said, found in (
            ("names of files or folders look like names of persons", [_names(part) for part in parts]),
            ("names of files or folders hold dates, perhaps of birth", [_DATE.findall(part) for part in parts]),
            ("patients are called by what looks like a name", [_names(patient) for patient in patients]),
        )
        if _is_form(found)
    ]
    if not told:
        return ""
    return f"{'; '.join(told).capitalize()}. A run keeps such names unless it is trained with pseudonyms."


def _is_form(found: Sequence[Sequence[str]]) -> bool:
    """Whether enough of the names hold something, and not all of them the same."""
    different, having = {text for texts in found for text in texts}, sum(bool(texts) for texts in found)
    return having > 0 and len(different) >= min(_LEAST, len(found)) and having >= _SHARE * len(found)


def _own_parts(file: str, label: str) -> str:
    """A file's name and those of the folders between it and its class: what is one patient's, not the class's."""
    folders, _, name = file.rpartition("/")
    stem = name.rsplit(".", 1)[0]
    return "/".join([*(part for part in folders.split("/")[-2:] if part not in ("", label)), stem])


def _names(text: str) -> list[str]:
    pairs = [pair for pair in _WORDS.findall(text) if not {word.casefold() for word in pair} & _NOBODY]
    return [*_DICOM.findall(text), *(" ".join(pair) for pair in pairs)]


def _patient(file: str) -> str | None:
    matched = _PATIENT.match(file.rpartition("/")[2].rpartition(".")[0])
    return matched[1] if matched else None


def patients_in_names(samples: pd.DataFrame) -> str:
    """One sentence, "" where patients are known or the names do not have the form. ``samples``: columns file, patient,
    split.
    """
    if samples.empty or (samples["patient"] != "").any():
        return ""
    files = samples["file"].tolist()
    some = files[:: max(1, len(files) // _ENOUGH)]
    if sum(_patient(file) is not None for file in some) < 0.8 * len(some):
        return ""
    found = pd.Series([_patient(file) for file in files], index=samples.index, dtype=object)
    sizes = Counter(found.dropna())
    # Patients have some images each; a running number has one each, the name of a series all.
    if found.notna().mean() < 0.9 or len(sizes) < 5 or max(sizes.values()) > max(0.1 * len(samples), 10):
        return ""
    if len(sizes) > 0.95 * len(samples):
        return ""
    test = samples["split"] == "test"
    both = set(found[test].dropna()) & set(found[samples["split"].isin(("train", "val"))].dropna())
    named = of(int(found.notna().sum()), len(samples))
    form = f"{named} files are named like PATIENT_NUMBER ({len(sizes):,} patients)"
    if not both:
        return f"{form}, and no table says so: a split by patient needs the column patient in sources.csv."
    held = int((test & found.isin(both)).sum())
    return (
        f"{form}, and {len(both):,} patients would be in train and in test ({of(held, int(test.sum()))} test "
        "images): write them into the column patient of sources.csv, so that the audit and a split can tell."
    )
