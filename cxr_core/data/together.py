"""Rows that belong together because they share a patient, a content or anything else, directly or through others.

together([[("patient", "p1")], [("patient", "p1"), ("digest", "d")], [("digest", "d")], []])     # [[0, 1, 2], [3]]
"""

from collections.abc import Hashable, Sequence

import numpy as np


def together(marks: Sequence[Sequence[Hashable]]) -> list[list[int]]:
    """Groups of row numbers, each rising, by their first row. ``marks``: for each row what ties it to others."""
    # A fifth of a second to import, and a scan needs none of it.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    numbers: dict[Hashable, int] = {}
    ties = [(row, numbers.setdefault(mark, len(numbers))) for row, given in enumerate(marks) for mark in given]
    rows, columns = np.array(ties, dtype=np.int64).reshape(-1, 2).T
    size = len(marks) + len(numbers)
    graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns + len(marks))), shape=(size, size))
    _, member = connected_components(graph, directed=False)
    groups: dict[int, list[int]] = {}
    for row, number in enumerate(member[: len(marks)].tolist()):
        groups.setdefault(number, []).append(row)
    return list(groups.values())
