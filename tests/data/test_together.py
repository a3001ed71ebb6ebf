"""Rows that belong together, against a plain search through the ties."""

import random

import pytest

from cxr_core.data.together import together


def plain(marks: list[list[int]]) -> list[list[int]]:
    left, found = set(range(len(marks))), []
    while left:
        group, waiting = set(), [min(left)]
        while waiting:
            row = waiting.pop()
            if row in left:
                left.remove(row)
                group.add(row)
                waiting += [other for other in left if set(marks[other]) & set(marks[row])]
        found.append(sorted(group))
    return found


@pytest.mark.parametrize("seed", range(20))
def test_groups_are_those_of_a_plain_search(seed: int) -> None:
    draw = random.Random(seed)
    marks = [[draw.randrange(12) for _ in range(draw.randrange(3))] for _ in range(draw.randrange(1, 25))]
    assert together(marks) == plain(marks)


def test_nothing_and_no_ties() -> None:
    assert together([]) == []
    assert together([[], []]) == [[0], [1]]
