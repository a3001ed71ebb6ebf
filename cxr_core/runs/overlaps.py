"""Public sets that are known to share images, named where two of them stand beside each other.

    overlaps.outside(run, dataset.origin.set)     # before a run is evaluated there, and beside what was measured
    overlaps.beside(runs)                         # a line for runs that are compared

"" where neither is a public set, or where nothing is known: then they may still share images.
"""

from collections.abc import Sequence
from itertools import combinations

from cxr_core.data.exposure import known_overlap, network_of
from cxr_core.data.sets.registry import overlap
from cxr_core.errors import CxrError
from cxr_core.runs.run import Run


def set_of(run: Run) -> str:
    """The public set that a run was trained on; "" where it is none, or the run cannot be read."""
    try:
        return str(run.info.origin.get("set") or "")
    except CxrError:
        # The Runs page names it as damaged.
        return ""


def outside(run: Run, there: str | None) -> str:
    """What the run's own set shares with the set ``there``, and what the network that it began with has seen of it."""
    own, network = set_of(run), network_of(str(run.info.config.get("weights", "")))
    told = []
    shared = "" if not own or not there else "both are the same public set" if own == there else overlap(own, there)
    if shared:
        told.append(
            f"Known overlap: the run was trained on {own}, and this is {there}; {shared}. Images or patients that it "
            "learnt from may be among these, and the figures then flatter."
        )
    if network and (seen := known_overlap(network, there)):
        told.append(seen)
    return " ".join(told)


def beside(runs: Sequence[Run]) -> str:
    """One line on the sets among these runs that share images, two by two."""
    sets = sorted({name for run in runs if (name := set_of(run))})
    pairs = [f"{one} and {other} ({shared})" for one, other in combinations(sets, 2) if (shared := overlap(one, other))]
    if not pairs:
        return ""
    return (
        f"Known overlap of {'; '.join(pairs)}. Runs trained on these do not stand on images of their own: what one was "
        "tested on, another may have learnt from."
    )
