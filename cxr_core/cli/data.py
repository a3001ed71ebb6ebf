"""The commands that make and open a data set: ``demo``, ``scan``."""

from argparse import Namespace
from pathlib import Path

from cxr_core.activity import record_opened
from cxr_core.cli import flags
from cxr_core.cli.output import print_json
from cxr_core.settings import runs_dir


def add(actions: flags.Actions) -> None:
    """The parsers of these commands."""
    drawn = actions.add_parser("demo", help="draw a data set of chest-like phantoms (drawings, not X-rays)")
    drawn.set_defaults(command=demo)
    drawn.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    drawn.add_argument("--images", type=int, default=600, metavar="N", help="how many (default 600)")
    drawn.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same bytes (default 0)")
    kind = drawn.add_mutually_exclusive_group()
    kind.add_argument(
        "--shortcut", action="store_true", help="give each class a source of its own, for the audit to find"
    )
    kind.add_argument(
        "--findings", action="store_true", help="any number of findings an image, some uncertain or blank, as a table"
    )

    scanned = actions.add_parser("scan", help="what a data set holds: classes, splits, unreadable files")
    scanned.set_defaults(command=scan)
    flags.data(scanned, required=True)
    flags.json(scanned)


def demo(options: Namespace) -> int:
    """Draw the demo data set."""
    from cxr_core.demo import draw, draw_findings

    if options.findings:
        folder = draw_findings(options.out, options.images, options.seed)
    else:
        folder = draw(options.out, options.images, options.seed, shortcut=options.shortcut)
    print(f"{options.images} drawings (not X-rays) in {folder}")
    return 0


def scan(options: Namespace) -> int:
    """Print what a data set holds."""
    from cxr_core.data import scan as scan_dataset
    from cxr_core.data.cautions import cautions

    dataset = scan_dataset(options.data)
    record_opened(dataset.name, len(dataset.samples), len(dataset.unreadable), runs_dir())
    counts = dataset.counts()
    splits = {str(split): {name: int(count) for name, count in row.items()} for split, row in counts.iterrows()}
    notes = cautions(dataset.samples, dataset.path(""))
    if options.json:
        unreadable = dataset.unreadable[["file", "reason"]].to_dict("records")
        print_json({"classes": dataset.classes, "splits": splits, "unreadable": unreadable, "cautions": notes})
        return 0
    print(f"{dataset.root}: {len(dataset.samples)} images, {dataset.layout}")
    print(counts.to_string())
    for _, row in dataset.unreadable.iterrows():
        print(f"unreadable: {row['file']}: {row['reason']}")
    for note in notes:
        print(f"Note: {note}")
    return 0
