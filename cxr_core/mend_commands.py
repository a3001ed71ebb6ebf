"""What ``python -m cxr_core audit`` does about its findings: mend one, take a mend back, list the mends."""

import sys
from argparse import Namespace
from pathlib import Path

import pandas as pd

from cxr_core.data import mends
from cxr_core.data.dataset import Dataset
from cxr_core.errors import ConfigError, DatasetError


def problem(options: Namespace) -> str:
    """Why these options do not go together: one sentence; "" where they do."""
    if options.run is not None and (options.mend or options.undo or options.mends):
        return "--mend, --undo and --mends are for a data set: expected --data, got --run"
    return ""


def change(options: Namespace, dataset: Dataset, runs_dir: Path) -> None:
    """Do what ``--mend`` or ``--undo`` asks, and say it. Raises ConfigError for a finding or mend that is not there."""
    said = ""
    if options.undo:
        said = _undo(dataset, runs_dir, options.undo)
    elif options.mend:
        said = _mend(dataset, runs_dir, options.mend)
    if said:
        # With --json standard output is the audit's alone.
        print(said, file=sys.stderr if options.json else sys.stdout)


def listed(dataset: Dataset, runs_dir: Path) -> list[dict[str, str | int]]:
    """The mends on files of this data set, the oldest first: name, reason, files, time."""
    table = mends.applying(dataset, mends.read(runs_dir))
    return [
        {"mend": str(name), "reason": rows["reason"].iloc[0], "files": len(rows), "time": rows["time"].iloc[0]}
        for name, rows in table.groupby("mend", sort=False)
    ]


def _mend(dataset: Dataset, runs_dir: Path, asked: str) -> str:
    # Only who mends needs the audit; --help does not.
    from cxr_core.audit.audit import audit
    from cxr_core.audit.mending import places

    kind, _, mend = (part.strip().lower() for part in asked.partition(":"))
    # As on the page: a file that an earlier mend left out is no longer there to be moved.
    mended = mends.mended(dataset, mends.read(runs_dir))
    findings = {finding.kind.lower(): finding for finding in audit(mended).findings if finding.mends}
    if kind not in findings:
        raise ConfigError(f"--mend: expected one of the findings {', '.join(findings) or '(none)'}, got {kind!r}.")
    finding = findings[kind]
    chosen = mend or str(finding.mend)
    name = mends.move(runs_dir, mended, places(mended, finding, chosen), f"{finding.kind}: {chosen}")
    table = mends.read(runs_dir)
    return f"Mended, {finding.kind}: {chosen} ({_moved(table[table['mend'] == name])}). --undo {name} takes it back."


def _undo(dataset: Dataset, runs_dir: Path, name: str) -> str:
    known = [str(row["mend"]) for row in listed(dataset, runs_dir)]
    if name not in known:
        raise DatasetError(f"--undo: expected a mend of this data set ({', '.join(known) or 'none'}), got {name!r}.")
    mends.undo(runs_dir, name)
    return f"The mend {name} was taken back."


def _moved(rows: pd.DataFrame) -> str:
    return ", ".join(f"{count:,} to {place}" for place, count in rows["split"].value_counts().items())
