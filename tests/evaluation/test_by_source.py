"""Figures source by source add up to those of the split; two sources of every class are needed to leave one out."""

import numpy as np
import pandas as pd
import pytest

from cxr_core.evaluation.by_source import UNKNOWN, by_source, can_leave_out

CLASSES = ["A", "B"]


def table(sources: list[str], labels: list[str], decisions: list[str]) -> pd.DataFrame:
    p = np.array([[0.9, 0.1] if name == "A" else [0.1, 0.9] for name in decisions])
    columns = {"source": sources, "label": labels, "decision": decisions, "patient": [""] * len(labels)}
    return pd.DataFrame({**columns, "p_A": p[:, 0], "p_B": p[:, 1]})


def test_each_source_has_its_own_figures() -> None:
    rows = by_source(table(["x", "x", "y", "y", ""], list("ABABA"), list("ABBBA")), CLASSES, {})
    assert [(row["source"], row["n"], row["right"]) for row in rows] == [(UNKNOWN, 1, 1), ("x", 2, 2), ("y", 2, 1)]
    assert [row["accuracy"] for row in rows] == [1, 1, 0.5]
    assert rows[2]["classes"] == {"A": 1, "B": 1}
    assert rows[2]["macro_f1"] == pytest.approx((0 + 2 / 3) / 2)
    assert rows[0]["ci"]["accuracy"] is None
    assert rows[2]["ci"]["accuracy"][0] <= 0.5 <= rows[2]["ci"]["accuracy"][1]


def test_images_and_right_ones_add_up() -> None:
    random = np.random.default_rng(0)
    labels, decisions = (list(random.choice(CLASSES, 60)) for _ in range(2))
    rows = by_source(table(list(random.choice(["x", "y", "z"], 60)), labels, decisions), CLASSES, {})
    assert sum(row["n"] for row in rows) == 60
    assert sum(row["right"] for row in rows) == sum(a == b for a, b in zip(labels, decisions, strict=True))


def test_one_source_of_a_class_cannot_be_left_out() -> None:
    found = can_leave_out(pd.DataFrame({"source": ["x", "y", "z"], "label": ["A", "B", "B"]}))
    assert (found["possible"], found["single"]) == (False, {"A": "x"})
    assert "cannot tell disease from source: A (x) has fewer" in found["message"]


def test_two_sources_of_every_class_can() -> None:
    found = can_leave_out(pd.DataFrame({"source": ["x", "y", "x", "y"], "label": ["A", "A", "B", "B"]}))
    assert (found["possible"], found["single"]) == (True, {})
    assert "each can be left out" in found["message"]


def test_unknown_sources_say_nothing() -> None:
    found = can_leave_out(pd.DataFrame({"source": ["", None], "label": ["A", "B"]}))
    assert not found["possible"]
    assert "No image's source is known" in found["message"]
