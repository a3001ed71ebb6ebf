"""The command ``import-model``: a published network as a run of its own, that answers at once."""

from argparse import Namespace

from cxr_core.cli import flags
from cxr_core.cli.output import downloading, print_json, runs_folder
from cxr_core.config import weights_file
from cxr_core.errors import ConfigError
from cxr_core.published import PUBLISHED


def add(actions: flags.Actions) -> None:
    """The parser of the command."""
    parser = actions.add_parser("import-model", help="a published network of X-rays, as a run that answers at once")
    parser.set_defaults(command=import_model, check=_check)
    parser.add_argument(
        "model",
        metavar="NAME|FILE",
        help=f"one of {', '.join(PUBLISHED)}, downloaded where its checksum is known, or a file that you have",
    )
    parser.add_argument("--as", dest="called", metavar="NAME", help="which of these a FILE is, where nothing tells")
    flags.trust(parser)
    flags.runs(parser)
    flags.json(parser)


def _check(options: Namespace) -> None:
    if options.called and options.called not in PUBLISHED:
        raise ConfigError(f"--as: expected one of {', '.join(PUBLISHED)}; got {options.called!r}.")


def import_model(options: Namespace) -> int:
    """Download or open the file, make the run; its folder is the last line printed."""
    from cxr_core.inference.imported import import_model as make_run
    from cxr_core.model.fetched import brought, ready

    if options.model in PUBLISHED:
        fetched = ready(PUBLISHED[options.model], options.trust_pickle, downloading)
    else:
        called = PUBLISHED.get(options.called or "")
        fetched = brought(weights_file(options.model), called, options.trust_pickle)
    run = make_run(fetched, runs_folder(options))
    note = run.imported
    assert note is not None
    if options.json:
        print_json({"run": run.id, "path": str(run.path), **note.model_dump(), "warnings": run.warnings})
        return 0
    checked = "that of the published file" if note.as_published else "not known to be that of the published file"
    print(f"Run {run.id}: {note.name}, {len(run.classes)} findings: {', '.join(run.classes)}.")
    print(f"SHA-256 of {note.file}: {note.sha256} ({checked}).")
    if note.protection:
        print(f"How it was opened: {'; '.join(note.protection)}.")
    for warning in run.warnings:
        print(f"Note: {warning}")
    print(f"Licence: {note.licence}")
    print(run.path)
    return 0
