"""TBX11K: three folders, and boxes of tuberculosis in COCO's JSON, one file a split."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.sets import tables
from cxr_core.data.sets.draft import MISSING, Draft
from cxr_core.data.sets.place import Place
from cxr_core.data.sets.reader import Reader
from cxr_core.data.sets.record import Record, Rules
from cxr_core.errors import DatasetError
from cxr_core.findings import EXCLUSIVE

_CLASSES = {"health": "Healthy", "sick": "Sick, no tuberculosis", "tb": "Tuberculosis"}
_KINDS = {
    "ActiveTuberculosis": "Active tuberculosis",
    "ObsoletePulmonaryTuberculosis": "Latent tuberculosis",
    "PulmonaryTuberculosis": "Tuberculosis",
}
_HEAD = 2**20


def _finds(place: Place) -> list[Path]:
    inside = {name.rsplit("/", 1)[-1].lower() for name in place.folders}
    if place.chosen is None and not inside.issuperset(_CLASSES):
        return []
    own = [path for path in place.texts if path.suffix.lower() == ".json" and place.chosen in (None, path)]
    return [path for path in own if _is_ours(path)]


def _is_ours(path: Path) -> bool:
    """Whether the head or the end of a COCO file names the categories of tuberculosis."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            file.seek(max(0, path.stat().st_size - _HEAD))
            return b"ActiveTuberculosis" in head + file.read(_HEAD)
    except OSError:
        return False


def _reads(place: Place, rules: Rules, budget: Budget | None) -> Record:
    paths = _finds(place)
    parts = [_coco(path) for path in paths]
    # all_train, all_trainval and the like repeat the images of the splits: the first file that has an image counts.
    order = sorted(range(len(paths)), key=lambda n: (_split_of(paths[n]) == "", paths[n].name))
    images = pd.concat([parts[n][0].assign(split=_split_of(paths[n])) for n in order], ignore_index=True)
    boxes = pd.concat([parts[n][1] for n in order], ignore_index=True)
    images = images[~images["name"].duplicated()].reset_index(drop=True)
    folder = images["name"].str.split("/").str[0].str.lower()
    label = folder.map(_CLASSES)
    if label.isna().any():
        raise DatasetError(
            f"{paths[0].name}: the image {images['name'][label.isna()].iloc[0][:80]} lies in none of the folders "
            f"{', '.join(_CLASSES)}. Take the set as it was downloaded."
        )
    if rules["tuberculosis"] == "by kind":
        label = label.where(folder != "tb", images["name"].map(_kind(boxes)).fillna("Tuberculosis"))
    rows = pd.Series(images.index, index=images["name"])
    boxes.insert(0, "image", boxes.pop("name").map(rows))
    draft = Draft(place, rules, images[["split"]].assign(label=label), boxes=boxes.drop_duplicates())
    draft.found("imgs/" + images["name"], budget=budget)
    return draft.record(
        paths,
        task=EXCLUSIVE,
        rule="The folder: healthy, sick without tuberculosis, tuberculosis"
        + (" (active, latent or both, as its boxes say)." if rules["tuberculosis"] == "by kind" else "."),
    )


def _split_of(path: Path) -> str:
    """By the last word of the name; "" for files of several splits."""
    word = path.stem.lower().rsplit("_", 1)[-1]
    return word if word in ("train", "val", "test") else ""


def _kind(boxes: pd.DataFrame) -> pd.Series:
    """What the boxes of an image say it is."""
    kinds = boxes["finding"].map(_KINDS).groupby(boxes["name"]).agg(lambda found: sorted(set(found)))
    return kinds.map(lambda found: found[0] if len(found) == 1 else "Active and latent tuberculosis")


def _coco(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(images: name; boxes: name, finding, x, y, width, height) of a file."""
    try:
        content: dict[str, Any] = json.loads("\n".join(tables.lines(path)))
        names = {image["id"]: str(image["file_name"]) for image in content["images"]}
        kinds = {category["id"]: str(category["name"]) for category in content["categories"]}
        boxes = [
            (names[box["image_id"]], kinds[box["category_id"]], *map(float, box["bbox"]))
            for box in content.get("annotations", [])
        ]
        columns = ["name", "finding", "x", "y", "width", "height"]
        return pd.DataFrame({"name": pd.Series(list(names.values()), dtype="str")}), pd.DataFrame(
            boxes, columns=columns
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"{path.name}: expected COCO's JSON with images, annotations and categories ({type(error).__name__}: "
            f"{error}). Download it again."
        ) from error


READER = Reader(
    "TBX11K",
    _finds,
    _reads,
    "Liu et al., Rethinking Computer-Aided Tuberculosis Diagnosis, CVPR 2020.",
    choices={"tuberculosis": ("as one", "by kind"), **MISSING},
    overlaps={"Shenzhen and Montgomery": "TBX11K contains both"},
)
