"""The command ``audit --data``: what a score on a data set is worth, and the fixes that are done and taken back."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import pandas as pd

from cxr_core.activity import record_opened
from cxr_core.cli import flags
from cxr_core.cli.output import print_json, runs_folder
from cxr_core.data import Dataset, fixes
from cxr_core.errors import ConfigError, DatasetError
from cxr_core.figures import counted


def add(parser: ArgumentParser) -> None:
    """The flags of ``--data`` alone."""
    parser.add_argument("--strict", action="store_true", help="exit with 1 if anything blocks a training")
    change = parser.add_mutually_exclusive_group()
    change.add_argument(
        "--fix",
        "--mend",
        metavar="ISSUE[: FIX]",
        help='fix an issue of --data, such as "leak: keep one of each", first',
    )
    change.add_argument("--undo", metavar="NAME", help="take the fix of this name back first")
    change.add_argument("--fixes", "--mends", action="store_true", help="list the fixes of --data instead")


def check(options: Namespace) -> None:
    """Raises ConfigError where flags of a data set are given for a run."""
    flags.check_reading(options)
    if options.run is not None and (options.fix or options.undo or options.fixes):
        raise ConfigError("--fix, --undo and --fixes are for a data set: expected --data, got --run")


def audit(options: Namespace) -> int:
    """Print what a score on a data set is worth; with --strict 1 if anything blocks a training.

    With --fix or --undo the data set is changed before, with --fixes its fixes are listed instead.
    """
    from cxr_core.audit import audit as audit_dataset
    from cxr_core.data import scan as scan_dataset

    flags.answer(options)
    dataset = scan_dataset(options.data)
    record_opened(dataset.name, len(dataset.samples), len(dataset.unreadable), runs_folder(options))
    if options.fixes:
        return _fixes(_listed(dataset, runs_folder(options)), options.json)
    _change(options, dataset, runs_folder(options))
    found = audit_dataset(fixes.applied(dataset, fixes.read(runs_folder(options))))
    if options.json:
        print_json(found.as_json())
    else:
        print(f"{dataset.root}: {found.facts['images']} images")
        for issue in found.issues:
            print(f"\n{issue.severity}: {issue.message}")
            for file in issue.files[:5]:
                print(f"  {file}")
            if len(issue.files) > 5:
                print(f"  and {len(issue.files) - 5} more files")
            for fix in issue.fixes:
                print(f'  fix on the Audit page, or: --fix "{issue.kind}: {fix}"')
    return 1 if options.strict and found.blocks else 0


def _fixes(rows: list[dict[str, Any]], as_json: bool) -> int:
    if as_json:
        print_json(rows)
        return 0
    for row in rows:
        files = counted(row["files"], "file")
        print(f"{row['mend']}  {row['time'][:10]}  {row['reason']}, {files}")
    if not rows:
        print("No fix: the data set is taken as it lies on disk.")
    return 0


def _change(options: Namespace, dataset: Dataset, runs_dir: Path) -> None:
    """Do what ``--fix`` or ``--undo`` asks, and say it. Raises ConfigError for an issue or fix that is not there."""
    said = ""
    if options.undo:
        said = _undo(dataset, runs_dir, options.undo)
    elif options.fix:
        said = _fix(dataset, runs_dir, options.fix)
    if said:
        # With --json standard output is the audit's alone.
        print(said, file=sys.stderr if options.json else sys.stdout)


def _listed(dataset: Dataset, runs_dir: Path) -> list[dict[str, str | int]]:
    """The fixes on files of this data set, the oldest first: name, reason, files, time."""
    table = fixes.applying(dataset, fixes.read(runs_dir))
    return [
        {"mend": str(name), "reason": rows["reason"].iloc[0], "files": len(rows), "time": rows["time"].iloc[0]}
        for name, rows in table.groupby("mend", sort=False)
    ]


def _fix(dataset: Dataset, runs_dir: Path, asked: str) -> str:
    # Only who fixes needs the audit; --help does not.
    from cxr_core.audit import audit
    from cxr_core.audit.fixing import places

    kind, _, fix = (part.strip().lower() for part in asked.partition(":"))
    # As on the page: a file that an earlier fix left out is no longer there to be moved.
    fixed = fixes.applied(dataset, fixes.read(runs_dir))
    issues = {issue.kind.lower(): issue for issue in audit(fixed).issues if issue.fixes}
    if kind not in issues:
        raise ConfigError(f"--fix: expected one of the issues {', '.join(issues) or '(none)'}, got {kind!r}.")
    issue = issues[kind]
    chosen = fix or str(issue.fix)
    name = fixes.move(runs_dir, fixed, places(fixed, issue, chosen), f"{issue.kind}: {chosen}")
    table = fixes.read(runs_dir)
    return f"Fixed, {issue.kind}: {chosen} ({_moved(table[table['mend'] == name])}). --undo {name} takes it back."


def _undo(dataset: Dataset, runs_dir: Path, name: str) -> str:
    known = [str(row["mend"]) for row in _listed(dataset, runs_dir)]
    if name not in known:
        raise DatasetError(f"--undo: expected a fix of this data set ({', '.join(known) or 'none'}), got {name!r}.")
    fixes.undo(runs_dir, name)
    return f"The fix {name} was taken back."


def _moved(rows: pd.DataFrame) -> str:
    return ", ".join(f"{count:,} to {place}" for place, count in rows["split"].value_counts().items())
