"""The command ``lungs``: how much of a run's heat maps lies in the lungs, over a split."""

from argparse import Namespace

from cxr_core.cli import flags
from cxr_core.cli.output import chosen_run, print_json
from cxr_core.errors import ConfigError
from cxr_core.figures import UNDEFINED, counted, of, percent
from cxr_core.images.lungs import APPROXIMATE
from cxr_core.runs.records import HeatShare, LungHeatNote


def add(actions: flags.Actions) -> None:
    """The parser of the command."""
    parser = actions.add_parser("lungs", help="how much of a run's heat maps lies in the lungs, over a split")
    parser.set_defaults(command=lungs, check=_check)
    flags.run(parser)
    parser.add_argument("--split", choices=("train", "val", "test"), default="test", help="default: test")
    parser.add_argument("--class", dest="label", default="", metavar="C", help="only images that are decided so")
    parser.add_argument("--images", type=int, default=200, metavar="N", help="at most so many (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="that they are drawn by (default 0)")
    flags.json(parser)


def _check(options: Namespace) -> None:
    if options.images < 1:
        raise ConfigError(f"--images: expected at least 1, got {options.images}")
    if options.seed < 0:
        raise ConfigError(f"--seed: expected 0 or more, got {options.seed}")


def lungs(options: Namespace) -> int:
    """Measure and print; what is measured of all classes of the test split is kept with the run."""
    run = chosen_run(options)
    from cxr_core.inference import looked

    note = looked(run, options.split, options.label, options.images, options.seed)
    if options.json:
        print_json(note.model_dump())
        return 0
    _print(note)
    return 0


def _print(note: LungHeatNote) -> None:
    print(f"{note.split}: {of(note.images, note.of)} images with a decision to map, drawn by seed {note.seed}")
    rows = [("all", note.overall), *note.per_class.items(), ("right", note.right), ("wrong", note.wrong)]
    width = max(len(name) for name, _ in rows) + 2
    print(f"\n{'':{width}}{'maps':>6}  {'heat in the lungs':22}{'lungs are':>10}  heat less area, 95 % by patient")
    for name, share in rows:
        print(f"{name:{width}}{_row(share)}")
    print(f"\n{note.sentence}")
    print(
        f"Lungs not found for sure: {counted(note.unsure, 'image')}; maps without heat: {note.empty}; not readable: "
        f"{counted(note.unreadable, 'image')}. {APPROXIMATE}"
    )
    print("Research software, not for clinical use.")


def _row(share: HeatShare | None) -> str:
    if share is None:
        return f"{0:>6}  {UNDEFINED}"
    return (
        f"{share.maps:>6}  {_with_ends(share.share, share.share_ci):22}{percent(share.area):>10}  "
        f"{_with_ends(share.difference, share.difference_ci)}"
    )


def _with_ends(value: float, ends: list[float] | None) -> str:
    return f"{_percent(value)} ({_percent(ends[0])} to {_percent(ends[1])})" if ends else _percent(value)


def _percent(value: float) -> str:
    # What rounds to nothing has no sign.
    return percent(round(value, 2) + 0.0).replace("-", "−")
