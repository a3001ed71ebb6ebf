"""How far this process reaches: the folders below which it may see and open anything that a person names.

    confine([Path("/srv/xrays")])       # by every page of a server that others reach; None: no bound
    check(path)                         # raises DatasetError for one that lies elsewhere
    reachable(path)                     # the same as a question

The command line and the workers belong to the owner of the machine and are not bound. What the software itself drew or
unpacked is always in reach. Links are resolved before a path is compared, so none of them leads out; the answer is the
same for what exists outside and for what does not.
"""

from collections.abc import Sequence
from pathlib import Path

from cxr_core.errors import DatasetError
from cxr_core.paths import shown
from cxr_core.settings import data_dir

OUTSIDE = "lies outside of the folders that this dashboard may open"
_bound: tuple[Path, ...] | None = None


def confine(roots: Sequence[Path] | None) -> None:
    """From now on nothing is seen or opened but what lies below ``roots``; None: everything may be."""
    global _bound
    _bound = None if roots is None else tuple(root.resolve() for root in roots)


def roots() -> list[Path] | None:
    """Where one may look around, those that exist; None where everywhere."""
    return None if _bound is None else [root for root in (*_bound, *_own()) if root.is_dir()]


def reachable(path: Path) -> bool:
    """Whether the path, its links resolved, lies in reach."""
    if _bound is None:
        return True
    try:
        real = path.resolve()
    except (OSError, RuntimeError, ValueError):
        # A loop of links leads nowhere.
        return False
    return any(real.is_relative_to(root) for root in (*_bound, *_own()))


def check(path: Path) -> None:
    """Raise DatasetError for a path out of reach; whether it exists is neither asked nor said."""
    if not reachable(path):
        where = ", ".join(map(str, _bound or ())) or "the demo data set and uploaded zips alone"
        raise DatasetError(
            f"{shown(path)} {OUTSIDE} ({where}). Choose one of these; whoever runs it can add others with CXR_ROOTS."
        )


def _own() -> list[Path]:
    """The demo data sets and what was unpacked; not the list of recent data sets beside them."""
    return [data_dir() / "uploads", *sorted(data_dir().glob("demo-*"))]
