"""The commands on data sets and what is kept: ``demo``, ``scan``, ``audit`` with its fixes, ``cache``, ``uploads``."""

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import pandas as pd

from cxr_core.activity import record, record_opened
from cxr_core.cli.output import print_json, runs_folder
from cxr_core.data import fixes
from cxr_core.data.dataset import Dataset
from cxr_core.data.unpacked import find, unpacked_dir, unpacked_zips
from cxr_core.errors import ConfigError, CxrError, DatasetError, RunError
from cxr_core.runs.needs import delete_unpacked, users
from cxr_core.runs.run import list_runs
from cxr_core.settings import cache_dir, runs_dir


def demo(options: Namespace) -> int:
    """Draw the demo data set."""
    from cxr_core.demo.draw import draw

    folder = draw(options.out, options.images, options.seed, shortcut=options.shortcut)
    print(f"{options.images} drawings (not X-rays) in {folder}")
    return 0


def scan(options: Namespace) -> int:
    """Print what a data set holds."""
    from cxr_core.data.cautions import cautions
    from cxr_core.data.dataset import scan as scan_dataset

    dataset = scan_dataset(options.data)
    record_opened(dataset.name, len(dataset.samples), len(dataset.unreadable), runs_dir())
    counts = dataset.counts()
    splits = {str(split): {name: int(count) for name, count in row.items()} for split, row in counts.iterrows()}
    notes = cautions(dataset.samples, dataset.path(""))
    if options.json:
        unreadable = dataset.unreadable[["file", "reason"]].to_dict("records")
        print_json({"classes": dataset.classes, "splits": splits, "unreadable": unreadable, "cautions": notes})
        return 0
    print(f"{dataset.root}: {len(dataset.samples)} images, {dataset.layout}")
    print(counts.to_string())
    for _, row in dataset.unreadable.iterrows():
        print(f"unreadable: {row['file']}: {row['reason']}")
    for note in notes:
        print(f"Note: {note}")
    return 0


def audit(options: Namespace) -> int:
    """Print what a score on a data set is worth; with --strict 1 if anything blocks a training.

    With --run: what the run's score is worth beside its controls and without each source, which are trained first. With
    --mend or --undo the data set is changed before, with --mends its mends are listed instead.
    """
    if options.run is not None:
        from cxr_core.cli.experiments import experiments

        return experiments(options)
    from cxr_core.audit.audit import audit as audit_dataset
    from cxr_core.data.dataset import scan as scan_dataset

    dataset = scan_dataset(options.data)
    record_opened(dataset.name, len(dataset.samples), len(dataset.unreadable), runs_folder(options))
    if options.mends:
        return _mends(_listed(dataset, runs_folder(options)), options.json)
    _change(options, dataset, runs_folder(options))
    found = audit_dataset(fixes.mended(dataset, fixes.read(runs_folder(options))))
    if options.json:
        print_json(found.as_json())
    else:
        print(f"{dataset.root}: {found.facts['images']} images")
        for finding in found.findings:
            print(f"\n{finding.severity}: {finding.message}")
            for file in finding.files[:5]:
                print(f"  {file}")
            if len(finding.files) > 5:
                print(f"  and {len(finding.files) - 5} more files")
            for mend in finding.mends:
                print(f'  mend on the Audit page, or: --mend "{finding.kind}: {mend}"')
    return 1 if options.strict and found.blocks else 0


def _mends(rows: list[dict[str, Any]], as_json: bool) -> int:
    if as_json:
        print_json(rows)
        return 0
    for row in rows:
        files = "1 file" if row["files"] == 1 else f"{row['files']:,} files"
        print(f"{row['mend']}  {row['time'][:10]}  {row['reason']}, {files}")
    if not rows:
        print("No mend: the data set is taken as it lies on disk.")
    return 0


def audit_problem(options: Namespace) -> str:
    """Why these options do not go together: one sentence; "" where they do."""
    if options.run is not None and (options.mend or options.undo or options.mends):
        return "--mend, --undo and --mends are for a data set: expected --data, got --run"
    return ""


def _change(options: Namespace, dataset: Dataset, runs_dir: Path) -> None:
    """Do what ``--mend`` or ``--undo`` asks, and say it. Raises ConfigError for a finding or mend that is not there."""
    said = ""
    if options.undo:
        said = _undo(dataset, runs_dir, options.undo)
    elif options.mend:
        said = _mend(dataset, runs_dir, options.mend)
    if said:
        # With --json standard output is the audit's alone.
        print(said, file=sys.stderr if options.json else sys.stdout)


def _listed(dataset: Dataset, runs_dir: Path) -> list[dict[str, str | int]]:
    """The mends on files of this data set, the oldest first: name, reason, files, time."""
    table = fixes.applying(dataset, fixes.read(runs_dir))
    return [
        {"mend": str(name), "reason": rows["reason"].iloc[0], "files": len(rows), "time": rows["time"].iloc[0]}
        for name, rows in table.groupby("mend", sort=False)
    ]


def _mend(dataset: Dataset, runs_dir: Path, asked: str) -> str:
    # Only who mends needs the audit; --help does not.
    from cxr_core.audit.audit import audit
    from cxr_core.audit.fixing import places

    kind, _, mend = (part.strip().lower() for part in asked.partition(":"))
    # As on the page: a file that an earlier mend left out is no longer there to be moved.
    mended = fixes.mended(dataset, fixes.read(runs_dir))
    findings = {finding.kind.lower(): finding for finding in audit(mended).findings if finding.mends}
    if kind not in findings:
        raise ConfigError(f"--mend: expected one of the findings {', '.join(findings) or '(none)'}, got {kind!r}.")
    finding = findings[kind]
    chosen = mend or str(finding.mend)
    name = fixes.move(runs_dir, mended, places(mended, finding, chosen), f"{finding.kind}: {chosen}")
    table = fixes.read(runs_dir)
    return f"Mended, {finding.kind}: {chosen} ({_moved(table[table['mend'] == name])}). --undo {name} takes it back."


def _undo(dataset: Dataset, runs_dir: Path, name: str) -> str:
    known = [str(row["mend"]) for row in _listed(dataset, runs_dir)]
    if name not in known:
        raise DatasetError(f"--undo: expected a mend of this data set ({', '.join(known) or 'none'}), got {name!r}.")
    fixes.undo(runs_dir, name)
    return f"The mend {name} was taken back."


def _moved(rows: pd.DataFrame) -> str:
    return ", ".join(f"{count:,} to {place}" for place, count in rows["split"].value_counts().items())


def uploaded(options: Namespace) -> int:
    """List, or with --delete and --clear delete. With --clear those that an active run needs stay, and 1 says so."""
    runs = list_runs(runs_folder(options))
    if options.delete or options.clear:
        kept = 0
        for unpacked in unpacked_zips() if options.clear else [find(options.delete)]:
            size = unpacked.bytes
            try:
                losing = delete_unpacked(unpacked, runs)
            except RunError as error:
                if not options.clear:
                    raise
                kept += 1
                print(f"Not deleted: {error}")
                continue
            print(f"{size / 1e6:.1f} MB freed: {unpacked.path}")
            for run in losing:
                print(f"  Run {run.id} has lost its images; its figures stay.")
        return 1 if kept else 0
    rows: list[dict[str, Any]] = [
        {
            "name": unpacked.name,
            "path": str(unpacked.path),
            "bytes": unpacked.bytes,
            "files": unpacked.files,
            "unpacked": unpacked.time.isoformat(timespec="seconds"),
            "runs": [run.id for run in users(unpacked, runs)],
        }
        for unpacked in unpacked_zips()
    ]
    if options.json:
        print_json(rows)
        return 0
    print(f"{sum(row['bytes'] for row in rows) / 1e6:.1f} MB of unpacked zips in {unpacked_dir()}")
    for row in rows:
        used = f"used by {', '.join(row['runs'])}" if row["runs"] else "used by no run"
        print(f"{row['bytes'] / 1e6:10.1f} MB  {row['files']:7d} files  {row['unpacked'][:10]}  {row['name']}  {used}")
    return 0


def cache(options: Namespace) -> int:
    """Show or clear what is kept."""
    from cxr_core.caches import clear, kinds, lasting
    from cxr_core.model.features import kept_spaces

    if options.clear:
        busy = [run.id for run in list_runs(runs_folder(options)) if run.is_active]
        if busy:
            raise CxrError(f"{busy[0]} is active and needs the kept features. Stop it, or wait for its end.")
        print(f"{clear() / 1e6:.1f} MB freed in {cache_dir()}")
        record("deleted", "cache", runs=runs_folder(options))
    else:
        found = kinds()
        print(f"{sum(kind.bytes for kind in found) / 1e6:.1f} MB in {cache_dir()} can be computed again:")
        for kind in found:
            print(f"{kind.bytes / 1e6:10.1f} MB  {kind.files:7d} files  {kind.name}: {kind.what}")
        for space in kept_spaces():
            print(f"{space.bytes / 1e6:10.1f} MB  {space.rows:7d} rows   features/{space.name}")
    stays = lasting()
    if stays:
        print("What stays with --clear, beside the runs:" if not options.clear else "What stays, beside the runs:")
    for kind in stays:
        print(f"{kind.bytes / 1e6:10.1f} MB  {kind.files:7d} files  {kind.name}: {kind.what} ({kind.path})")
    return 0
