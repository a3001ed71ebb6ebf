"""The command ``report``: a page on one image, or the model card of a run."""

from argparse import Namespace
from pathlib import Path

from cxr_core.activity import record, record_predicted
from cxr_core.cli import flags
from cxr_core.cli.output import chosen_run
from cxr_core.data import shown_name
from cxr_core.errors import ConfigError
from cxr_core.images import read_bytes
from cxr_core.runs import Run, profiles, title
from cxr_core.settings import write_atomic

IMAGE_SUFFIXES = (".html", ".pdf")
RUN_SUFFIXES = (".md", ".html")


def add(actions: flags.Actions) -> None:
    """The parser of the command."""
    parser = actions.add_parser("report", help="a page on one image, or without one the model card of a run")
    parser.set_defaults(command=report, check=check)
    flags.run(parser)
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="an image, in any of the formats read")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="PATH", help="of an image .html or .pdf; of a run .md or .html"
    )
    parser.add_argument("--heat", metavar="C", help="with the heat map of this class")
    flags.opacity(parser)
    flags.profile(parser)
    flags.force(parser)


def check(options: Namespace) -> None:
    """Raises ConfigError where the flags do not go together."""
    of_image = options.file is not None
    suffixes = IMAGE_SUFFIXES if of_image else RUN_SUFFIXES
    if options.out.suffix.lower() not in suffixes:
        subject = "of an image" if of_image else "of a run (its model card)"
        raise ConfigError(
            f"argument --out: a report {subject} ends in {' or '.join(suffixes)}, got {str(options.out)!r}"
        )
    if not of_image and (options.heat is not None or options.force or options.profile):
        raise ConfigError("--heat, --force and --profile belong to the report of an image: name a FILE")


def report(options: Namespace) -> int:
    """Write the report on one image, or the model card of a run; the suffix says in which form."""
    run = profiles.using(chosen_run(options), options.profile)
    content = _model_card(run, options.out) if options.file is None else _image_report(run, options)
    write_atomic(options.out, content, private=False)
    what = "model card" if options.file is None else "report of one image"
    record("exported", what, run=run.id, runs=run.path.parent)
    print(f"{options.out}: {'model card of' if options.file is None else 'report of one image by'} run {title(run)}")
    return 0


def _model_card(run: Run, out: Path) -> str:
    from cxr_core.reports import html, markdown, model_card

    card = model_card(run)
    return markdown.render(card) if out.suffix.lower() == ".md" else html.render(card)


def _image_report(run: Run, options: Namespace) -> str | bytes:
    from cxr_core.inference import Predictor
    from cxr_core.reports import html, image_report, pdf
    from cxr_core.reports.answered import answered

    if options.heat is not None and options.heat not in run.classes:
        raise ConfigError(f"--heat: run {run.id} knows {', '.join(run.classes)}; got {options.heat!r}.")
    content = read_bytes(options.file)
    predictor = Predictor.load(run)
    prediction = next(predictor.predict([(shown_name(options.file.name), content)]))
    heat = (options.heat, options.opacity) if options.heat else None
    record_predicted([prediction.outcome], run.id, run.path.parent)
    document = image_report(run, answered(predictor, prediction, content, options.force, heat))
    return pdf.render(document) if options.out.suffix.lower() == ".pdf" else html.render(document)
