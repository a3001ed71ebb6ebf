"""Evaluate, section by section: figures, the images behind a cell, thresholds, calibration, epochs, comparison."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cxr_core.charts.history import recall_curve
from cxr_core.data import marks
from cxr_core.data.marks import LABEL_WRONG, LEAVE_OUT
from cxr_core.evaluation.intervals import paired
from cxr_core.inference.neighbours import kept_vector
from cxr_core.runs.decision import Decision, save_operating_point
from cxr_core.runs.measured import measured
from cxr_core.runs.run import Run
from cxr_core.ui.evaluate.matrix import ANY, behind
from tests import ROOT
from tests.pages.support import CLASSES, open_page, sound, texts, tiny_dataset, tiny_run
from tests.runs_support import copy_of

PAGE = "pages/5_Evaluate.py"
SECTIONS = (
    *("Matrix", "Classes", "Sources", "Subgroups", "Operating point", "Calibration", "Epochs", "Compare"),
    *("Controls", "External test"),
)


@pytest.fixture
def make(isolated: Path) -> Callable[..., Run]:
    """``make(labels="single")``: a completed run with made-up predictions."""
    root = tiny_dataset(isolated / "tiny", images=12)
    return lambda **given: tiny_run(isolated / "runs", root, "completed", **given)


@pytest.fixture
def run(completed_run: Run, isolated: Path) -> Run:
    """A copy of the run that was really trained, to be written to."""
    return copy_of(completed_run, isolated)


def opened(run: Run, section: str = "Matrix", split: str = "test") -> AppTest:
    at = sound(open_page(PAGE, timeout=60, run=run.id))
    if split != "test":
        sound(at.segmented_control(key="split").set_value(split).run())
    if section != "Matrix":
        sound(at.segmented_control(key="section").set_value(section).run())
    return at


def metrics(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


def button(at: AppTest, label: str) -> AppTest:
    return sound(next(found for found in at.button if found.label == label).click().run())


def choose(at: AppTest, true: str, predicted: str) -> AppTest:
    at.selectbox(key="cell-true").set_value(true)
    return sound(at.selectbox(key="cell-predicted").set_value(predicted).run())


def open_first(at: AppTest) -> AppTest:
    tile = next(found for found in at.button if str(found.key).startswith("case-"))
    return sound(tile.click().run())


READINGS = {"single": {"labels": "single"}, "flat": {"hierarchy": "flat"}, "coherent": {}}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("split", ["test", "val"])
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_every_reading(make: Callable[..., Run], section: str, split: str, reading: str) -> None:
    run = make(**READINGS[reading])
    at = opened(run, section, split)
    assert not at.error
    report, _ = measured(run, split)
    right = sum(report["confusion"][k][k] for k in range(3))
    assert f"{right} of {report['n']} images" in texts(at)
    assert metrics(at)["Accuracy"] == f"{report['accuracy']:.3f}"
    low, high = report["ci"]["accuracy"]
    assert f"95 % interval {low:.3f} to {high:.3f}" in texts(at)
    assert all(warning in texts(at) for warning in run.warnings)
    assert ("was not used to choose anything" in texts(at)) == (split == "test")
    assert "highest macro F1" in texts(at)
    assert ("Thresholds, chosen on validation" in texts(at)) == (reading == "flat")
    assert ("most probable of COVID19, NORMAL and PNEUMONIA without COVID19" in texts(at)) == (reading == "coherent")


def test_sections_that_open_no_image_leave_torch_alone(run: Run) -> None:
    code = (
        "import sys\n"
        "from cxr_core.ui import warm\n"
        "from tests.pages.support import open_page\n"
        # What is loaded in the background is not what the page waits for.
        "warm._load = lambda: None\n"
        f"at = open_page({PAGE!r}, timeout=60, run={run.id!r})\n"
        f"for section in {SECTIONS[1:]!r}:\n"
        "    at.segmented_control(key='section').set_value(section).run()\n"
        "    assert not at.exception and not at.error, section\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("name", ["metrics_test.json", "predictions_test.csv", "decision.json", "best.safetensors"])
@pytest.mark.parametrize("damage", ["gone", "damaged"])
def test_without_one_of_its_files(make: Callable[..., Run], name: str, damage: str) -> None:
    run = make()
    if damage == "gone":
        (run.path / name).unlink()
    else:
        (run.path / name).write_text("{")
    at = sound(open_page(PAGE, run=run.id))
    # Figures need no weights: whether these are whole shows when a picture is opened.
    assert bool(at.error) == ((name, damage) != ("best.safetensors", "damaged"))


@pytest.mark.parametrize(
    ("column", "value"),
    [("p_NORMAL", "x"), ("p_NORMAL", ""), ("label", "OTHER"), ("decision", "OTHER"), ("digest", None)],
)
def test_damaged_predictions_are_a_message(make: Callable[..., Run], column: str, value: str | None) -> None:
    run = make()
    path = run.path / "predictions_test.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if value is None:
        table = table.drop(columns=column)
    else:
        table.loc[1, column] = value
    table.to_csv(path, index=False)
    at = sound(open_page(PAGE, run=run.id))
    assert "is damaged" in at.error[0].value


def test_a_run_without_intervals_says_what_to_do(make: Callable[..., Run]) -> None:
    run = make()
    path = run.path / "metrics_test.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "ci"}))
    assert "restore it, or train again" in sound(open_page(PAGE, run=run.id)).error[0].value


def test_an_empty_history_leaves_the_rest(make: Callable[..., Run]) -> None:
    run = make()
    (run.path / "history.jsonl").unlink()
    assert "epoch of these weights is not known" in texts(opened(run))
    assert "no epoch to replay" in texts(opened(run, "Epochs"))


# Matrix and images


def test_the_boxes_lead_to_the_images_most_confident_first(run: Run) -> None:
    report, table = measured(run, "test")
    at = opened(run)
    true, predicted = (str(at.selectbox(key=key).value) for key in ("cell-true", "cell-predicted"))
    wrong = {(a, b): report["confusion"][i][j] for i, a in enumerate(CLASSES) for j, b in enumerate(CLASSES) if i != j}
    assert wrong[true, predicted] == max(wrong.values()), "the most frequent error is open at first"
    for true, predicted in [(a, b) for a in (ANY, *CLASSES) for b in (ANY, *CLASSES)]:
        choose(at, true, predicted)
        rows = behind(table, (true, predicted), run.implied)
        shown = [found for found in at.button if str(found.key).startswith("case-")]
        assert [str(found.key).rsplit("-", 1)[-1] for found in shown] == rows["digest"].tolist()[:12]
        assert rows["confidence"].is_monotonic_decreasing
        assert f"True {true}, predicted {predicted}" in texts(at)
    assert len(behind(table, (ANY, ANY), run.implied)) == len(table)


def test_cells_are_counted_as_in_the_matrix(run: Run) -> None:
    report, table = measured(run, "val")
    counts = [[len(behind(table, (a, b), run.implied)) for b in CLASSES] for a in CLASSES]
    assert counts == report["confusion"]


def test_the_chosen_cell_outlives_other_sections(run: Run) -> None:
    at = choose(opened(run), "NORMAL", ANY)
    at.segmented_control(key="section").set_value("Classes").run()
    sound(at.segmented_control(key="section").set_value("Matrix").run())
    assert (at.selectbox(key="cell-true").value, at.selectbox(key="cell-predicted").value) == ("NORMAL", ANY)


def test_a_cell_of_many_images_has_pages(make: Callable[..., Run]) -> None:
    run = make(test_fraction=0.5)
    at = choose(opened(run), ANY, ANY)
    _, table = measured(run, "test")
    assert f"1 to 12 of {len(table)} images" in texts(at)
    sound(at.pagination[0].set_value(2).run())
    assert f"13 to {len(table)} of {len(table)} images" in texts(at)


def as_before(run: Run) -> Run:
    """The same as a run of before: without the field, whose labels are flat."""
    info = json.loads((run.path / "run.json").read_text())
    del info["config"]["hierarchy"]
    (run.path / "run.json").write_text(json.dumps(info))
    rule = json.loads((run.path / "decision.json").read_text())
    (run.path / "decision.json").write_text(json.dumps({**rule, "thresholds": dict.fromkeys(run.classes, 0.375)}))
    return Run(run.path)


@pytest.mark.parametrize("reading", ["flat", "coherent"])
def test_an_image_opens_with_all_that_is_known(run: Run, reading: str) -> None:
    run = as_before(run) if reading == "flat" else run
    at = open_first(choose(opened(run), ANY, ANY))
    row = behind(measured(run, "test")[1], (ANY, ANY), run.implied).iloc[0]
    shown = texts(at)
    assert not at.error
    assert f"Decision **{row['decision']}** · true label **{row['label']}**" in shown
    thresholds = Decision.load(run).thresholds
    assert list(thresholds) == (run.classes if reading == "flat" else [])
    for name, limit in thresholds.items():
        fires = "reaches" if row[f"p_{name}"] >= limit else "below"
        # What means none of the findings has none.
        assert (f"{name} {row[f'p_{name}']:.3f} ({fires} {limit:.3f})" in shown) == (name != "NORMAL")
    assert ("PNEUMONIA of any kind" in shown) == (reading == "coherent")
    assert "Among the nearest 2" in shown
    assert shown.count(" · distance ") == 5
    assert "heat map" not in shown


def first_case(path: str) -> None:
    """What the dialog of the first test image shows. AppTest runs the whole page, which closes a dialog, so it stands
    on a page of its own here.
    """
    from pathlib import Path

    from cxr_core.runs.run import Run
    from cxr_core.ui.case import Case, answer_view, picture_view, similar_view
    from cxr_core.ui.marks import mark_buttons

    run = Run(Path(path))
    row = run.predictions("test").iloc[0]
    content = (Path(run.info.folder) / row["file"]).read_bytes()
    case = Case(content, row["file"], {name: row[f"p_{name}"] for name in run.classes}, row["decision"], row["label"])
    for view in (picture_view, answer_view, similar_view):
        view(run, case, "x")
    mark_buttons(row["digest"], row["file"], row["label"], "x", [name for name in run.classes if name != row["label"]])


def case_page(run: Run) -> AppTest:
    return sound(AppTest.from_function(first_case, args=(str(run.path),), default_timeout=60).run())


def test_a_heat_map_comes_when_asked_for(run: Run) -> None:
    at = case_page(run)
    decision = run.predictions("test")["decision"].iloc[0]
    assert "score is right" not in texts(at)
    sound(at.toggle[0].set_value(True).run())
    assert f"what moved the score of {decision}, not that the score is right" in texts(at)
    for name in CLASSES:
        sound(at.selectbox[0].set_value(name).run())
        assert f"what moved the score of {name}" in texts(at)
    # How much of it lies in the lungs, or that they were not found.
    assert "the lungs" in texts(at).lower()
    sound(next(toggle for toggle in at.toggle if toggle.label == "Lung boxes").set_value(True).run())
    assert not at.error
    sound(at.toggle[0].set_value(False).run())
    assert "score is right" not in texts(at)


def test_a_validation_image_brings_its_own_vector(run: Run) -> None:
    from cxr_core.images.reading import pixels, read_bytes
    from cxr_core.inference.embedding import embed_pixels
    from cxr_core.inference.trained import Trained

    row = measured(run, "val")[1].iloc[0]
    vector = kept_vector(run, row["digest"])
    assert vector is not None
    path = Path(run.info.folder) / row["file"]
    computed = embed_pixels(Trained.load(run), pixels(read_bytes(path), path.name, run.config.image_size)[None])[0]
    np.testing.assert_allclose(vector, computed.astype(np.float32), atol=2e-3)
    assert kept_vector(run, "0" * 32) is None
    assert not open_first(choose(opened(run, split="val"), ANY, ANY)).error


def test_a_vanished_image_is_a_message(make: Callable[..., Run]) -> None:
    run = make()
    shutil.rmtree(run.info.folder)
    at = open_first(choose(opened(run), ANY, ANY))
    assert "cannot be read" in texts(at)


def test_marks_are_written_shown_and_undone(run: Run, isolated: Path) -> None:
    at = case_page(run)
    row = run.predictions("test").iloc[0]
    before = (Path(run.info.folder) / row["file"]).read_bytes()
    next(box for box in at.text_input if box.label.startswith("Reason")).set_value("an effusion")
    right = next(box for box in at.selectbox if box.label.startswith("Right label"))
    assert sorted([*right.options, row["label"]]) == sorted(CLASSES)
    right.set_value(right.options[0])
    button(at, "Label looks wrong")
    button(at, "Leave out of training")
    given = marks.read(isolated / "runs")
    assert given["action"].tolist() == [LABEL_WRONG, LEAVE_OUT]
    assert set(given["digest"]) == {row["digest"]}
    assert set(given["label"]) == {row["label"]}
    assert given["reason"][0] == "an effusion"
    assert given["right"].tolist() == [right.options[0], ""]
    assert (Path(run.info.folder) / row["file"]).read_bytes() == before
    assert f"Marked label looks wrong, should be {right.options[0]}: an effusion" in texts(at).replace("**", "")

    dataset = sound(open_page("pages/1_Dataset.py", data=run.info.data))
    assert "1 of 36 images are marked" in texts(dataset)
    assert f"{row['label']}, should be {right.options[0]}" in texts(dataset)
    undo = next(found for found in dataset.button if str(found.key).endswith(LEAVE_OUT))
    sound(undo.click().run())
    assert marks.read(isolated / "runs")["action"].tolist() == [LABEL_WRONG]
    page = choose(opened(run), ANY, ANY)
    assert [badge.value for badge in page.markdown if "label looks wrong" in badge.value], "a tile says so"
    button(at, "Undo")
    assert marks.read(isolated / "runs").empty
    assert "no image of this data set is marked" in texts(sound(dataset.run()))


def test_a_damaged_table_of_marks_is_a_message(run: Run, isolated: Path) -> None:
    (isolated / "runs" / marks.FILE).write_text("x,y\n1,2\n")
    for at in (opened(run), open_page("pages/1_Dataset.py", data=run.info.data)):
        assert any("corrections.csv is damaged" in error.value.replace("\\", "") for error in sound(at).error)


def test_the_form_offers_to_honour_marks(tmp_path: Path) -> None:
    root = tiny_dataset(tmp_path / "tiny")
    at = sound(open_page("pages/3_Train.py", data=str(root)))
    assert at.checkbox(key="config-corrections").value is False
    sound(at.checkbox(key="config-corrections").check().run())
    assert "Honour marks True (preset False)" in texts(at)


# Figures


def test_figures_carry_intervals_and_counts(run: Run) -> None:
    report, _ = measured(run, "test")
    table = opened(run, "Classes").dataframe[0].value.set_index("Class")
    for name in CLASSES:
        figures, ci = report["per_class"][name], report["ci"]["per_class"][name]
        _, (fn, tp) = report["one_vs_rest"][name]
        assert table.loc[name, "Support"] == figures["support"]
        assert table.loc[name, "Sensitivity (recall)"].endswith(f"{tp} of {tp + fn}")
        assert table.loc[name, "Specificity"].startswith(f"{figures['specificity']:.3f} (")
        low, high = ci["roc_auc"]
        assert table.loc[name, "ROC AUC"] == f"{figures['roc_auc']:.3f} ({low:.3f}–{high:.3f})"


def test_a_figure_that_is_not_defined_says_so(make: Callable[..., Run]) -> None:
    run = make()
    path = run.path / "metrics_test.json"
    report = json.loads(path.read_text())
    report["per_class"]["NORMAL"] |= {"roc_auc": None, "average_precision": None}
    report["ci"]["per_class"]["NORMAL"] |= {"roc_auc": None, "average_precision": None}
    path.write_text(json.dumps(report))
    assert opened(run, "Classes").dataframe[0].value.set_index("Class").loc["NORMAL", "ROC AUC"] == "not defined"


# Operating point


@pytest.mark.parametrize("reading", READINGS)
def test_an_operating_point_is_chosen_saved_and_taken_back(make: Callable[..., Run], reading: str) -> None:
    run = make(**READINGS[reading])
    own, before = Decision.load(run), measured(run, "test")[0]
    at = opened(run, "Operating point")
    assert next(found for found in at.button if found.label == "Save for this run").disabled
    offered = at.segmented_control(key="threshold-label").options
    assert offered == (run.classes if reading == "single" else ["COVID19", "PNEUMONIA"])
    at.segmented_control(key="threshold-label").set_value("PNEUMONIA").run()
    assert ("No threshold is set for PNEUMONIA" in texts(at)) == (reading == "coherent")
    sound(at.slider[0].set_value(0.999).run())
    assert "No threshold is set for PNEUMONIA" not in texts(at)
    assert metrics(at)["Sensitivity"] == "0.000"
    assert metrics(at)["Specificity"] == "1.000"
    assert metrics(at)["PPV"] == "–"
    assert "chosen here on the validation split" in texts(at)
    assert "Not saved yet" in texts(at)
    assert Decision.load(run) == own

    # The draft stays while another label is looked at.
    at.segmented_control(key="threshold-label").set_value("COVID19").run()
    at.segmented_control(key="threshold-label").set_value("PNEUMONIA").run()
    assert at.slider[0].value == 0.999
    effect = at.dataframe[1].value.set_index(["Split", "Thresholds"])
    button(at, "Save for this run")
    saved = Decision.load(run).thresholds
    assert saved["PNEUMONIA"] == 0.999
    assert reading != "coherent" or saved == {"PNEUMONIA": 0.999}
    after = measured(run, "test")[0]
    assert after["confusion"] != before["confusion"]
    right = sum(after["confusion"][k][k] for k in range(3))
    assert effect.loc[("test", "with these"), "Correct"] == f"{right} of {after['n']}"
    assert metrics(at)["Accuracy"] == f"{after['accuracy']:.3f}", "the headline follows"
    assert "chosen by a person" in texts(at)

    button(at, "Back to the run's own")
    assert Decision.load(run) == own
    assert metrics(at)["Accuracy"] == f"{before['accuracy']:.3f}"
    assert at.slider[0].value == pytest.approx(own.thresholds.get("PNEUMONIA", 0.5))


def test_predictive_values_follow_the_prevalence(run: Run) -> None:
    at = opened(run, "Operating point")
    sound(at.slider[0].set_value(0.2).run())
    shown = metrics(at)
    sensitivity, specificity = float(shown["Sensitivity"]), float(shown["Specificity"])
    sound(at.number_input(key="prevalence-COVID19").set_value(50.0).run())
    positives = sensitivity + 1 - specificity
    assert float(metrics(at)["PPV at 50 %"]) == pytest.approx(sensitivity / positives, abs=2e-3)


def test_a_point_saved_elsewhere_is_seen(run: Run) -> None:
    at = opened(run, "Operating point")
    save_operating_point(run, {"COVID19": 0.123})
    sound(at.run())
    assert at.slider[0].value == 0.123


# Calibration, epochs, comparison


def test_calibration_before_and_after(run: Run) -> None:
    report, _ = measured(run, "test")
    at = opened(run, "Calibration")
    assert metrics(at)["ECE, after"] == f"{report['calibration']['ece_after']:.3f}"
    assert f"before {report['calibration']['brier_before']:.3f}, {report['n']} images" in texts(at)
    assert metrics(at)["Temperature"] == f"{report['calibration']['temperature']:.3f}"


def test_epochs_are_replayed(run: Run) -> None:
    at = opened(run, "Epochs")
    for row in run.history:
        sound(at.slider[0].set_value(row.epoch).run())
        assert f"Epoch {row.epoch} of {len(run.history)}" in texts(at)
        for k, name in enumerate(CLASSES):
            counts = row.val.confusion[k]
            assert metrics(at)[f"Recall of {name}: {counts[k]} of {sum(counts)}"] == f"{row.val.recall[name]:.3f}"
    chart = recall_curve(run.history, list(CLASSES), 1)
    assert [trace.name for trace in chart.data] == list(CLASSES)


def test_a_history_without_matrices_is_a_message(run: Run) -> None:
    rows = [json.loads(line) for line in (run.path / "history.jsonl").read_text().splitlines()]
    del rows[0]["val"]["confusion"]
    (run.path / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert "history.jsonl is damaged" in opened(run, "Epochs").error[0].value.replace("\\", "")


def test_comparing_needs_another_run(run: Run) -> None:
    assert "There is no other completed run" in texts(opened(run, "Compare"))


def test_two_runs_on_the_same_images(make: Callable[..., Run]) -> None:
    other, run = make(), make()
    # The other one also misses two images that this one decides rightly.
    path = other.path / "predictions_test.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    missed = table.index[table["label"] == table["decision"]][:2]
    table.loc[missed, "decision"] = [CLASSES[(CLASSES.index(name) + 1) % 3] for name in table.loc[missed, "label"]]
    table.to_csv(path, index=False)
    at = opened(run, "Compare")
    assert at.selectbox(key="compare-with").value == other.id
    assert f"{len(table)} of {len(table)} images" in texts(at)
    assert metrics(at)["Accuracy, A − B"] == f"{2 / len(table):+.3f}"
    assert "right in A alone 2, in B alone 0 images" in texts(at)
    mine = measured(run, "test")[1]
    true, a, b = (part.map(CLASSES.index).to_numpy() for part in (mine["label"], mine["decision"], table["decision"]))
    expected = paired(true, a, b, 3, mine["patient"].tolist())
    assert metrics(at)["McNemar's p"] == f"{expected['mcnemar']['p']:.3f}"


def test_the_section_stands_in_the_address(make: Callable[..., Run], run: Run) -> None:
    at = sound(open_page("pages/5_Evaluate.py", run=run.id, section="Calibration"))
    assert at.segmented_control(key="section").value == "Calibration"
    assert "Calibration" in [head.value for head in at.subheader]
    for wrong in ("Nothing", "", "<b>"):
        at = sound(open_page("pages/5_Evaluate.py", run=run.id, section=wrong))
        assert "Matrix" in [head.value for head in at.subheader]


def test_runs_without_a_common_image(make: Callable[..., Run], run: Run) -> None:
    make()
    at = opened(run, "Compare")
    assert "share no image of the test split" in texts(at)


def test_subgroups_of_a_class_and_what_an_old_run_lacks(run: Run) -> None:
    assert set(opened(run, "Subgroups").dataframe[0].value["By"]) == {"source"}
    split = pd.read_csv(run.path / "split.csv")
    sexes = ["F" if k % 2 else "M" for k in range(len(split))]
    split.assign(sex=sexes, age=50).to_csv(run.path / "split.csv", index=False)
    at = opened(run, "Subgroups")
    rows = at.dataframe[0].value.set_index("Subgroup")["Known"]
    test = [sex for sex, part in zip(sexes, split["split"], strict=True) if part == "test"]
    assert (rows["40–64"], rows["F"], rows["M"]) == (len(test), test.count("F"), test.count("M"))
    assert "By the run's decisions" in texts(at)
    split.drop(columns=["age", "sex", "view"]).to_csv(run.path / "split.csv", index=False)
    assert "older than the columns age, sex and view" in texts(opened(run, "Subgroups"))
