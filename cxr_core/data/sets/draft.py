"""A record in the making: rules leave images out one after the other, each image is counted by the first that does.

draft = Draft(place, rules, images, labels)
draft.leave_out("modality", table["modality"] == "CT")
draft.views()                                # lateral views, unless the rule "views" says "all"
draft.found(index, wanted)                   # the files, and those that are missing
draft.record([path], rule="...", task="findings")
"""

from pathlib import Path
from typing import Any

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.listing import relative
from cxr_core.data.sets import values
from cxr_core.data.sets.index import Index
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.record import COLUMNS, Record, Rules
from cxr_core.errors import DatasetError
from cxr_core.figures import of
from cxr_core.findings import EXCLUSIVE
from cxr_core.paths import shown

# Choices that most sets have; the first is what is done when nobody says otherwise.
VIEWS = {"views": ("frontal", "all")}
# How tables write that they do not know.
_NO_VIEW = ("", "nan", "none", "unk", "unknown")
MISSING = {"missing": ("left out", "kept")}


class Draft:
    """``images``: some of the columns of a record, ``wanted`` paths come later; ``labels``: aligned with it."""

    def __init__(
        self,
        place: Place,
        rules: Rules,
        images: pd.DataFrame,
        labels: pd.DataFrame | None = None,
        agreement: pd.DataFrame | None = None,
        boxes: pd.DataFrame | None = None,
    ) -> None:
        self.place, self.rules = place, rules
        blank = {name: "" for name in COLUMNS if name not in images and name != "age"}
        self.images = images.assign(**blank) if blank else images
        if "age" not in self.images:
            self.images = self.images.assign(age=float("nan"))
        self.labels = pd.DataFrame(index=images.index) if labels is None else labels
        self.agreement, self.boxes = agreement, boxes
        self.left_out: list[tuple[str, int]] = []
        self.problems: list[str] = []

    def leave_out(self, rule: str, which: pd.Series) -> None:
        """Drop the images of a mask (over rows that are still there or were); count them."""
        mask = which.reindex(self.images.index).to_numpy(bool)
        self.left_out.append((rule, int(mask.sum())))
        if mask.any():
            keep = ~mask
            self.images, self.labels = self.images[keep], self.labels[keep]
            self.agreement = None if self.agreement is None else self.agreement[keep]

    def views(self, written: pd.Series | None = None) -> None:
        """Leave out what is no frontal view; an unknown view stays. ``written``: the table's words, to say which of
        them are not known.
        """
        if written is not None:
            words = written.reindex(self.images.index)
            strange = (self.images["view"] == "") & ~words.str.lower().isin(_NO_VIEW)
            listed = ", ".join(sorted(words[strange].unique())[:4])
            self.problem(strange, f"images have a view that is not known ({listed}): they count as frontal.")
        if self.rules["views"] == "frontal":
            self.leave_out("views", ~self.images["view"].isin(values.FRONTAL))

    def problem(self, which: pd.Series, sentence: str) -> None:
        """Say how many rows are odd, where any is."""
        count = int(which.sum())
        if count:
            self.problems.append(f"{of(count, len(which))} {sentence}")

    def found(self, wanted: pd.Series, depth: int = 1, budget: Budget | None = None) -> Index:
        """Fill ``file`` from what the table calls the images; leave out, or keep under that name, what is not there."""
        index = Index(self.place.root, budget)
        wanted = wanted.reindex(self.images.index)
        files = index.find(wanted, depth)
        missing = files == ""
        twice = files[~missing].duplicated(keep=False)
        if twice.any():
            file = str(files[~missing][twice].iloc[0])
            raise DatasetError(
                f"{shown(self.place.root)}: {of(int(twice.sum()), len(files))} images of the table share a file, the "
                f"first {file}. Expected one row for each image: remove the rows that stand twice."
            )
        self.images = self.images.assign(file=files.where(~missing, wanted))
        if self.rules["missing"] == "left out":
            total = len(missing)
            self.leave_out("missing", missing)
            if not len(self.images):
                raise DatasetError(
                    f"{shown(self.place.root)}: none of the {total:,} images that the table names was found below it, "
                    f"such as {wanted.iloc[0][:120]}. Put the images below this folder, or choose the one above."
                    if total
                    else f"{shown(self.place.root)}: the rules leave out all of the images. Change one of them."
                )
        self.problems += [f"{relative(index.root, path)} {reason}" for path, reason in index.folder.troubles]
        return index

    def record(self, tables: list[Path], **about: Any) -> Record:
        """The record; ``about``: its other fields."""
        columns = [*COLUMNS, *(["label"] if about["task"] == EXCLUSIVE else [])]
        images = self.images[columns].reset_index()
        boxes = self.boxes
        if boxes is not None:
            rows = pd.Series(images.index, index=images["index"])
            boxes = boxes[boxes["image"].isin(rows.index)]
            boxes = boxes.assign(image=boxes["image"].map(rows)).reset_index(drop=True)
        agreement = None if self.agreement is None else self.agreement.reset_index(drop=True)
        return Record(
            set=None,
            root=self.place.root,
            images=images.drop(columns="index"),
            labels=self.labels.reset_index(drop=True),
            agreement=agreement,
            boxes=boxes,
            left_out=self.left_out,
            problems=self.problems,
            rules=dict(self.rules),
            tables=tuple(relative(self.place.root, path) for path in tables),
            **about,
        )
