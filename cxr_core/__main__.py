"""``python -m cxr_core``: the same work as on the pages, for scripts and clusters.

Exit status: 0 done, 1 could not (one line on standard error), 2 wrong usage. With ``--json`` standard output holds one
JSON document and nothing else. torch is imported by the commands that need it, so the others answer at once.
"""

import argparse
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from cxr_core import __version__
from cxr_core.activity import from_command_line
from cxr_core.cli import (
    audit,
    data,
    evaluate,
    experiments,
    flags,
    images,
    kept,
    lungs,
    published,
    report,
    runs,
    scan,
    site,
    training,
)
from cxr_core.disk import full, why_full
from cxr_core.errors import ConfigError, CxrError
from cxr_core.settings import close_to_others


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status."""
    for stream in (sys.stdout, sys.stderr):
        # A file's name may hold bytes that are no text: shown escaped.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        # The help names folders, which the environment may get wrong.
        parser = _parser()
        options = parser.parse_args(arguments)
        try:
            options.check(options)
        except ConfigError as wrong:
            parser.error(str(wrong))
        close_to_others()
        with from_command_line():
            return int(options.command(options) or 0)
    except CxrError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader (head, less) has gone. Standard output is closed quietly so that the interpreter does not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        reason = why_full(error)
        told = full(reason, Path(error.filename or "the output")) if reason else error
        print(f"error: {told}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 1


class _Parser(argparse.ArgumentParser):
    """Flags written out in full, so that a new one never changes what a script means; one line for wrong usage."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} ({self.prog} --help shows the usage)\n")


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m cxr_core",
        description="Classify chest X-rays: train, evaluate, predict. Research software, not for clinical use.",
    )
    parser.add_argument("--version", action="version", version=f"cxr_core {__version__}")
    parser.set_defaults(check=lambda options: None)
    actions = parser.add_subparsers(required=True, metavar="COMMAND")
    # In the order of the help.
    for add in (
        data.add,
        scan.add,
        _add_audit,
        training.add,
        published.add,
        evaluate.add,
        site.add,
        images.add,
        lungs.add,
        report.add,
        runs.add,
        kept.add,
    ):
        add(actions)
    return parser


def _add_audit(actions: flags.Actions) -> None:
    """One command with two subjects: a data set, or a run and what is trained beside it."""
    parser = actions.add_parser("audit", help="what a score is worth: of a data set its leaks, of a run its controls")
    parser.set_defaults(command=_audit, check=audit.check)
    subject = parser.add_mutually_exclusive_group(required=True)
    flags.data(subject, required=False)
    subject.add_argument(
        "--run", metavar="RUN", help="train beside this run: its controls without lungs, and without each source"
    )
    flags.reading(parser)
    flags.runs(parser)
    flags.json(parser)
    experiments.add(parser)
    audit.add(parser)


def _audit(options: argparse.Namespace) -> int:
    return audit.audit(options) if options.run is None else experiments.experiments(options)


if __name__ == "__main__":
    sys.exit(main())
