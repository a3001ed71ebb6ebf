"""SIIM-ACR Pneumothorax Segmentation 2019: run lengths of each pneumothorax, -1 where there is none."""

from pathlib import Path

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.sets import tables
from cxr_core.data.sets.draft import MISSING, Draft
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.errors import DatasetError
from cxr_core.findings import FINDINGS

FINDING = "Pneumothorax"


def _finds(place: Place) -> list[Path]:
    return place.having("imageid", "encodedpixels")


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    path = place.one("the table of run lengths of SIIM-ACR", _finds(place))
    table = tables.read(path, ("ImageId", "EncodedPixels"))
    runs = table["EncodedPixels"]
    strange = ~runs.str.fullmatch(r"-1|\d+ \d+(?: \d+ \d+)*")
    if strange.any():
        row = int(strange.to_numpy().argmax())
        raise DatasetError(
            f"{path.name}, row {row + 2:,}: expected pairs of lengths, or -1 for none, got {runs.iloc[row][:60]!r}. "
            "The table was cut: download it again."
        )
    present = (runs != "-1").groupby(table["ImageId"], sort=False).max()
    names = pd.Series(present.index, dtype="str")
    images = pd.DataFrame({"split": pd.Series("train", index=names.index, dtype="str")})
    draft = Draft(place, rules, images, pd.DataFrame({FINDING: present.to_numpy("float32")}))
    draft.found(names, budget=budget)
    return draft.record(
        [path],
        task=FINDINGS,
        rule="Pneumothorax is present where the image has run lengths, absent where they are -1.",
        in_headers=("patient", "age", "sex", "view"),
    )


READER = Reader(
    "SIIM-ACR Pneumothorax",
    _finds,
    _reads,
    "SIIM-ACR Pneumothorax Segmentation Challenge, 2019; images: NIH Clinical Center.",
    choices=MISSING,
    overlaps={
        "NIH ChestX-ray14": "the images of SIIM-ACR are NIH images",
        "NIH radiologists 2019": "images of both come from NIH",
        "RSNA Pneumonia 2018": "images of both come from NIH",
    },
)
