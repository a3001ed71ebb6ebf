"""Evaluate of a run of findings, section by section: nothing raises, and what is shown is what was measured."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cxr_core.demo import draw_findings
from cxr_core.figures import compact, number, spelled
from cxr_core.findings import column
from cxr_core.runs import controls, left_out, lung_heat
from cxr_core.runs.companions import CONTROLS
from cxr_core.runs.decision import Decision
from cxr_core.runs.external import against, externals
from cxr_core.runs.external_findings import sentence
from cxr_core.runs.measured import measured
from cxr_core.runs.run import Run
from cxr_core.settings import remember_dataset
from cxr_core.ui.evaluate.findings.page import SECTIONS
from cxr_core.ui.evaluate.labelled import as_it_came
from tests.pages.support import open_page, sound, texts
from tests.runs_support import copy_of

PAGE = "pages/5_Evaluate.py"


@pytest.fixture
def run(findings_run: Run, isolated: Path) -> Run:
    """A copy of the run that was really trained, to be written to."""
    return copy_of(findings_run, isolated)


def opened(run: Run, section: str = SECTIONS[0], split: str = "test") -> AppTest:
    at = sound(open_page(PAGE, timeout=60, run=run.id))
    if split != "test":
        sound(at.segmented_control(key="split").set_value(split).run())
    if section != SECTIONS[0]:
        sound(at.segmented_control(key="findings-section").set_value(section).run())
    assert not at.error, at.error[0].value
    return at


def metrics(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


@pytest.mark.parametrize("split", ["test", "val"])
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens(run: Run, section: str, split: str) -> None:
    at = opened(run, section, split)
    assert at.subheader[0].value == section
    assert "Research software, not for clinical use." in texts(at)


def test_the_head_says_what_was_counted(run: Run) -> None:
    report, table = measured(run, "test")
    at = opened(run)
    assert metrics(at)["Macro ROC AUC"] == number(report["macro_roc_auc"])
    said = texts(at)
    assert f"mean over {len(report['counted'])} of {len(report['classes'])} findings" in said
    assert f"On {report['n']} images of {table['patient'].nunique()} patients." in said
    low, high = report["ci"]["macro_roc_auc"]
    assert f"95 % interval {number(low)} to {number(high)}" in said
    for warning in run.warnings:
        assert warning in said


def test_all_findings_stand_in_the_table(run: Run) -> None:
    report, _ = measured(run, "test")
    shown = opened(run).dataframe[0].value
    assert shown["Finding"].tolist() == report["classes"]
    name = report["classes"][0]
    figures = report["per_class"][name]
    row = shown.set_index("Finding").loc[name]
    assert (row["Known"], row["Positives"]) == (figures["n"], figures["positives"])
    for title, key in (("Sensitivity", "recall"), ("PPV", "precision"), ("NPV", "npv"), ("Prevalence", "prevalence")):
        if figures[key] is not None:
            assert row[title].startswith(number(figures[key]))


def test_a_cell_leads_to_its_images_and_an_image_to_its_labels(run: Run) -> None:
    report, table = measured(run, "test")
    name = max(report["classes"], key=lambda name: report["one_vs_rest"][name][1][0])
    at = opened(run, "One finding")
    sound(at.selectbox(key="finding").set_value(name).run())
    (tn, fp), (fn, tp) = report["one_vs_rest"][name]
    for cell, count in (("fn", fn), ("fp", fp), ("tp", tp), ("tn", tn)):
        sound(at.segmented_control(key="finding-cell").set_value(cell).run())
        assert (f"of {count} images" in texts(at)) == (count > 0)
    sound(at.segmented_control(key="finding-cell").set_value("fn").run())
    tile = next(found for found in at.button if str(found.key).startswith("case-"))
    digest = str(tile.key).rsplit("-", 1)[1]
    # A dialog is drawn by the click alone, so its switch stands beforehand.
    at.session_state[f"heat-test-{digest}-{name}"] = True
    sound(tile.click().run())
    said = texts(at)
    assert f"{name}: label yes" in said.replace("*", "")
    assert "does not reach the threshold of" in said
    # Its heat map is that of the finding that is looked at.
    box = next(found for found in at.selectbox if str(found.key).startswith("heat-label-"))
    assert box.value == name
    assert "No Finding" not in box.options
    assert f"A heat map shows what moved the score of {name}" in texts(at)
    assert "Nearest training cases" in texts(at)
    row = table[table["digest"] == digest].iloc[0]
    came = next(frame.value for frame in at.dataframe if "Label" in frame.value).set_index("Finding")["Label"]
    assert came.to_dict() == {one: as_it_came(row[column(one)]) for one in run.classes}


def test_a_threshold_is_tried_saved_and_taken_back(run: Run) -> None:
    at = opened(run, "Operating point")
    sound(at.selectbox(key="finding").set_value("Nodule").run())
    before = Decision.load(run).thresholds
    sound(at.slider[0].set_value(0.9).run())
    assert Decision.load(run).thresholds == before
    row = at.dataframe[0].value.set_index("Finding").loc["Nodule"]
    table = measured(run, "val")[1]
    known = table[table[column("Nodule")].isin([0, 1]) | table[column("Nodule")].isna()]
    reach = [int((known["p_Nodule"] >= limit).sum()) for limit in (before["Nodule"], 0.9)]
    assert row["Called, validation"] == f"{reach[0]} → {reach[1]}"
    changed = (table["p_Nodule"] >= before["Nodule"]) != (table["p_Nodule"] >= 0.9)
    totals = at.dataframe[1].value.set_index("Split")
    assert totals.loc["validation", "Images whose answer changes"] == f"{changed.sum()} of {len(table)}"
    press(at, "Save for this run")
    assert Decision.load(run).thresholds == {**before, "Nodule": 0.9}
    assert metrics(opened(run))["Macro F1"] == number(measured(run, "test")[0]["macro_f1"])
    press(opened(run, "Operating point"), "Back to the run's own")
    assert Decision.load(run).thresholds == before


def press(at: AppTest, label: str) -> None:
    sound(next(found for found in at.button if found.label == label).click().run())


def test_net_benefit_follows_the_prevalence(run: Run) -> None:
    at = opened(run, "Operating point")
    assert "At a prevalence of 5 %, this run beats" in texts(at)
    sound(at.number_input[0].set_value(20.0).run())
    assert "At a prevalence of 20 %, this run beats" in texts(at)


def test_subgroups_name_the_largest_gap_or_say_too_few(run: Run) -> None:
    report, _ = measured(run, "test")
    at = opened(run, "Subgroups")
    rows = at.dataframe[0].value
    assert set(rows["By"]) == {"age", "sex", "view", "source"}
    name = report["classes"][0]
    assert rows[rows["By"] == "sex"]["Known"].sum() == report["per_class"][name]["n"]
    few = rows[["Patients with it", "Patients without"]].min(axis=1) < 10
    assert rows["ROC AUC"].isna().tolist() == few.tolist()
    assert ("No two subgroups have enough" in texts(at)) != ("Largest gap in ROC AUC" in texts(at))
    for figure in ("calibration_gap", "prevalence"):
        sound(at.selectbox(key="subgroup-figure").set_value(figure).run())
    # Where predictions have none, those of the split stand in.
    for name in ("predictions_test.csv", "split.csv"):
        place = run.path / name
        pd.read_csv(place).drop(columns=["age", "sex", "view"]).assign(source="").to_csv(place, index=False)
    assert "older than the columns age, sex and view" in texts(opened(run, "Subgroups"))


def test_pairs_are_counted(run: Run) -> None:
    _, table = measured(run, "test")
    rows = opened(run, "Together").dataframe[0].value
    first = rows.iloc[0]
    both = table[[column(first["Finding"]), column(first["and"])]].fillna(0)
    assert first["Both known"] == (both >= 0).all(axis=1).sum()
    assert first["There together"] == (both == 1).all(axis=1).sum()
    limits = Decision.load(run).thresholds
    called = [table[f"p_{name}"] >= limits[name] for name in (first["Finding"], first["and"])]
    assert first["Predicted together"] == (called[0] & called[1] & (both >= 0).all(axis=1)).sum()


def test_an_epoch_is_replayed(run: Run) -> None:
    at = opened(run, "Epochs")
    for row in run.history:
        sound(at.slider[0].set_value(row.epoch).run())
        shown = at.dataframe[0].value.set_index("Finding")["ROC AUC"]
        assert {name: value for name, value in shown.items() if pd.notna(value)} == pytest.approx(
            {name: value for name, value in row.val.roc_auc.items() if value is not None}
        )
        assert f"Epoch {row.epoch} of {len(run.history)}" in texts(at)
    sound(at.multiselect[0].set_value([]).run())
    place = run.path / "history.jsonl"
    place.write_text(place.read_text("utf-8").replace('"Nodule"', '"Else"'), "utf-8")
    at = sound(open_page(PAGE, timeout=60, run=run.id))
    sound(at.segmented_control(key="findings-section").set_value("Epochs").run())
    assert "expected the loss and the ROC AUC" in at.error[0].value


def test_two_runs_are_compared_finding_by_finding(run: Run) -> None:
    assert "There is no other completed run with these findings" in texts(opened(run, "Compare"))
    other = Run(run.path.parent / "20260101-000000-small-cnn-aaaa")
    shutil.copytree(run.path, other.path)
    info = json.loads((other.path / "run.json").read_text("utf-8"))
    (other.path / "run.json").write_text(json.dumps({**info, "id": other.id}), "utf-8")
    at = opened(run, "Compare")
    report, _ = measured(run, "test")
    assert f"on {report['n']} of {report['n']} images" in texts(at)
    assert "these images do not tell the two runs apart" in texts(at)
    shown = at.dataframe[0].value.set_index("Finding")
    assert shown["A"].equals(shown["B"])
    # Worse on one finding, by what is given for it.
    table = pd.read_csv(other.path / "predictions_test.csv")
    table["p_Nodule"] = 1 - table["p_Nodule"]
    table.to_csv(other.path / "predictions_test.csv", index=False)
    shown = opened(run, "Compare").dataframe[0].value.set_index("Finding")
    moved = shown["A"] != shown["B"]
    assert moved[moved].index.tolist() == ["Nodule"]


def test_an_address_of_another_section_opens_the_first(run: Run) -> None:
    asked: dict[str, Any] = {"run": run.id, "findings-section": "Matrix", "section": "Sources"}
    at = sound(open_page(PAGE, timeout=60, **asked))
    assert at.subheader[0].value == SECTIONS[0]


def test_from_findings_to_classes_and_back(run: Run, completed_run: Run, isolated: Path) -> None:
    classes = copy_of(completed_run, isolated)
    at = opened(run, "Subgroups")
    for one in (classes, run):
        sound(at.selectbox(key="run").set_value(one.id).run())
        assert not at.error
    sound(at.segmented_control(key="findings-section").set_value("Compare").run())
    assert "no other completed run with these findings" in texts(at)


def test_labels_are_told_as_they_came() -> None:
    values = [1.0, 0.0, -1.0, float("nan"), 0.25]
    assert [as_it_came(value) for value in values] == ["yes", "no", "uncertain", "blank", "25 % of the readers"]


@pytest.mark.parametrize("damage", ["labels", "probability", "figures"])
def test_what_is_damaged_is_one_message(run: Run, damage: str) -> None:
    place = run.path / "predictions_test.csv"
    table = pd.read_csv(place)
    if damage == "labels":
        table.drop(columns=column("Nodule")).to_csv(place, index=False)
    elif damage == "probability":
        table.assign(p_Nodule=2.0).to_csv(place, index=False)
    else:
        report = json.loads((run.path / "metrics_test.json").read_text("utf-8"))
        del report["ci"]["per_class"]["Nodule"]
        (run.path / "metrics_test.json").write_text(json.dumps(report), "utf-8")
    at = sound(open_page(PAGE, timeout=60, run=run.id))
    assert len(at.error) == 1
    assert "restore it, or train again" in at.error[0].value.lower()


@pytest.mark.parametrize("state", ["queued", "training", "stopped", "failed"])
def test_a_run_that_is_not_completed_says_so(run: Run, state: str) -> None:
    status = json.loads((run.path / "status.json").read_text("utf-8"))
    (run.path / "status.json").write_text(json.dumps({**status, "state": state, "error": "It failed."}), "utf-8")
    at = sound(open_page(PAGE, timeout=60, run=run.id))
    assert not at.segmented_control
    assert Decision.load(run)


def test_another_data_set_is_evaluated_shown_and_forgotten(run: Run, tmp_path: Path) -> None:
    other = draw_findings(tmp_path / "elsewhere", images=60, seed=3)
    table = pd.read_csv(other / "labels.csv")
    table.rename(columns={"Pleural Effusion": "effusion", "Nodule": "Mass"}).to_csv(other / "labels.csv", index=False)
    remember_dataset(other)
    at = opened(run, "Other data sets")
    assert "was not evaluated on an external data set yet" in texts(at)
    at.selectbox(key="external-data").set_value(str(other)).run()
    sound(at.button(key="evaluate-external").click().run())
    assert not at.error
    (kept,) = externals(run)
    found, said = against(run, kept), texts(at)
    assert sentence("elsewhere", found) in said
    assert "Only the run has: Nodule." in said
    assert "Only the data set has: Mass." in said
    rows = next(frame.value for frame in at.dataframe if "Own test" in frame.value).set_index("Finding")
    areas = found["per_class"]["Pleural Effusion"]["roc_auc"]
    assert rows.loc["Pleural Effusion", "There"] == compact(areas["b"], areas["b_ci"])
    assert rows.loc["Pleural Effusion", "Drop"] == spelled(areas["drop"], areas["ci"])
    rules = next(frame.value for frame in at.dataframe if "Matched by" in frame.value).set_index("Of the run")
    assert rules.loc["Pleural Effusion"].tolist() == ["effusion", "another spelling"]
    for figure in ("average_precision", "recall", "specificity"):
        sound(at.selectbox(key="external-figure").set_value(figure).run())
    sound(at.checkbox(key=f"sure-{kept.path.name}").check().run())
    sound(at.button(key=f"forget-{kept.path.name}").click().run())
    assert "elsewhere was forgotten" in texts(at)
    assert externals(run) == []


def test_controls_show_each_finding_and_what_is_left_of_it(findings_controlled: Run, isolated: Path) -> None:
    run = copy_of(findings_controlled, isolated)
    found = controls.scores(run)
    assert found
    at = opened(run, "Controls")
    assert controls.verdict(found) in texts(at)
    shown = at.dataframe[0].value.set_index("Finding")
    assert list(shown.index) == run.findings
    for row in found.findings:
        assert shown.loc[row.name, "Left without lungs"] == row.state
        assert shown.loc[row.name, "Without lungs"].startswith(number(row.areas["lungs-erased"][0] or 0.0))
    (run.path / CONTROLS.file).write_text('{"chance_macro_f1": 0.3}')
    at = sound(at.run())
    assert "is damaged" in at.error[0].value


def test_sources_show_what_is_lost_where_one_is_left_out(findings_left_out: Run, isolated: Path) -> None:
    run = copy_of(findings_left_out, isolated)
    found = left_out.scores(run)
    assert found
    assert found.difference
    at = opened(run, "Sources")
    assert left_out.verdict(found) in texts(at)
    by_source, lost = (frame.value for frame in at.dataframe[:2])
    assert by_source["Source"].tolist() == sorted(run.split["source"].unique())
    assert by_source["Images"].sum() == measured(run, "test")[0]["n"]
    for _, row in lost.iterrows():
        assert row["Lost"] == spelled(found.difference["per_finding"][row["Finding"]]["difference"])


def test_controls_and_left_out_sources_are_offered_and_asked_for(run: Run) -> None:
    at = opened(run, "Controls")
    assert "Not measured yet" in texts(at)
    assert at.button(key="start-controls").label == "Measure controls"
    sound(at.button(key="where-measure").click().run())
    note = lung_heat.read(run)
    assert note
    assert note.sentence in texts(at)
    assert at.button(key="where-measure").label == "Measure again"
    at = opened(run, "Sources")
    assert "3 trainings like this run" in texts(at)
    table = run.split.assign(source="one")
    table.to_csv(run.path / "split.csv", index=False)
    at = opened(run, "Sources")
    assert "cannot tell disease from source" in texts(at)
    assert not [button for button in at.button if button.key == "start-sources"]
