"""What people found wrong with images: a table beside the runs. The image files are never changed.

    add(runs_dir(), digest, "train/NORMAL/a.png", "NORMAL", LABEL_WRONG, "an opacity on the left", "PNEUMONIA")
    read(runs_dir())                      # digest, file, label, action, reason, time, right
    undo(runs_dir(), digest, LABEL_WRONG)
    kept, sentences = leave_out(samples, read(runs_dir()))      # where a training is asked to honour them

A mark belongs to the content of an image (its digest), so it holds for every copy and after a file is moved. ``right``
is the label that the person would give instead, "" where they named none. It is kept and exported; a training that
honours marks leaves the image out, whatever stands there.
"""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from cxr_core import sheets
from cxr_core.activity import record
from cxr_core.data.changes import changing
from cxr_core.data.splits import check_findings
from cxr_core.errors import ConfigError, DatasetError
from cxr_core.figures import of
from cxr_core.findings import names_in
from cxr_core.settings import write_atomic
from cxr_core.sheets import written

LABEL_WRONG, LEAVE_OUT = "label-wrong", "leave-out"
ACTIONS = {LABEL_WRONG: "label looks wrong", LEAVE_OUT: "leave out of training"}
# So called from the first, as is the field of a configuration that honours them (``corrections``).
FILE = "corrections.csv"
COLUMNS = ["digest", "file", "label", "action", "reason", "time", "right"]
# Tables of before have no right label.
_OLD_COLUMNS = COLUMNS[:-1]
MAX_REASON = 300


def read(runs_dir: Path) -> pd.DataFrame:
    """All marks, the oldest first; texts only, ``time`` in UTC (ISO 8601). Raises DatasetError where damaged."""
    path = runs_dir / FILE
    try:
        table = sheets.read(path)
    except FileNotFoundError:
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise DatasetError(f"{path} cannot be read ({reason}): expected a table. Restore it, or delete it.") from None
    if list(table.columns) == _OLD_COLUMNS:
        table["right"] = ""
    if list(table.columns) != COLUMNS or not table["action"].isin(ACTIONS).all():
        raise DatasetError(
            f"{path} is damaged: expected the columns {', '.join(COLUMNS)}, and {' or '.join(ACTIONS)} as action. "
            "Restore it, or delete it."
        )
    return table


def add(runs_dir: Path, digest: str, file: str, label: str, action: str, reason: str = "", right: str = "") -> None:
    """Mark an image: ``action`` is LABEL_WRONG or LEAVE_OUT. The same mark again replaces its reason, right label and
    time.

    Raises ConfigError for another action, a reason of more than 300 characters, or a right label of an image whose
    label is not called wrong, or that is the label it has.
    """
    if action not in ACTIONS:
        raise ConfigError(f"action: expected {' or '.join(ACTIONS)}, got {action!r}.")
    if right and (action != LABEL_WRONG or right == label):
        raise ConfigError(f"right: expected another label than {label}, with {LABEL_WRONG}; got {right} and {action}.")
    reason = " ".join(reason.split())
    if len(reason) > MAX_REASON:
        raise ConfigError(f"reason: expected at most {MAX_REASON} characters, got {len(reason)}. Shorten it.")
    time = datetime.now(UTC).isoformat(timespec="seconds")
    with changing(runs_dir / FILE):
        table = _without(read(runs_dir), digest, action)
        table.loc[len(table)] = [digest, file, label, action, reason, time, right]
        write_atomic(runs_dir / FILE, written(table))
    record("fixed", f"marked: {ACTIONS[action]}", runs=runs_dir, counts={"images": 1})


def undo(runs_dir: Path, digest: str, action: str) -> None:
    """Take a mark back. Nothing happens where it is not there."""
    with changing(runs_dir / FILE):
        table = read(runs_dir)
        left = _without(table, digest, action)
        if len(left) == len(table):
            return
        write_atomic(runs_dir / FILE, written(left))
    record("fixed", "mark taken back", runs=runs_dir, counts={"images": 1})


def leave_out(samples: pd.DataFrame, marks: pd.DataFrame, keep_val: bool) -> tuple[pd.DataFrame, list[str]]:
    """``samples`` (columns digest, label, split: train, val or test; of findings y_NAME) without the marked ones, and
    what to say of it.

    They leave train, and val unless ``keep_val`` (it was given with the data set). They never leave test: the same
    images judge a run with and without marks. Raises DatasetError where a class would have no training image
    left, or validation no image at all.
    """
    marked = samples["digest"].isin(marks["digest"])
    gone = marked & samples["split"].isin(["train"] if keep_val else ["train", "val"])
    kept = samples[~gone]
    if names_in(samples):
        check_findings(kept)
    for label in [] if names_in(samples) else sorted(set(samples["label"])):
        if not ((kept["split"] == "train") & (kept["label"] == label)).any():
            raise DatasetError(
                f"All training images of {label} are marked as wrong or to be left out: expected one at least. Undo "
                "some marks on the Dataset page, or train without honouring marks."
            )
    if not (kept["split"] == "val").any():
        raise DatasetError(
            "All validation images are marked as wrong or to be left out. Undo some on the Dataset page."
        )
    sentences = []
    if gone.any():
        parts = samples.loc[gone, "split"].value_counts()
        counted = " and ".join(
            f"{of(parts[name], int((samples['split'] == name).sum()))} from {word}"
            for name, word in (("train", "training"), ("val", "validation"))
            if name in parts
        )
        sentences.append(f"Images that a person marked as wrong or to be left out were taken out: {counted}.")
    stay = int((marked & ~gone).sum())
    if stay:
        where = "test or the given validation split" if keep_val else "test split"
        sentences.append(f"{stay:,} marked {'image is' if stay == 1 else 'images are'} in the {where}, and stay there.")
    return kept, sentences


def _without(table: pd.DataFrame, digest: str, action: str) -> pd.DataFrame:
    return table[(table["digest"] != digest) | (table["action"] != action)].reset_index(drop=True)
