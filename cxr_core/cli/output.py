"""What the commands share: where the runs are, and one JSON document on standard output."""

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from cxr_core.errors import ConfigError
from cxr_core.paths import given
from cxr_core.runs import Run, find_run
from cxr_core.runs.run import STARTER
from cxr_core.runs.starter import installed
from cxr_core.settings import close_to_others, runs_dir


def runs_folder(options: Namespace) -> Path:
    """The folder that ``--runs`` names, or the usual one. Raises ConfigError where it is a file."""
    try:
        folder = given(options.runs, ConfigError).resolve() if options.runs else runs_dir()
    except ConfigError as error:
        raise ConfigError(f"--runs: {error}" if options.runs else str(error)) from None
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"--runs: expected a folder, {folder} is a file.")
    close_to_others(folder)
    return folder


def chosen_run(options: Namespace) -> Run:
    """The run that a command names; the starter model is brought there when it is asked for. Raises RunError."""
    folder = runs_folder(options)
    if options.run == STARTER:
        installed(folder)
    return find_run(folder, options.run)


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    # ASCII alone: a file's name may hold what no encoding of the output can.
    print(json.dumps(document, indent=1, allow_nan=False))


def downloading(done: int, total: int) -> None:
    """How far a download is, on standard error."""
    print(f"\rdownloading {done / 1e6:.1f} of {total / 1e6:.1f} MB", end="", file=sys.stderr, flush=True)
