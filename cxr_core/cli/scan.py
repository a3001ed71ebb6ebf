"""The command ``scan``: what a data set holds, by which rules it was read, and how its table could be described."""

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxr_core.activity import record_opened
from cxr_core.cli import flags
from cxr_core.cli.output import print_json
from cxr_core.errors import ConfigError, DatasetError, QuestionError
from cxr_core.findings import FINDINGS
from cxr_core.settings import runs_dir, write_atomic

if TYPE_CHECKING:
    import pandas as pd

    from cxr_core.data import Dataset


def add(actions: flags.Actions) -> None:
    """The parser of the command."""
    parser = actions.add_parser("scan", help="what a data set holds: labels, splits, rules, unreadable files")
    parser.set_defaults(command=scan, check=_check)
    flags.data(parser, required=True)
    flags.reading(parser)
    parser.add_argument(
        "--propose",
        nargs="?",
        const="-",
        metavar="FILE",
        help="write how the table could be described, for --describe, instead (default: standard output)",
    )
    parser.add_argument("--forget", action="store_true", help="forget first what was said of how --data is read")
    flags.json(parser)


def _check(options: Namespace) -> None:
    flags.check_reading(options)
    if options.propose and (options.rule or options.describe):
        raise ConfigError("--propose writes a description, --rule and --describe read by one: give one of them")


def scan(options: Namespace) -> int:
    """Print what a data set holds; 1 where a person has to say first how it is read."""
    from cxr_core.data import scan as scan_dataset

    if options.forget:
        from cxr_core.data.answers import forget

        forget(options.data)
    if options.propose:
        return _propose(options)
    try:
        flags.answer(options)
        dataset = scan_dataset(options.data)
    except QuestionError as error:
        if not options.json:
            raise
        print_json({**_NOTHING, "question": vars(error.question)})
        return 1
    record_opened(dataset.name, len(dataset.samples), len(dataset.unreadable), runs_dir())
    if options.json:
        print_json(_document(dataset))
    else:
        _tell(dataset)
    return 0


def _propose(options: Namespace) -> int:
    from cxr_core.data.replies import propose

    proposal = propose(options.data)
    text = json.dumps(proposal.description, indent=2, ensure_ascii=False) + "\n"
    if options.propose == "-":
        print(text, end="")
    elif Path(options.propose).exists():
        raise DatasetError(f"{options.propose} is there already. Give another name, or delete it.")
    else:
        write_atomic(Path(options.propose), text, private=False)
    print(f"{proposal.table.name} has the columns {', '.join(proposal.columns)[:1000]}.", file=sys.stderr)
    if proposal.question:
        print(f"To be said: {proposal.question.asks} ({proposal.question.because})", file=sys.stderr)
    return 0


# What is known of a data set that is asked about.
_NOTHING: dict[str, Any] = {
    "classes": [],
    "splits": {},
    "unreadable": [],
    "cautions": [],
    "images": 0,
    "set": None,
    "rule": "",
    "task": None,
    "labels": {},
    "patients": None,
    "views": {},
    "sources": {},
    "left_out": [],
}


def _document(dataset: "Dataset") -> dict[str, Any]:
    origin, samples = dataset.origin, dataset.samples
    return {
        "classes": dataset.classes,
        "splits": {
            str(split): {name: int(count) for name, count in row.items()} for split, row in dataset.counts().iterrows()
        },
        "unreadable": dataset.unreadable[["file", "reason"]].to_dict("records"),
        "cautions": [*_notes(dataset), *origin.problems],
        "images": len(samples),
        "set": origin.set,
        "rule": origin.rule,
        "task": dataset.task,
        "labels": {
            str(name): {kind: int(count) for kind, count in row.items()} for name, row in dataset.labels().iterrows()
        },
        "patients": _patients(samples),
        "views": _counted(samples["view"]),
        "sources": _counted(samples["source"]),
        "left_out": [{"rule": rule, "n": n} for rule, n in origin.left_out if n],
        "question": None,
    }


def _patients(samples: "pd.DataFrame") -> int | None:
    known = samples["patient"][samples["patient"] != ""]
    return int(known.nunique()) if len(known) else None


def _counted(column: "pd.Series") -> dict[str, int]:
    """How often each value occurs, the most frequent first; what is not known is left out."""
    return {str(value): int(count) for value, count in column[column != ""].value_counts().items()}


def _notes(dataset: "Dataset") -> list[str]:
    from cxr_core.data.cautions import cautions, tiny_validation

    tiny = tiny_validation(dataset.samples)
    return [*cautions(dataset.samples, dataset.path("")), *([tiny] if tiny else [])]


def _tell(dataset: "Dataset") -> None:
    origin, samples = dataset.origin, dataset.samples
    print(f"{dataset.root}: {len(samples)} images, {dataset.layout}")
    if origin.set:
        print(f"set: {origin.set} ({origin.attribution.rstrip('.')})")
    print(f"labels: {origin.rule}")
    print(dataset.counts().to_string())
    if dataset.task == FINDINGS:
        print("\n" + dataset.labels().to_string())
    for rule, choice in origin.rules.items():
        others = ", ".join(other for other in origin.choices[rule] if other != choice)
        print(f"rule {rule}: {choice} (or {others})")
    for rule, n in origin.left_out:
        if n:
            print(f"left out by the rule {rule}: {n:,} images")
    patients = _patients(samples)
    if patients is not None:
        print(f"patients: {patients:,}")
    for word, column in (("views", samples["view"]), ("sources", samples["source"])):
        if found := _counted(column):
            print(f"{word}: {', '.join(f'{value} {count:,}' for value, count in list(found.items())[:12])}")
    if origin.readers:
        some, every = (sum(counts[k] for counts in origin.readers.values()) for k in (0, 1))
        print(f"readers: of {some:,} labels that one of them gave, all gave {every:,}")
    for other, what in origin.overlaps.items():
        print(f"shares images with {other}: {what}")
    for problem in origin.problems:
        print(f"odd: {problem}")
    for _, row in dataset.unreadable.iterrows():
        print(f"unreadable: {row['file']}: {row['reason']}")
    for note in _notes(dataset):
        print(f"Note: {note}")
