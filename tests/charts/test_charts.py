"""What a reader of a chart relies on: colours that stay, numbers with denominators, both themes, limits of points."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from cxr_core import charts
from cxr_core.charts import live, look, matrix
from cxr_core.charts.data import MAX_POINTS as MAX_DOTS
from cxr_core.charts.look import class_colors
from cxr_core.evaluation import metrics
from cxr_core.runs.records import Epoch, EpochFigures, of

CLASSES = ["COVID19", "NORMAL", "PNEUMONIA"]
IMPLIED = {"COVID19": ("PNEUMONIA",)}
COUNTS = pd.DataFrame([[57, 23, 0], [4, 3, 2]], index=["train", "test"], columns=CLASSES)
MATRIX = [[57, 3, 20], [0, 0, 0], [1, 2, 97]]


def outcome(classes: list[str] = CLASSES, n: int = 120) -> tuple[dict[str, Any], dict[str, Any]]:
    """Report and curves of random decisions."""
    rng = np.random.default_rng(0)
    true, probabilities = rng.integers(0, len(classes), n), rng.random((n, len(classes)))
    decided = probabilities.argmax(axis=1)
    return (
        metrics.report(true, probabilities, decided, classes, {}),
        metrics.curves(true, probabilities, classes, {}),
    )


def history(epochs: int, best: int = 1, classes: list[str] = CLASSES) -> list[Epoch]:
    confusion = [[57 if i == j else 23 for j in range(len(classes))] for i in range(len(classes))]
    recall = metrics.summary(confusion, classes)["recall"]
    figures = {"loss": 0.5, "accuracy": 0.7, "macro_f1": 0.6}
    val = {**figures, "balanced_accuracy": 0.6, "recall": recall, "confusion": confusion}
    return [of({"epoch": e, "train": figures, "val": val, "best": e == best}, Epoch) for e in range(1, epochs + 1)]


def samples(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "label": rng.choice(CLASSES, n),
            "width": rng.integers(100, 3000, n),
            "height": rng.integers(100, 3000, n),
            "format": rng.choice(["JPEG", "PNG"], n),
            "mode": "L",
            "bits": 8,
        }
    )


REPORT, CURVES = outcome()
FIGURES: dict[str, Callable[[], go.Figure]] = {
    "distribution": lambda: charts.distribution(COUNTS),
    "distribution of shares": lambda: charts.distribution(COUNTS, share=True),
    "sizes": lambda: charts.sizes(samples(50)),
    "sizes of nothing": lambda: charts.sizes(samples(0)),
    "formats": lambda: charts.formats(samples(50)),
    "formats of nothing": lambda: charts.formats(samples(0)),
    "history": lambda: charts.history_curve(history(5), "loss"),
    "history of nothing": lambda: charts.history_curve([], "macro_f1"),
    "runs": lambda: charts.curves({"a": history(3), "b": history(5)}, "macro_f1", "val"),
    "no runs": lambda: charts.curves({}, "loss", "train"),
    "confusion": lambda: charts.confusion(MATRIX, CLASSES),
    "confusion of shares": lambda: charts.confusion(MATRIX, CLASSES, share=True),
    "one against the rest": lambda: charts.one_vs_rest([[90, 10], [3, 17]], "COVID19"),
    "roc": lambda: charts.roc(CURVES, CLASSES, REPORT),
    "precision-recall": lambda: charts.precision_recall(CURVES, CLASSES, REPORT),
    "probabilities": lambda: charts.probabilities(dict.fromkeys(CLASSES, 0.3), "NORMAL", {"NORMAL": 0.5}),
}


def luminance(color: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2)."""
    channels = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES.keys())
def test_every_figure_suits_both_themes(make: Callable[[], go.Figure]) -> None:
    chart = json.loads(make().to_json())
    layout = chart["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == look.TRANSPARENT
    assert layout["legend"]["orientation"] == "h"
    assert layout["xaxis"]["automargin"]
    assert layout["yaxis"]["automargin"]
    for part in [*chart["data"], layout["xaxis"], layout["yaxis"], *layout.get("annotations", [])]:
        for font in ("font", "textfont", "tickfont"):
            assert "color" not in part.get(font, {}), "the theme sets font colours"


@pytest.mark.parametrize("background", ["#FFFFFF", "#0E1117"])
def test_colors_are_seen_on_white_and_on_near_black(background: str) -> None:
    for color in (*look.PALETTE, look.NEUTRAL):
        assert contrast(color, background) >= 3, color


def test_colors_follow_the_sorted_classes() -> None:
    colors = class_colors(CLASSES)
    assert class_colors(reversed(CLASSES)) == colors
    assert len(set(colors.values())) == 3
    report, points = outcome()
    shown = charts.roc(points, ["PNEUMONIA"], report)
    assert shown.data[-1].line.color == colors["PNEUMONIA"]
    part = samples(30).query("label == 'NORMAL'")
    assert charts.sizes(part, CLASSES).data[0].marker.color == colors["NORMAL"]


def test_distribution_shows_counts_zeros_included() -> None:
    chart = charts.distribution(COUNTS)
    assert [bar.name for bar in chart.data] == CLASSES
    assert [list(bar.y) for bar in chart.data] == [[57, 4], [23, 3], [0, 2]]
    assert chart.data[2].text[0] == "0"
    assert chart.data[0].hovertext[0] == "COVID19, train<br>57 of 80 (71 %)"


def test_distribution_of_shares_adds_up_and_bears_an_empty_split() -> None:
    chart = charts.distribution(pd.concat([COUNTS, COUNTS.iloc[[0]] * 0]), share=True)
    assert np.sum([bar.y for bar in chart.data], axis=0) == pytest.approx([1, 1, 0])
    assert chart.data[0].text == ("71 %", "44 %", "–")
    assert tuple(chart.layout.yaxis.range) == (0, 1)


def test_names_are_text_never_numbers_markup_or_templates() -> None:
    classes = ["1", "<b>2</b>", "%{x}"]
    assert list(charts.confusion(np.eye(3), classes).layout.xaxis.ticktext) == ["1", "&lt;b&gt;2&lt;/b&gt;", "%{x}"]
    report, points = outcome(classes)
    for chart in (
        charts.distribution(pd.DataFrame([[1, 2, 3]], index=["2"], columns=classes)),
        charts.interval_bars(report, {"per_class": {}}),
        charts.roc(points, classes, report),
        charts.curves({name: history(2) for name in classes}, "loss"),
    ):
        for trace in chart.data:
            assert "<b>" not in (trace.name or "")
            assert "2" not in (trace.hovertemplate or "").replace("%{y:.4f}", "")


def test_live_frame_is_long_and_marks_the_best_epoch() -> None:
    frame, spec = charts.live_curve(history(4, best=3), "macro_f1")
    assert set(frame["series"]) == {"train", "validation"}
    assert frame[["epoch", "series", "value"]].iloc[-1].tolist() == [4, "validation", 0.6]
    assert frame.loc[frame["best"], "epoch"].unique().tolist() == [3]
    assert spec["params"][0]["name"] == "z"
    assert spec["params"][0]["bind"] == "scales"
    assert spec["params"][0]["views"] == ["lines"]


def test_a_curve_of_validation_alone_has_no_other_in_its_legend() -> None:
    frame, spec = charts.live_curve(history(4), "macro_f1", ("val",))
    assert set(frame["series"]) == {"validation"}
    assert spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == ["validation"]


def test_a_later_best_replaces_an_earlier_one() -> None:
    rows = [row.model_copy(update={"best": True}) for row in history(3)]
    assert live.best_epoch(rows) == 3
    assert live.best_epoch([]) is None


@pytest.mark.parametrize("metric", ["loss", "accuracy", "macro_f1", "balanced_accuracy"])
def test_live_spec_stays_the_same_while_the_run_grows(metric: str) -> None:
    empty, first = charts.live_curve([], metric)
    full, last = charts.live_curve(history(30, best=7), metric)
    assert json.dumps(first) == json.dumps(last), "another specification would lose the reader's zoom"
    assert empty.empty
    assert list(empty.dtypes) == list(full.dtypes)


def test_live_frame_leaves_out_what_is_not_a_number() -> None:
    rows = history(3)
    lost = {"train": EpochFigures(loss=math.nan), "val": rows[1].val.model_copy(update={"loss": math.inf})}
    rows[1] = rows[1].model_copy(update=lost)
    assert charts.live_curve(rows, "loss")[0]["epoch"].unique().tolist() == [1, 3]
    assert list(charts.history_curve(rows, "loss").data[0].y) == [0.5, None, 0.5]


@pytest.mark.parametrize("epochs", [499, 501, 5000])
def test_live_frames_stay_small_and_keep_first_last_and_best(epochs: int) -> None:
    best = epochs - 2
    for frame, _ in (
        charts.live_curve(history(epochs, best), "loss"),
        charts.live_recall(history(epochs, best), CLASSES),
    ):
        assert len(frame) <= live.MAX_POINTS
        assert {1, best, epochs} <= set(frame["epoch"])


def test_live_recall_counts_the_images() -> None:
    frame, _ = charts.live_recall(history(2), CLASSES)
    assert frame["series"].tolist() == CLASSES * 2
    assert set(frame["images"]) == {"57 of 103"}
    assert frame["value"].iloc[0] == pytest.approx(57 / 103)


def test_areas_of_findings_leave_a_gap_where_they_cannot_be_judged() -> None:
    vals = [EpochFigures(roc_auc={"Effusion": area, "Nodule": 0.6}) for area in (0.5, None, 0.75)]
    rows = [row.model_copy(update={"val": val}) for row, val in zip(history(3), vals, strict=True)]
    frame, spec = charts.live_areas(rows, ["Nodule", "Effusion"], ["Effusion"])
    assert frame[["epoch", "series", "value"]].to_numpy().tolist() == [[1, "Effusion", 0.5], [3, "Effusion", 0.75]]
    colors = class_colors(["Nodule", "Effusion"])
    assert spec["layer"][0]["encoding"]["color"]["scale"] == {"domain": ["Effusion"], "range": [colors["Effusion"]]}
    assert charts.live_areas(rows, ["Nodule", "Effusion"], [])[0].empty


def test_runs_over_each_other_are_told_apart() -> None:
    chart = charts.curves({f"run {i}": history(2) for i in range(25)}, "accuracy", "train")
    assert len({(trace.line.color, trace.line.dash) for trace in chart.data}) == 25


@pytest.mark.parametrize("share", [False, True])
def test_every_cell_of_a_matrix_can_be_clicked(share: bool) -> None:
    chart = charts.confusion(MATRIX, CLASSES, share=share)
    heatmap, markers = chart.data
    assert heatmap.hoverinfo == "skip"
    assert markers.marker.opacity == 0
    assert chart.layout.dragmode is False
    assert chart.layout.hoverdistance == -1
    cells = {(true, predicted): (count, row) for true, predicted, count, row in markers.customdata}
    assert cells == {
        (t, p): (MATRIX[i][j], sum(MATRIX[i])) for i, t in enumerate(CLASSES) for j, p in enumerate(CLASSES)
    }
    for x, y, (true, predicted, *_) in zip(markers.x, markers.y, markers.customdata, strict=True):
        assert chart.layout.xaxis.ticktext[x] == predicted
        assert chart.layout.yaxis.ticktext[y] == true
    assert chart.layout.yaxis.range[0] > chart.layout.yaxis.range[1], "the first class is at the top"


def test_cells_say_count_and_share_of_their_row() -> None:
    heatmap, markers = charts.confusion(MATRIX, CLASSES, share=True).data
    assert heatmap.text[0][0] == "57 (71 %)"
    assert heatmap.text[1][0] == "0 (–)"
    assert heatmap.z[0] == pytest.approx([57 / 80, 3 / 80, 20 / 80])
    assert (heatmap.zmin, heatmap.zmax) == (0, 1)
    assert markers.hovertext[0] == "true COVID19<br>predicted COVID19<br>57 of 80 (71 %)"


def test_one_against_the_rest_names_its_classes() -> None:
    chart = charts.one_vs_rest([[90, 10], [3, 17]], "COVID19")
    assert list(chart.layout.yaxis.ticktext) == ["not COVID19", "COVID19"]
    assert chart.data[1].customdata[3][2:] == [17, 20]


def test_the_matrix_goes_from_the_ground_of_the_page_away() -> None:
    light, dark = (charts.confusion(MATRIX, CLASSES, dark=is_dark).data[0].colorscale for is_dark in (False, True))
    assert contrast(light[0][1], "#FBFCFD") < 1.3 < 4.5 < contrast(light[-1][1], "#FBFCFD")
    assert contrast(dark[0][1], "#10161C") < 1.3 < 4.5 < contrast(dark[-1][1], "#10161C")


@pytest.mark.parametrize("color", [color for _, color in (*matrix.SCALE, *matrix.DARK_SCALE)])
def test_text_reads_on_every_cell(color: str) -> None:
    # Plotly writes dark grey on bright and white on dark cells, by this brightness (W3C, 2000).
    brightness = np.dot([int(color[i : i + 2], 16) for i in (1, 3, 5)], [0.299, 0.587, 0.114])
    assert contrast(color, "#FFFFFF" if brightness < 128 else "#444444") >= 4.5


def test_curves_name_their_area_their_prevalence_and_their_denominators() -> None:
    roc, pr = charts.roc(CURVES, CLASSES, REPORT), charts.precision_recall(CURVES, CLASSES, REPORT)
    covid = REPORT["per_class"]["COVID19"]
    assert next(t.name for t in roc.data if t.name) == f"COVID19: AUC {covid['roc_auc']:.3f}"
    assert pr.data[0].name == f"COVID19: AP {covid['average_precision']:.3f}"
    assert set(pr.data[1].y) == {covid["positives"] / REPORT["n"]}
    assert (
        roc.data[1]
        .hovertext[-1]
        .endswith(
            f"true positives {covid['positives']} of {covid['positives']}"
            f"<br>false positives {120 - covid['positives']} of {120 - covid['positives']}"
        )
    )


def test_an_undefined_curve_says_why() -> None:
    true, probabilities = [1, 1, 2], np.full((3, 3), 0.5)
    report = metrics.report(true, probabilities, true, CLASSES, IMPLIED)
    points = metrics.curves(true, probabilities, CLASSES, IMPLIED)
    for chart in (charts.roc(points, CLASSES, report), charts.precision_recall(points, CLASSES, report)):
        assert "COVID19: not defined (0 of 3 positive)" in [trace.name for trace in chart.data]


def test_probabilities_mark_the_decision_and_the_thresholds() -> None:
    values = {"PNEUMONIA": 0.91, "COVID19": 0.31, "NORMAL": 0.05}
    chart = charts.probabilities(values, "PNEUMONIA", {"COVID19": 0.42, "PNEUMONIA": 0.5})
    bars, ticks = chart.data
    assert list(bars.x) == [0.31, 0.05, 0.91]
    assert list(chart.layout.yaxis.ticktext) == ["COVID19", "NORMAL", "<b>PNEUMONIA</b>"]
    assert (list(ticks.x), list(ticks.y)) == ([0.42, 0.5], [0, 2])
    assert tuple(chart.layout.xaxis.range) == (0, 1)
    # Right of the plot, where a threshold of at most 1 cannot strike them through.
    written = {note.y: note for note in chart.layout.annotations}
    assert [written[k].text for k in range(3)] == ["31.0 %", "5.0 %", "91.0 %"]
    assert all((note.xref, note.x, note.xanchor) == ("paper", 1, "left") for note in written.values())
    assert all(note.xshift >= 8 for note in written.values())
    assert bars.text is None
    assert len(charts.probabilities(values, "NORMAL").data) == 1


def test_sizes_are_thinned_and_counted() -> None:
    assert sum(len(trace.x) for trace in charts.sizes(samples(5000)).data) == MAX_DOTS
    same = samples(40).assign(label="NORMAL", width=1024, height=1024)
    assert charts.sizes(same).data[0].hovertext == ("NORMAL<br>1024 x 1024 px<br>40 of 40",)


def test_formats_count_every_image() -> None:
    bars = charts.formats(samples(80)).data[0]
    assert sum(bars.x) == 80
    assert all(text.endswith("of 80") for text in bars.hovertext)
