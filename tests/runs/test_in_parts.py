"""Subgroups of a run of classes: the same figures as of the images by themselves; an old run says what it lacks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from cxr_core.runs.in_parts import in_parts, keeps_none, parts_of
from cxr_core.runs.measured import measured
from cxr_core.runs.run import Run
from tests.runs_support import copy_of


@pytest.fixture
def run(completed_run: Run, tmp_path: Path) -> Run:
    """A copy whose test images stand in its predictions 40 times, each of another patient, with ages and sexes."""
    copy = copy_of(completed_run, tmp_path)
    table, split = copy.predictions("test"), copy.split
    many = pd.concat([table.assign(file=table["file"] + f"#{k}", patient=f"p{k}-" + table["file"]) for k in range(40)])
    many.to_csv(copy.path / "predictions_test.csv", index=False)
    random = np.random.default_rng(0)
    rows = (
        split.drop(columns="file")
        .iloc[np.arange(len(many)) % len(split)]
        .assign(
            file=many["file"].to_numpy(),
            age=random.integers(1, 95, len(many)),
            sex=random.choice(["F", "M", ""], len(many)),
            view="",
        )
    )
    rows.to_csv(copy.path / "split.csv", index=False)
    return copy


def test_a_class_in_a_part_is_that_of_its_images(run: Run) -> None:
    table = run.predictions("test")
    parts = parts_of(run, table)
    assert {"age", "sex"} <= set(parts)
    assert "view" not in parts
    assert not keeps_none(run, table)
    for name in run.classes:
        specific = {name, *(one for one, generals in run.implied.items() if name in generals)}
        found = in_parts(run, table, name, parts)
        truth, called = (table[column].isin(specific).to_numpy() for column in ("label", "decision"))
        for row in found.rows:
            inside = np.array(parts[row.by]) == row.value
            assert (row.n, row.positives) == (inside.sum(), (inside & truth).sum())
            if row.too_few:
                continue
            score = table[f"p_{name}"].to_numpy()[inside]
            assert row.figures["roc_auc"].value == pytest.approx(roc_auc_score(truth[inside], score))
            assert row.figures["sensitivity"].value == pytest.approx(called[inside & truth].mean())
            assert row.figures["specificity"].value == pytest.approx((~called)[inside & ~truth].mean())
        assert any(not row.too_few for row in found.rows)
        assert found.overall[name]["sensitivity"] == pytest.approx(called[truth].mean())


def test_the_area_over_all_images_is_that_of_the_report(completed_run: Run) -> None:
    report, table = measured(completed_run, "test")
    parts = {"sex": ["F"] * len(table)}
    for name in completed_run.classes:
        found = in_parts(completed_run, table, name, parts)
        assert found.overall[name]["roc_auc"] == pytest.approx(report["per_class"][name]["roc_auc"])


def test_an_old_run_keeps_none_of_it(run: Run) -> None:
    run.split.drop(columns=["age", "sex", "view"]).to_csv(run.path / "split.csv", index=False)
    table = run.predictions("test")
    assert keeps_none(run, table)
    assert set(parts_of(run, table)) <= {"source"}
