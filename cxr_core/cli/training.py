"""The commands that train: ``train``, ``resume``."""

import argparse
import sys
from argparse import Namespace
from typing import Any, get_args

from cxr_core.cli import flags
from cxr_core.cli.output import chosen_run, downloading, runs_folder
from cxr_core.cli.telling import telling
from cxr_core.config import NOTEBOOK, PRESET_WORDS, PRESETS, RECOMMENDED, TrainConfig, check_weights_given
from cxr_core.errors import RunError
from cxr_core.names import friendly, network
from cxr_core.runs import Run, files
from cxr_core.runs.jobs import queue_again

# Fields whose flag has a better name; the field's own stays.
_BETTER = {"corrections": ("marks",)}


def add(actions: flags.Actions) -> None:
    """The parsers of these commands."""
    trained = actions.add_parser("train", help="train a run; its folder is the last line printed")
    trained.set_defaults(command=train, check=_check)
    flags.data(trained, required=True)
    flags.reading(trained)
    flags.runs(trained)
    flags.trust(trained)
    trained.add_argument(
        "--preset",
        choices=list(PRESET_WORDS),
        default=None,
        help="what the flags below do not say (default recommended; with another backbone than its own: notebook)",
    )
    _hyperparameters(trained)

    resumed = actions.add_parser("resume", help="go on with a stopped, lost or failed run")
    resumed.set_defaults(command=resume)
    flags.run(resumed)


def _hyperparameters(parser: argparse.ArgumentParser) -> None:
    """A flag per field of TrainConfig; its checks are the field's own, so that form and flag never disagree."""
    groups: dict[str, argparse._ArgumentGroup] = {}
    recommended = TrainConfig.create(**PRESETS[RECOMMENDED])
    for name, field in TrainConfig.model_fields.items():
        extra = field.json_schema_extra
        title = str(extra["group"]) if isinstance(extra, dict) else "Other"
        group = groups.setdefault(title, parser.add_argument_group(title))
        default = getattr(recommended, name)
        shown = (",".join(map(str, default)) or "none") if isinstance(default, tuple) else default
        # A yes or no may be given as a plain flag.
        plain: dict[str, Any] = {"nargs": "?", "const": "true"} if field.annotation is bool else {}
        group.add_argument(
            *(f"--{flag.replace('_', '-')}" for flag in (*_BETTER.get(name, ()), name)),
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


def _config(options: Namespace) -> TrainConfig:
    """The configuration that preset and flags give. Raises ConfigError for a value of the wrong form."""
    return TrainConfig.create(**{**PRESETS[_preset(options)], **_given(options)})


def _given(options: Namespace) -> dict[str, Any]:
    return {name.removeprefix("config_"): value for name, value in vars(options).items() if name.startswith("config_")}


def _preset(options: Namespace) -> str:
    """The preset's title. Recommended was chosen for its backbone alone: of another one nobody has measured it."""
    if options.preset:
        return PRESET_WORDS[options.preset]
    own = PRESETS[RECOMMENDED]["backbone"]
    return RECOMMENDED if _given(options).get("backbone", own) == own else NOTEBOOK


def _check(options: Namespace) -> None:
    flags.check_reading(options)
    _config(options)


def train(options: Namespace) -> int:
    """Create a run and work on it in this process."""
    from cxr_core.data import scan as scan_dataset
    from cxr_core.runs import create_run

    config = _config(options)
    check_weights_given(config)
    if options.trust_pickle and config.weights not in ("imagenet", "pip", "none"):
        from cxr_core.model.fetched import opened

        config = config.model_copy(update={"weights": opened(config.weights, downloading)})
    flags.answer(options)
    run = create_run(scan_dataset(options.data), config, runs_folder(options))
    print(f"Run {run.id}: {network(config)}, weights {friendly('weights', config.weights)}.", flush=True)
    print(f"Preset: {_preset(options)}, and what the flags say.", flush=True)
    for warning in run.warnings:
        print(f"Note: {warning}", flush=True)
    return _work(run)


def resume(options: Namespace) -> int:
    """Go on with a run (or begin a queued one: this is the worker that the pages start)."""
    run = chosen_run(options)
    if run.state == "completed":
        raise RunError(f"Run {run.id} is completed: there is nothing to resume.")
    # A request to stop a queued run stands: its worker has yet to read it.
    if run.can_resume:
        queue_again(run)
    return _work(run)


def _work(run: Run) -> int:
    from cxr_core.training import work

    with telling(sys.stdout, run.path / files.LOG):
        run = work(run)
    print(run.path, flush=True)
    if run.state == "completed":
        return 0
    print(f"error: run {run.id} was {run.state} before its end", file=sys.stderr)
    return 1
