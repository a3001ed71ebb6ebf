"""The command ``fit-site``: a site profile of a run for the labelled images of one place, and those that are kept."""

from argparse import Namespace

from cxr_core.cli import flags
from cxr_core.cli.output import chosen_run, print_json
from cxr_core.errors import ConfigError
from cxr_core.evaluation.before_after import TITLES
from cxr_core.figures import UNDEFINED, counted, interval, number, signed
from cxr_core.runs import profiles
from cxr_core.runs.records import FigureChange, ProfileNote


def add(actions: flags.Actions) -> None:
    """The parser of the command."""
    parser = actions.add_parser(
        "fit-site", help="a new temperature and new thresholds of a run for the labelled images of one place"
    )
    parser.set_defaults(command=fit_site, check=_check)
    flags.run(parser)
    subject = parser.add_mutually_exclusive_group()
    flags.data(subject, required=False)
    subject.add_argument("--profiles", action="store_true", help="list the profiles that the run has (the default)")
    subject.add_argument("--forget", metavar="NAME", help="delete this profile, and end")
    flags.reading(parser)
    parser.add_argument("--name", metavar="NAME", help="keep what was fitted on --data as the profile of this name")
    parser.add_argument("--seed", type=int, default=0, help="that the halves are drawn by (default 0)")
    flags.json(parser)


def _check(options: Namespace) -> None:
    if options.data is not None and not options.name:
        raise ConfigError("fit-site: expected --name, the name that the profile is kept by")
    if options.data is None and options.name:
        raise ConfigError("fit-site: --name is for what is fitted on --data")
    flags.check_reading(options)


def fit_site(options: Namespace) -> int:
    """Fit on one half, judge on the other, keep and print; or list, or forget."""
    run = chosen_run(options)
    if options.forget:
        print(f"{profiles.forget(run, options.forget)} was forgotten.")
        return 0
    if options.data is None:
        return _list(run.id, profiles.profiles(run), profiles.damaged(run), options.json)
    from cxr_core.inference import fit_site as fit

    flags.answer(options)
    note = profiles.keep(run, fit(run, options.data, options.name, options.seed))
    if options.json:
        print_json(note.model_dump())
        return 0
    _print(note)
    print(f"\nKept with run {run.id}. Use it: predict {run.id} FILE --profile {note.name!r}")
    print("Research software, not for clinical use.")
    return 0


def _list(run: str, kept: list[ProfileNote], damaged: list[str], json: bool) -> int:
    if json:
        print_json([note.model_dump() for note in kept])
        return 0
    for note in kept:
        print(f"{note.name}: {note.dataset_name}, {counted(note.images, 'image')}, {note.fitted[:10]}. {note.sentence}")
    for sentence in damaged:
        print(f"Note: {sentence}")
    if not kept and not damaged:
        print(f"Run {run} has no site profile.")
    return 0


def _print(note: ProfileNote) -> None:
    print(
        f"{note.name}: fitted on {counted(note.fit.images, 'image')} of {counted(note.fit.patients, 'patient')} of "
        f"{note.dataset_name}, judged on {counted(note.judged.images, 'image')} of "
        f"{counted(note.judged.patients, 'patient')}"
    )
    if note.shared:
        print(f"{counted(note.shared, 'image')} that the run's own data set has too were left out.")
    print(f"temperature {number(note.own.temperature)} before, {number(note.temperature)} now")
    for name in note.thresholds:
        before = note.own.thresholds.get(name)
        print(
            f"threshold of {name} {'none' if before is None else number(before)} before, "
            f"{number(note.thresholds[name])} now"
        )
    rows = [(TITLES[figure], change) for figure, change in note.overall.items()]
    for name, figures in note.per_class.items():
        rows += [(f"{name}, {TITLES.get(figure, figure)}", change) for figure, change in figures.items()]
    width = max(len(title) for title, _ in rows) + 2
    print(f"\n{'':{width}}{'before':>8}{'after':>8}{'change':>9}  95 % interval of the change")
    for title, change in rows:
        print(f"{title:{width}}{_row(change)}")
    for line in (note.sentence, *note.notes):
        print(f"\n{line}")


def _row(change: FigureChange) -> str:
    before, after = (UNDEFINED if value is None else number(value) for value in (change.before, change.after))
    moved = UNDEFINED if change.difference is None else signed(change.difference)
    return f"{before:>8}{after:>8}{moved:>9}  {interval(change.ci) if change.ci else UNDEFINED}"
