"""The command that makes a data set: ``demo``."""

from argparse import Namespace
from pathlib import Path

from cxr_core.cli import flags


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


def demo(options: Namespace) -> int:
    """Draw the demo data set."""
    from cxr_core.demo import draw, draw_findings

    if options.findings:
        folder = draw_findings(options.out, options.images, options.seed)
    else:
        folder = draw(options.out, options.images, options.seed, shortcut=options.shortcut)
    print(f"{options.images} drawings (not X-rays) in {folder}")
    return 0
