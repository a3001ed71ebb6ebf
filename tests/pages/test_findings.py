"""A run of findings on every page but Evaluate and Dataset: macro ROC AUC and each finding, where classes have F1."""

import json
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cxr_core.config import TrainConfig
from cxr_core.data.dataset import scan
from cxr_core.demo import draw_findings
from cxr_core.findings import column, learnt, none_reached
from cxr_core.inference.evaluate import evaluate_external
from cxr_core.inference.neighbours import Neighbours
from cxr_core.inference.predictor import Predictor
from cxr_core.reports import html, pdf
from cxr_core.reports.answered import answered
from cxr_core.reports.image import image_report
from cxr_core.runs.external import externals
from cxr_core.runs.run import Run
from cxr_core.settings import remember_dataset, write_atomic
from cxr_core.ui.effect import effects
from cxr_core.ui.predict import uploads
from cxr_core.ui.predict.table import prediction_table
from cxr_core.ui.run.table import facts
from tests.pages.support import open_page, sound, texts, tiny_dataset, tiny_run
from tests.pages.test_data import fields
from tests.runs_support import copy_of


@pytest.fixture
def run(findings_run: Run, isolated: Path) -> Run:
    """A real run of findings, in the folder that the pages read."""
    return copy_of(findings_run, isolated)


def test_home_names_macro_auc_and_findings(run: Run) -> None:
    remember_dataset(run.data)
    shown = texts(sound(open_page("dashboard.py")))
    metrics = run.metrics("test")
    assert metrics is not None
    assert f"macro ROC AUC {metrics['macro_roc_auc']:.3f} over" in shown
    yes = scan(run.data).labels()["yes"]
    assert f"{yes.index[1]} {yes.iloc[1]:,}" in shown


def test_runs_table_has_macro_auc_beside_the_f1_of_others(run: Run, tmp_path: Path) -> None:
    row, metrics = facts(run), run.metrics("test")
    assert metrics is not None
    assert run.best is not None
    assert row["test_auc"] == metrics["macro_roc_auc"]
    assert row["val_auc"] == run.best.val.macro_roc_auc
    assert row["val_images"] == len(run.predictions("val"))
    assert open_page("pages/4_Runs.py").segmented_control[0].value == "macro_roc_auc"
    other = tiny_run(run.path.parent, tiny_dataset(tmp_path / "tiny"), "completed")
    assert facts(other).get("test_auc") is None
    assert facts(other)["test_f1"] is not None
    at = sound(open_page("pages/4_Runs.py", run=run.id))
    assert set(at.segmented_control[0].options) == {"Macro F1", "Macro ROC AUC", "Accuracy", "Loss"}
    table = at.dataframe[0].value
    assert {"test_auc", "val_auc", "test_f1", "test_recall"} <= set(table.columns)


@pytest.mark.parametrize(
    "page", ["dashboard.py", "pages/3_Train.py", "pages/4_Runs.py", "pages/5_Evaluate.py", "pages/6_Predict.py"]
)
def test_an_external_data_set_of_findings_damages_no_page(run: Run, tmp_path: Path, page: str) -> None:
    evaluate_external(run, draw_findings(tmp_path / "elsewhere", images=30, seed=3))
    (kept,) = externals(run)
    at = sound(open_page(page, run=run.id) if page != "dashboard.py" else open_page(page))
    assert not at.error
    row = facts(run)
    assert row["external_f1"] == kept.measured[0]["macro_f1"]
    assert row["external"].startswith("elsewhere: macro ROC AUC")
    if page == "pages/6_Predict.py":
        assert "On the external data set elsewhere: macro ROC AUC" in texts(at)


def test_live_view_draws_the_findings_that_are_chosen(run: Run) -> None:
    at = sound(open_page("pages/3_Train.py", run=run.id))
    findings = [run.classes[k] for k in learnt(run.classes)]
    chosen = at.multiselect(key=f"live-findings-{run.id}")
    assert chosen.options == findings
    assert chosen.value == findings[:5]
    labels = {metric.label: metric.value for metric in at.metric}
    assert run.best is not None
    assert labels["Best epoch"] == str(run.best.epoch)
    assert labels["Macro ROC AUC, validation"] == f"{run.best.val.macro_roc_auc:.3f}"
    sound(chosen.set_value([]).run())


def test_live_view_while_it_trains(run: Run) -> None:
    """Before the end there is no test, and an epoch in which nothing could be judged."""
    lines = [json.loads(line) for line in (run.path / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line["val"] |= {"macro_roc_auc": None, "roc_auc": dict.fromkeys(line["val"]["roc_auc"])}
    (run.path / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (run.path / "metrics_test.json").unlink()
    write_atomic(run.path / "status.json", json.dumps({**run.status.model_dump(), "state": "stopped"}))
    sound(open_page("pages/3_Train.py", run=run.id))
    assert "macro ROC AUC not known after epoch" in texts(sound(open_page("dashboard.py")))
    sound(open_page("pages/4_Runs.py", run=run.id))


@pytest.fixture
def pictures(run: Run) -> list[tuple[str, bytes]]:
    """Three test images: the first with a finding that is called, the last with none."""
    table = run.predictions("test")
    none = table["decision"] == "No Finding"
    rows = [*table[~none].head(2)["file"], *table[none].head(1)["file"]]
    return [(Path(file).name, run.picture(file).read_bytes()) for file in rows]


def upload(run: Run, *files: tuple[str, bytes]) -> AppTest:
    at = sound(open_page("pages/6_Predict.py", timeout=60, run=run.id))
    at.file_uploader[0].set_value([(name, content, "image/png") for name, content in files])
    at = sound(at.run())
    for key in [str(box.key) for box in at.checkbox if box.label == "Show anyway"]:
        at = sound(at.checkbox(key=key).check().run())
    return at


def unfolded(at: AppTest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What stands on the page once the similar cases are folded out."""
    with monkeypatch.context() as patch:
        expander = st.expander
        patch.setattr(
            st,
            "expander",
            lambda label, **given: expander(label, **{**given, "expanded": True, "key": f"open-{label}"}),
        )
        return texts(sound(at.run()))


def test_predict_names_what_reaches_its_threshold(
    run: Run, pictures: list[tuple[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = upload(run, pictures[0])
    shown = texts(at)
    predictor = Predictor.load(run)
    prediction = next(predictor.predict(pictures[:1]))
    assert prediction.present
    assert prediction.probabilities
    scores, limits = prediction.probabilities, predictor.thresholds
    findings = [name for name in run.classes if name in limits]
    for name in prediction.present:
        assert f"{name} {scores[name]:.3f} (reaches {limits[name]:.3f})" in shown
    bars = [chart for chart in at.get("plotly_chart") if "present" in chart.proto.id]
    assert bars
    assert "Among the nearest 25: " in unfolded(at, monkeypatch)
    assert "On its internal test split: macro ROC AUC" in shown
    at = sound(at.toggle[0].set_value(True).run())
    box = next(box for box in at.selectbox if box.label == "Of the label")
    assert box.options == findings
    assert box.value == max(prediction.present, key=scores.__getitem__)
    assert f"moved the score of {box.value}" in texts(at)


def test_predict_says_that_nothing_reaches_its_threshold(run: Run, pictures: list[tuple[str, bytes]]) -> None:
    assert none_reached(run.classes) in texts(upload(run, pictures[-1]))


def test_several_uploads_are_a_table_of_findings(run: Run, pictures: list[tuple[str, bytes]]) -> None:
    at = upload(run, *pictures, ("broken.png", b"no picture"))
    table = at.dataframe[0].value
    assert "decision" not in table
    assert "p_No Finding" not in table
    assert table["present"].loc[2] == none_reached(run.classes)
    prediction = next(Predictor.load(run).predict(pictures[:1]))
    assert table["present"].loc[0] == " | ".join(prediction.present or ())
    assert not table["present"].loc[3]
    answers = [uploads.Answer("a.png", "a", None, prediction)]
    kept = prediction_table(answers, run.classes, {"a"}, findings=True)
    assert kept["present"].tolist() == [" | ".join(prediction.present or ())]
    assert [name for name in kept if name.startswith("p_")] == [f"p_{name}" for name in run.classes]


def test_the_nearest_are_counted_where_a_finding_is_known(run: Run) -> None:
    known = Neighbours.load(run)
    among, counts = known.counted(known.vectors[0], exclude_digest=known.samples["digest"].iloc[0])
    assert among == 25
    nearest = {case.file for case in known.nearest(known.vectors[0], 25, known.samples["digest"].iloc[0])}
    rows = known.samples[known.samples["file"].isin(nearest)]
    for name, (with_it, of_these) in counts.items():
        assert with_it == (rows[column(name)] == 1).sum() > 0
        assert of_these == rows[column(name)].isin([0, 1]).sum()
    assert list(counts.values()) == sorted(counts.values(), key=lambda pair: -pair[0])
    assert not set(counts) & {"No Finding"}


@pytest.mark.parametrize("heat", [None, "first"])
def test_report_of_an_image_names_findings(run: Run, pictures: list[tuple[str, bytes]], heat: str | None) -> None:
    predictor = Predictor.load(run)
    for (name, content), prediction in zip(pictures, predictor.predict(pictures), strict=True):
        label = next(iter(predictor.thresholds)) if heat else None
        given = answered(predictor, prediction, content, True, (label, 0.4) if label else None)
        document = image_report(run, given)
        shown = html.render(document)
        assert name in shown
        assert pdf.render(document).startswith(b"%PDF")
        said = f"Findings: {prediction.present[0]}" if prediction.present and len(prediction.present) == 1 else ""
        assert (said or ("Findings: " if prediction.present else none_reached(run.classes))) in shown
        assert "Macro ROC AUC" in shown
        for finding in predictor.thresholds:
            assert f"<td>{finding}</td>" in shown


def expander_titles(at: AppTest) -> set[str]:
    return {box.label for box in at.expander}


def test_form_has_the_policies_of_findings_and_their_effect(
    findings_dataset: Path, isolated: Path, tmp_path: Path
) -> None:
    remember_dataset(findings_dataset)
    at = sound(open_page("pages/3_Train.py", data=str(findings_dataset)))
    assert "Findings" in expander_titles(at)
    assert not at.warning
    assert at.selectbox(key="config-monitor").options == ["Automatic", "Macro F1", "Macro ROC AUC", "Loss"]
    assert set(fields(at)) == set(TrainConfig.model_fields) - {"hierarchy"}
    for name, widget in fields(at).items():
        assert TrainConfig.model_fields[name].description in widget.help
    config = TrainConfig.create()
    before, images = effects(config, scan(findings_dataset))
    assert any(f"{images:,} training images" in title for title in expander_titles(at))
    pd.testing.assert_frame_equal(at.dataframe[0].value, before)
    at = sound(at.selectbox(key="config-uncertain").set_value("1").run())
    after = at.dataframe[0].value
    assert (after["Learnt as yes"] == before["Learnt as yes"] + before["Uncertain"]).all()
    assert before["Uncertain"].sum() > 0
    at = sound(at.text_input(key="config-uncertain_of").set_value("Edemaa=1").run())
    assert "Edemaa" in texts(at)
    assert at.button(key="start").disabled


def test_effect_counts_the_images_that_are_trained_on(findings_run: Run) -> None:
    frame, images = effects(findings_run.config, scan(findings_run.data))
    train = findings_run.split.query("split == 'train'")
    assert images == len(train)
    assert frame["Finding"].tolist() == [findings_run.classes[k] for k in learnt(findings_run.classes)]
    for row in frame.to_dict("records"):
        labels = train[column(row["Finding"])]
        assert (row["Label yes"], row["Label no"]) == ((labels == 1).sum(), (labels == 0).sum())
        assert row["Uncertain"] == (labels == -1).sum()
        assert row["Blank"] == labels.isna().sum()


def test_form_of_classes_has_no_policies_of_findings(isolated: Path, tmp_path: Path) -> None:
    at = sound(open_page("pages/3_Train.py", data=str(tiny_dataset(tmp_path / "tiny"))))
    assert "Findings" not in expander_titles(at)
    assert "Macro ROC AUC" not in at.selectbox(key="config-monitor").options
    assert at.selectbox(key="config-hierarchy").value == "conditional"
