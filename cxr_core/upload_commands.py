"""``python -m cxr_core uploads``: list the zips that were unpacked, delete one or all."""

from argparse import Namespace
from typing import Any

from cxr_core.commands import print_json, runs_folder
from cxr_core.data.uploads import find, uploads, uploads_dir
from cxr_core.errors import RunError
from cxr_core.training.needs import delete_upload, users
from cxr_core.training.runs import list_runs


def uploaded(options: Namespace) -> int:
    """List, or with --delete and --clear delete. With --clear those that an active run needs stay, and 1 says so."""
    runs = list_runs(runs_folder(options))
    if options.delete or options.clear:
        kept = 0
        for upload in uploads() if options.clear else [find(options.delete)]:
            size = upload.bytes
            try:
                losing = delete_upload(upload, runs)
            except RunError as error:
                if not options.clear:
                    raise
                kept += 1
                print(f"Not deleted: {error}")
                continue
            print(f"{size / 1e6:.1f} MB freed: {upload.path}")
            for run in losing:
                print(f"  Run {run.id} has lost its images; its figures stay.")
        return 1 if kept else 0
    rows: list[dict[str, Any]] = [
        {
            "name": upload.name,
            "path": str(upload.path),
            "bytes": upload.bytes,
            "files": upload.files,
            "unpacked": upload.unpacked.isoformat(timespec="seconds"),
            "runs": [run.id for run in users(upload, runs)],
        }
        for upload in uploads()
    ]
    if options.json:
        print_json(rows)
        return 0
    print(f"{sum(row['bytes'] for row in rows) / 1e6:.1f} MB of unpacked zips in {uploads_dir()}")
    for row in rows:
        used = f"used by {', '.join(row['runs'])}" if row["runs"] else "used by no run"
        print(f"{row['bytes'] / 1e6:10.1f} MB  {row['files']:7d} files  {row['unpacked'][:10]}  {row['name']}  {used}")
    return 0
