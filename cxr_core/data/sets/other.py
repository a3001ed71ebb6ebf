"""Any other table of images: read by its description, or a question where its columns do not tell.

    asked = propose(path)               # a Description, or a Question with a proposal in it
    record = described(path, description)

Nothing is guessed that could be otherwise: what is not told by the columns and their values is asked.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from cxr_core.data.budget import Budget
from cxr_core.data.listing import SPLIT_NAMES
from cxr_core.data.sets import tables, values
from cxr_core.data.sets.description import BLANK, LIST, NO, UNCERTAIN, YES, Description, content
from cxr_core.data.sets.draft import MISSING, VIEWS, Draft
from cxr_core.data.sets.index import Index, depth_of
from cxr_core.data.sets.padchest import listed
from cxr_core.data.sets.place import look
from cxr_core.data.sets.reader import chosen
from cxr_core.data.sets.record import Record, Rules
from cxr_core.errors import DatasetError, Question
from cxr_core.figures import of
from cxr_core.findings import EXCLUSIVE, FINDINGS, NO_FINDING, means_none

# Names that say what a column holds, without blanks and signs.
_KNOWN = {
    "patient": ("patient", "patientid", "subject", "subjectid", "person", "personid"),
    "study": ("study", "studyid", "studyinstanceuid"),
    "age": ("age", "patientage"),
    "sex": ("sex", "gender", "patientsex", "patientgender"),
    "view": ("view", "viewposition", "projection"),
    "source": ("source", "hospital", "site", "manufacturer"),
    "split": ("split", "subset", "partition"),
}
_LABELS = ("label", "labels", "class", "finding", "findings", "findinglabels", "diagnosis", "diagnoses")
# So many classes, of fewer images than those, look like patients.
_MANY, _FEW = 50, 3
_SEEN = 5_000
ASKS_FILE = "Which column names the image file?"


def propose(path: Path, budget: Budget | None = None) -> Description | Question:
    """What the columns of a table tell by themselves, or what has to be asked first."""
    place = look(path, budget)
    table = tables.read(path, tables.spelled(path))
    files = _file_columns(table, Index(place.root, budget))
    if len(files) != 1:
        because = f"images are named in {', '.join(files)}" if files else "no column names an image below its folder"
        return Question(ASKS_FILE, because)
    about = _about(table.columns.drop(files))
    rest = [name for name in table.columns if name not in (*files, *about.values())]
    marks = [name for name in rest if _is_mark(table[name])]
    words = [name for name in rest if _plain(name) in _LABELS and name not in marks]
    return _of_labels(table, files[0], about, marks, words)


def _of_labels(
    table: pd.DataFrame, file: str, about: dict[str, str], marks: list[str], words: list[str]
) -> Description | Question:
    if len(words) == 1 and not marks:
        return _of_words(
            table[words[0]], Description(file=file, labels=(words[0],), task="exclusive").model_copy(update=about)
        )
    if marks and not words:
        one_each = len(marks) > 1 and _one_each(table[marks])
        none = next((name for name in marks if means_none(name)), "")
        told = {**about, "task": EXCLUSIVE if one_each else FINDINGS, "no_finding": "" if one_each else none}
        found = Description(file=file, labels=tuple(marks)).model_copy(update=told)
        if len(marks) == 1 and _plain(marks[0]) in _LABELS:
            return Question(
                f"What do the values of {marks[0]} mean?",
                "a number, or yes and no, names no class or finding",
                _proposal(found),
            )
        return found
    if not words and not marks:
        others = ", ".join(name for name in table.columns if name not in (file, *about.values())) or "no other column"
        return Question("Which columns hold the labels?", f"none of these is one by its name or values: {others[:300]}")
    proposal = _proposal(Description(file=file, labels=tuple(marks)).model_copy(update=about)) if marks else None
    return Question("Which columns hold the labels?", f"these could be: {', '.join((*words, *marks))[:300]}", proposal)


def _proposal(description: Description) -> dict[str, Any]:
    return {"description": content(description)}


def _of_words(column: pd.Series, plain: Description) -> Description | Question:
    """One column of names: one name a row, or several between a separator."""
    given = column[~column.str.lower().isin(BLANK)]
    name = plain.labels[0]
    if not len(given):
        return Question("Which columns hold the labels?", f"the column {name} is empty")
    if given.str.startswith("[").all():
        return _several(plain, LIST, listed(given))
    met = [sign for sign in "|;," if given.str.contains(sign, regex=False).any()]
    if len(met) > 1:
        examples = " and ".join(_first(given, sign) for sign in met)
        proposal = _several(plain, met[0], given.str.split(met[0]).explode().str.strip())
        return Question(
            f"Which sign in {name} separates several findings?", f"there are {examples}", _proposal(proposal)
        )
    if met == [","]:
        proposal = _several(plain, ",", given.str.split(",").explode().str.strip())
        because = f"such as {_first(given, ',')}"
        return Question(f"Does a comma in {name} separate several findings?", because, _proposal(proposal))
    if met:
        return _several(plain, met[0], given.str.split(met[0]).explode().str.strip())
    if pd.to_numeric(given, errors="coerce").notna().all():
        return Question(f"What do the numbers of {name} mean?", "a number names no class", _proposal(plain))
    counts = given.value_counts()
    if len(counts) >= _MANY and counts.median() < _FEW:
        because = f"it has {len(counts):,} values, half of them in fewer than {_FEW} rows: they may be patients"
        return Question(f"Is {name} the class of the image?", because, _proposal(plain))
    return plain


def _several(plain: Description, separator: str, parts: pd.Series) -> Description:
    none = next((part for part in parts.unique() if means_none(part)), "")
    return plain.model_copy(update={"separator": separator, "task": FINDINGS, "no_finding": none})


def _first(column: pd.Series, sign: str) -> str:
    return repr(column[column.str.contains(sign, regex=False)].iloc[0][:60])


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _about(names: pd.Index) -> dict[str, str]:
    return {
        what: fitting[0]
        for what, known in _KNOWN.items()
        if len(fitting := [name for name in names if _plain(name) in known]) == 1
    }


def _is_mark(column: pd.Series) -> bool:
    """Whether all values say yes, no, uncertain or nothing, and some say yes or no."""
    met = set(column.str.lower().unique())
    return met <= {*YES, *NO, *UNCERTAIN, *BLANK} and bool(met & {*YES, *NO})


def _one_each(marks: pd.DataFrame) -> bool:
    lower = marks.apply(lambda column: column.str.lower())
    return bool((lower.isin(YES).sum(axis=1) == 1).all() and (lower.isin(YES) | lower.isin(NO)).all(axis=None))


def _file_columns(table: pd.DataFrame, index: Index) -> list[str]:
    """Columns of which most values name an image; the fullest where several do."""
    seen = table.head(_SEEN)
    found = {}
    for name in table.columns:
        if seen[name].nunique() > len(seen) // 2:
            try:
                found[name] = int((index.find(seen[name]) != "").sum())
            except DatasetError:
                # Two images of one name: it names images all the same.
                found[name] = len(seen)
    best = max(found.values(), default=0)
    return [name for name, count in found.items() if count == best > 0]


def described(path: Path, description: Description, rules: Rules | None = None, budget: Budget | None = None) -> Record:
    """The record of a table as its description says. Raises DatasetError where a column or a value is not told of."""
    place = look(path, budget)
    about = description.about()
    columns = dict.fromkeys((description.file, *description.labels, *about.values()))
    table = tables.read(path, tuple(columns))
    images = _images(table, about, path)
    name = description.labels[0]
    if len(description.labels) == 1 and (description.separator or description.task == EXCLUSIVE):
        blank = table[name].str.lower().isin([value.lower() for value in description.blank])
        labels = None if description.task == EXCLUSIVE else _tokens(table[name].mask(blank, ""), description.separator)
        images = images.assign(label=table[name]) if description.task == EXCLUSIVE else images
    else:
        marks = _marks(table[list(description.labels)], description, path)
        labels, blank = marks, marks.isna().all(axis=1) & (description.task == EXCLUSIVE)
        if description.task == EXCLUSIVE:
            images, labels = images.assign(label=_classes(marks, path)), None
    choices = {**(VIEWS if description.view else {}), **MISSING}
    draft = Draft(place, chosen(choices, rules, path.name), images, labels)
    draft.leave_out("no label", blank)
    if description.view:
        draft.views()
    # Where a name occurs in many folders, these must agree too: another patient's image is none.
    draft.found(table[description.file], depth=depth_of(table[description.file]), budget=budget)
    none = description.no_finding if labels is not None and description.no_finding in labels else None
    if none and not means_none(none):
        # Everything behind this knows it by its name.
        draft.labels = draft.labels.rename(columns={none: NO_FINDING})
        none = NO_FINDING
    return draft.record([path], task=description.task, rule=_said(description), no_finding=none, choices=choices)


def _said(description: Description) -> str:
    listed_names = ", ".join(description.labels[:3]) + (" and others" if len(description.labels) > 3 else "")
    if description.separator:
        return f"The names in the column {listed_names}; others count as absent."
    if len(description.labels) == 1 and description.task == EXCLUSIVE:
        return f"The column {listed_names} is the class of the image."
    how = "One column per class, one yes per image" if description.task == EXCLUSIVE else "One column per finding"
    return f"{how}: {listed_names}."


def _images(table: pd.DataFrame, about: dict[str, str], path: Path) -> pd.DataFrame:
    images = pd.DataFrame(index=table.index)
    for name, column in about.items():
        text = table[column].mask(table[column].str.lower().isin(BLANK), "")
        if name == "age":
            images[name] = values.ages(text)
            images["wrong_age"] = values.wrong_ages(text)
        elif name == "split":
            images[name] = text.str.lower().map(SPLIT_NAMES).fillna("").astype("str")
            strange = (images[name] == "") & (text != "")
            if strange.any():
                raise DatasetError(
                    f"{path.name}: expected the split train, val or test in {column}, got "
                    f"{text[strange].iloc[0][:50]!r} ({of(int(strange.sum()), len(text))} rows). "
                    f"Correct it, or describe the table without it."
                )
        else:
            images[name] = {"sex": values.sex, "view": values.views}.get(name, lambda same: same)(text)
    return images


def _tokens(column: pd.Series, separator: str) -> pd.DataFrame:
    return values.table_of(listed(column), column.index) if separator == LIST else values.tokens(column, separator)


def _marks(frame: pd.DataFrame, description: Description, path: Path) -> pd.DataFrame:
    meaning = {
        value.lower(): mark
        for told, mark in (
            (description.yes, "1"),
            (description.no, "0"),
            (description.uncertain, "-1"),
            (description.blank, ""),
        )
        for value in told
    }
    return values.marks(frame.apply(lambda column: column.str.lower().map(meaning).fillna(column)), path)


def _classes(marks: pd.DataFrame, path: Path) -> pd.Series:
    """The only column that says yes, of each row."""
    several = (marks == 1).sum(axis=1) > 1
    none = ((marks == 1).sum(axis=1) == 0) & marks.notna().any(axis=1)
    if (several | none).any():
        row = int((several | none).to_numpy().argmax())
        raise DatasetError(
            f"{path.name}, row {row + 2:,}: expected one yes among {', '.join(map(str, marks.columns[:5]))}, got "
            f"{int((marks.iloc[row] == 1).sum())} ({of(int((several | none).sum()), len(marks))} rows). Correct "
            "the table, or describe its labels as findings."
        )
    return (marks == 1).idxmax(axis=1).astype("str")
