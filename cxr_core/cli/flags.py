"""Flags that several commands have, each with one text of help."""

import argparse
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any, TypeAlias

from cxr_core.errors import ConfigError
from cxr_core.inference.heat import OPACITY
from cxr_core.settings import runs_dir

# Where a command adds its parser, and what a flag is added to, as argparse calls them.
Actions: TypeAlias = "argparse._SubParsersAction[Any]"
Group: TypeAlias = ArgumentParser | argparse._MutuallyExclusiveGroup


def data(parser: Group, required: bool) -> None:
    """``--data``: the data set."""
    parser.add_argument("--data", type=Path, required=required, metavar="DIR", help="a data set: folder or CSV table")


def reading(parser: ArgumentParser) -> None:
    """``--rule`` and ``--describe``: how the data set of ``--data`` is read. See ``check_reading`` and ``answer``."""
    parser.add_argument(
        "--rule",
        action="append",
        default=[],
        metavar="RULE=CHOICE",
        help="read --data by this rule, such as views=all, from now on; scan lists the rules",
    )
    parser.add_argument(
        "--describe",
        type=Path,
        metavar="FILE",
        help="read the table of --data as this file (JSON or TOML) says, from now on; scan --propose writes one",
    )


def check_reading(options: Namespace) -> None:
    """Raises ConfigError where a rule has no choice, or the flags are given without a data set."""
    if (options.rule or options.describe) and options.data is None:
        raise ConfigError("--rule and --describe say how --data is read: expected --data too")
    _rules(options)


def answer(options: Namespace) -> None:
    """Keep what the flags say of ``--data``, and say so. Raises DatasetError where it cannot be read so."""
    if not (options.rule or options.describe):
        return
    from cxr_core.data.answers import file_of
    from cxr_core.data.replies import reply
    from cxr_core.data.sets.description import load

    description = load(Path(options.describe)) if options.describe else None
    reply(options.data, _rules(options), description)
    print(f"Kept in {file_of(options.data)}: every command and page reads the data set so.", file=sys.stderr)


def _rules(options: Namespace) -> dict[str, str]:
    pairs = [text.partition("=") for text in options.rule]
    for rule, sign, choice in pairs:
        if not (rule.strip() and sign and choice.strip()):
            raise ConfigError(f"--rule: expected RULE=CHOICE, such as views=all, got {rule + sign + choice!r}")
    return {rule.strip(): choice.strip() for rule, _, choice in pairs}


def runs(parser: ArgumentParser) -> None:
    """``--runs``: the folder of the runs."""
    parser.add_argument(
        "--runs", type=Path, default=None, metavar="DIR", help=f"folder of the runs (default {runs_dir()})"
    )


def run(parser: ArgumentParser) -> None:
    """``RUN`` and ``--runs``."""
    parser.add_argument("run", metavar="RUN", help="a run's folder, its id, or the beginning of its id")
    runs(parser)


def profile(parser: ArgumentParser) -> None:
    """``--profile``: a site profile of the run."""
    parser.add_argument("--profile", metavar="NAME", default="", help="by this site profile of the run: see fit-site")


def json(parser: Group) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def trust(parser: ArgumentParser) -> None:
    """``--trust-pickle``: a person's consent."""
    parser.add_argument(
        "--trust-pickle",
        action="store_true",
        help="open a whole pickled network: its tensors are taken out by a process of its own that runs none of its "
        "code, but trust where it comes from all the same",
    )


def force(parser: ArgumentParser) -> None:
    """``--force``: a withheld answer all the same."""
    parser.add_argument("--force", action="store_true", help="show an answer that is withheld, marked as such")


def opacity(parser: ArgumentParser) -> None:
    """``--opacity`` of a heat map, from 0 to 1."""
    parser.add_argument(
        "--opacity",
        type=_share,
        default=OPACITY,
        metavar="X",
        help=f"of the heat map: 0 the picture alone, 1 the colours alone (default {OPACITY})",
    )


def _share(text: str) -> float:
    """A flag's value as a share; wrong usage otherwise."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f"expected a number from 0 (the picture alone) to 1 (the colours alone), got {text!r}")
    return value
