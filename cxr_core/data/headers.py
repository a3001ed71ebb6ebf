"""Patients that a public set tells in its DICOM headers alone: by the code of their ID, where it tells them apart.

    samples, origin = patients(samples, codes, origin)      # codes: one for each row of samples, "" where none stands

An ID that very many images share stands for "removed", and one that no two images share may as well be the name of the
file (RSNA's is): neither says who has several images, so the patient stays unknown, and a sentence says why.
"""

from dataclasses import replace

import pandas as pd

from cxr_core.data.origin import Origin
from cxr_core.figures import of

# A code of more images than this share, and more than this number, is no patient.
_SHARE, _IMAGES = 0.1, 10


def patients(samples: pd.DataFrame, codes: pd.Series, origin: Origin) -> tuple[pd.DataFrame, Origin]:
    """The samples with the patients of the headers where nothing else tells them, and the rule that says so."""
    open_ = (samples["patient"] == "").to_numpy()
    codes = codes.where(open_, "")
    stated = codes[codes != ""]
    if stated.empty:
        return samples, origin
    images = stated.map(stated.value_counts())
    everybody = images > max(_SHARE * len(samples), _IMAGES)
    told = stated[~everybody]
    problems = []
    if everybody.any():
        problems.append(
            f"{of(int(everybody.sum()), len(samples))} images share the patient's ID of their DICOM headers with more "
            "than a tenth of all: it was removed, their patients are not known."
        )
    if len(told) and told.is_unique:
        problems.append(
            f"The DICOM headers give each of {len(told):,} images a patient's ID of its own: who has several images "
            "is not known."
        )
        told = told[:0]
    if len(told):
        named = samples["patient"].mask(samples.index.isin(told.index), told.reindex(samples.index))
        samples = samples.assign(patient=named.astype("str"))
        said = f"Patients come from the DICOM headers: {told.nunique():,} in {of(len(told), len(samples))} images."
        origin = replace(origin, rule=f"{origin.rule} {said}")
    return samples, replace(origin, problems=(*origin.problems, *problems))
