"""What pairs of the same picture mean: leaks, labels that contradict each other, pictures that count twice.

copies(duplicates(dataset.samples, traits))        # the issues
joined([("a.png", "b.png"), ("b.png", "c.png")])     # (("a.png", "b.png", "c.png"),)
"""

from collections.abc import Sequence

from cxr_core.audit.duplicates import Pair
from cxr_core.audit.issues import Issue, issue
from cxr_core.audit.kinds import KINDS, LEAK
from cxr_core.data.together import together


def copies(pairs: list[Pair]) -> list[Issue]:
    """An issue for each kind of pair that there is."""
    conflicts = [pair for pair in pairs if pair.relation == "label-conflict"]
    plain = [pair for pair in pairs if not pair.leaks and pair.relation == "same-class"]
    chosen = {LEAK: [pair for pair in pairs if pair.leaks], "label conflict": conflicts, "duplicates": plain}
    return [_issue(kind, found) for kind, found in chosen.items() if found]


def _issue(kind: str, pairs: list[Pair]) -> Issue:
    exact = sum(pair.kind == "exact" for pair in pairs)
    groups = joined([(pair.a, pair.b) for pair in pairs])
    counted = "1 pair" if len(pairs) == 1 else f"{len(pairs):,} pairs"
    message = f"{counted} of the same picture ({exact} exact, {len(pairs) - exact} near): {KINDS[kind].means}."
    return issue(kind, message, sorted({*sum(groups, ())}), groups)


def joined(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Files that are copies of each other, directly or through others; sorted, and so are the groups."""
    files = sorted({file for pair in pairs for file in pair})
    ties: dict[str, list[int]] = {file: [] for file in files}
    for number, pair in enumerate(pairs):
        for file in pair:
            ties[file].append(number)
    return tuple(tuple(files[row] for row in group) for group in together([ties[file] for file in files]))
