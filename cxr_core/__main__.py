"""``python -m cxr_core``: the same work as on the pages, for scripts and clusters.

Exit status: 0 done, 1 could not (one line on standard error), 2 wrong usage. With ``--json`` standard output holds one
JSON document and nothing else. torch is imported by the commands that need it, so the others answer at once.
"""

import argparse
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn, get_args

from cxr_core import __version__
from cxr_core.activity import from_command_line
from cxr_core.cli import data, images, runs
from cxr_core.config import TrainConfig
from cxr_core.disk import full, why_full
from cxr_core.errors import ConfigError, CxrError
from cxr_core.runs.companions import EXPERIMENTS
from cxr_core.settings import close_to_others, runs_dir


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
        if options.command is runs.train:
            options.config = _config(parser, options)
        if options.command is data.audit and (wrong := data.audit_problem(options)):
            parser.error(wrong)
        if options.command is images.report and (problem := images.report_problem(options)):
            parser.error(problem)
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


def _config(parser: argparse.ArgumentParser, options: argparse.Namespace) -> TrainConfig:
    """The configuration that the flags give; a value of the wrong form is wrong usage."""
    given = {name.removeprefix("config_"): value for name, value in vars(options).items() if name.startswith("config_")}
    try:
        return TrainConfig.create(**given)
    except ConfigError as error:
        parser.error(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m cxr_core",
        description="Classify chest X-rays: train, evaluate, predict. Research software, not for clinical use.",
    )
    parser.add_argument("--version", action="version", version=f"cxr_core {__version__}")
    actions = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = actions.add_parser("demo", help="draw a data set of chest-like phantoms (drawings, not X-rays)")
    demo.set_defaults(command=data.demo)
    demo.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    demo.add_argument("--images", type=int, default=600, metavar="N", help="how many (default 600)")
    demo.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same bytes (default 0)")
    demo.add_argument(
        "--shortcut", action="store_true", help="give each class a source of its own, for the audit to find"
    )

    scan = actions.add_parser("scan", help="what a data set holds: classes, splits, unreadable files")
    scan.set_defaults(command=data.scan)
    _data(scan, required=True)
    _json(scan)

    audit = actions.add_parser("audit", help="what a score is worth: of a data set its leaks, of a run its controls")
    audit.set_defaults(command=data.audit)
    subject = audit.add_mutually_exclusive_group(required=True)
    _data(subject, required=False)
    subject.add_argument(
        "--run", metavar="RUN", help="train beside this run: its controls without lungs, and without each source"
    )
    _runs(audit)
    _json(audit)
    audit.add_argument("--only", choices=[one.name for one in EXPERIMENTS], help="with --run: these trainings alone")
    audit.add_argument("--strict", action="store_true", help="exit with 1 if anything blocks a training")
    _mends(audit)

    train = actions.add_parser("train", help="train a run; its folder is the last line printed")
    train.set_defaults(command=runs.train)
    _data(train, required=True)
    _runs(train)
    _hyperparameters(train)

    resume = actions.add_parser("resume", help="go on with a stopped, lost or failed run")
    resume.set_defaults(command=runs.resume)
    _run(resume)

    evaluate = actions.add_parser("evaluate", help="metrics of a run on a split, or on another folder")
    evaluate.set_defaults(command=runs.evaluate)
    _run(evaluate)
    subject = evaluate.add_mutually_exclusive_group()
    _data(subject, required=False)
    subject.add_argument("--forget", metavar="NAME", help="delete the figures of this other collection, and end")
    evaluate.add_argument("--split", choices=("train", "val", "test"), default="test", help="default: test")
    evaluate.add_argument("--by-source", action="store_true", help="the figures of each source too")
    _json(evaluate)

    _image_actions(actions)

    listed = actions.add_parser("runs", help="list the runs")
    listed.set_defaults(command=runs.runs)
    _runs(listed)
    _json(listed)

    pin = actions.add_parser("pin", help="the run that Predict offers first: pin it, or say which it is")
    pin.set_defaults(command=runs.pin)
    chosen = pin.add_mutually_exclusive_group()
    chosen.add_argument("run", nargs="?", metavar="RUN", help="a run's id, or the beginning of its id")
    chosen.add_argument("--none", action="store_true", help="take the pin back")
    _runs(pin)

    cache = actions.add_parser("cache", help="size of what is kept and can be computed again")
    cache.set_defaults(command=data.cache)
    cache.add_argument("--clear", action="store_true", help="delete all of it; runs stay whole")
    _runs(cache)

    uploads = actions.add_parser("uploads", help="zips that were unpacked: where, how large, used by which run")
    uploads.set_defaults(command=data.uploaded)
    change = uploads.add_mutually_exclusive_group()
    change.add_argument("--delete", metavar="NAME", help="delete one; refused while a run at work needs it")
    change.add_argument("--clear", action="store_true", help="delete all that no run at work needs")
    _json(change)
    _runs(uploads)
    return parser


def _image_actions(actions: Any) -> None:
    predict = actions.add_parser("predict", help="predict files with a run")
    predict.set_defaults(command=images.predict)
    _run(predict)
    predict.add_argument("files", nargs="+", metavar="FILE", help="images, in any of the formats read")
    form = predict.add_mutually_exclusive_group()
    _json(form)
    form.add_argument("--csv", action="store_true", help="print a CSV table")
    _force(predict)

    explain = actions.add_parser("explain", help="a heat map: what moved the score of a class")
    explain.set_defaults(command=images.explain)
    _run(explain)
    explain.add_argument("file", type=Path, metavar="FILE", help="an image, in any of the formats read")
    explain.add_argument("--class", dest="label", required=True, metavar="C", help="one of the run's classes")
    explain.add_argument("--out", type=images.png, required=True, metavar="PNG", help="the file to write")
    _opacity(explain)

    picture = actions.add_parser("picture", help="what is made of a file: the grey picture as PNG, and each step to it")
    picture.set_defaults(command=images.picture)
    picture.add_argument("file", type=Path, metavar="FILE", help="an image, in any of the formats read")
    picture.add_argument("--out", type=images.png, required=True, metavar="PNG", help="the file to write")
    _json(picture)

    report = actions.add_parser("report", help="a page on one image, or without one the model card of a run")
    report.set_defaults(command=images.report)
    _run(report)
    report.add_argument("file", type=Path, nargs="?", metavar="FILE", help="an image, in any of the formats read")
    report.add_argument(
        "--out", type=Path, required=True, metavar="PATH", help="of an image .html or .pdf; of a run .md or .html"
    )
    report.add_argument("--heat", metavar="C", help="with the heat map of this class")
    _opacity(report)
    _force(report)


def _mends(audit: argparse.ArgumentParser) -> None:
    change = audit.add_mutually_exclusive_group()
    change.add_argument(
        "--mend", metavar="FINDING[: MEND]", help='mend a finding of --data, such as "leak: keep one of each", first'
    )
    change.add_argument("--undo", metavar="NAME", help="take the mend of this name back first")
    change.add_argument("--mends", action="store_true", help="list the mends of --data instead")


def _force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="show an answer that is withheld, marked as such")


def _opacity(parser: argparse.ArgumentParser) -> None:
    default = images.OPACITY
    parser.add_argument(
        "--opacity",
        type=images.opacity,
        default=default,
        metavar="X",
        help=f"of the heat map: 0 the picture alone, 1 the colours alone (default {default})",
    )


def _data(parser: argparse.ArgumentParser | argparse._MutuallyExclusiveGroup, required: bool) -> None:
    parser.add_argument("--data", type=Path, required=required, metavar="DIR", help="a data set: folder or CSV table")


def _runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--runs", type=Path, default=None, metavar="DIR", help=f"folder of the runs (default {runs_dir()})"
    )


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run's folder, its id, or the beginning of its id")
    _runs(parser)


def _json(parser: argparse.ArgumentParser | argparse._MutuallyExclusiveGroup) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def _hyperparameters(parser: argparse.ArgumentParser) -> None:
    """A flag per field of TrainConfig; its checks are the field's own, so that form and flag never disagree."""
    groups: dict[str, argparse._ArgumentGroup] = {}
    for name, field in TrainConfig.model_fields.items():
        extra = field.json_schema_extra
        title = str(extra["group"]) if isinstance(extra, dict) else "Other"
        group = groups.setdefault(title, parser.add_argument_group(title))
        shown = ",".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
        # A yes or no may be given as a plain flag.
        plain: dict[str, Any] = {"nargs": "?", "const": "true"} if field.annotation is bool else {}
        group.add_argument(
            f"--{name.replace('_', '-')}",
            dest=f"config_{name}",
            metavar="X",
            default=argparse.SUPPRESS,
            **plain,
            help=f"{field.description}{_choices(field.annotation)} (default {shown})".replace("%", "%%"),
        )


def _choices(annotation: Any) -> str:
    """What a field may be where that is a list: "One of sgd, adamw."; "" for numbers, texts and mixtures."""
    values = ("true", "false") if annotation is bool else get_args(annotation)
    if not values or not all(isinstance(value, str) for value in values):
        return ""
    return f" One of {', '.join(values)}."


if __name__ == "__main__":
    sys.exit(main())
