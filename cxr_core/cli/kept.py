"""The commands on what is kept beside the runs: ``cache``, ``unpacked``."""

from argparse import Namespace
from typing import Any

from cxr_core.activity import record
from cxr_core.cli import flags
from cxr_core.cli.output import print_json, runs_folder
from cxr_core.data.unpacked import find, unpacked_dir, unpacked_zips
from cxr_core.errors import CxrError, RunError
from cxr_core.runs import list_runs
from cxr_core.runs.needs import delete_unpacked, users
from cxr_core.settings import cache_dir


def add(actions: flags.Actions) -> None:
    """The parsers of these commands."""
    kept = actions.add_parser("cache", help="size of what is kept and can be computed again")
    kept.set_defaults(command=cache)
    kept.add_argument("--clear", action="store_true", help="delete all of it; runs stay whole")
    flags.runs(kept)

    parser = actions.add_parser(
        "unpacked", aliases=["uploads"], help="zips that were unpacked: where, how large, used by which run"
    )
    parser.set_defaults(command=zips)
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--delete", metavar="NAME", help="delete one; refused while a run at work needs it")
    change.add_argument("--clear", action="store_true", help="delete all that no run at work needs")
    flags.json(change)
    flags.runs(parser)


def zips(options: Namespace) -> int:
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
