"""How far a run's figures can be trusted: with their intervals, and against another run.

``report`` is what ``cxr_core.evaluation.metrics`` returns under this name; ``ci`` and ``paired`` come from
``intervals.bootstrap`` and ``intervals.paired``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from cxr_core.charts.look import NEUTRAL, PALETTE, axis, category_axis, class_colors, figure, label, share_axis
from cxr_core.figures import NOT_DEFINED, compact, interval, number, of, signed

FIGURES = {
    "recall": "Sensitivity",
    "specificity": "Specificity",
    "precision": "Precision",
    "f1": "F1",
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
}
# A row of figures and the key of the one that is drawn; None: nothing is.
Point = tuple[Mapping[str, Any] | None, str]
HOVER = "%{hovertext}<extra></extra>"


def interval_bars(
    report: Mapping[str, Any], ci: Mapping[str, Any], figures: Sequence[str] = tuple(FIGURES)
) -> go.Figure:
    """Figures of each class as bars, the 95 % interval as a whisker and beside it; ``figures`` are keys of FIGURES.

    A figure that is not defined has no bar and a dash, one without an interval no whisker.
    """
    colors = class_colors(report["classes"])
    step = 0.8 / len(colors)
    traces, beside = [], []
    for k, (name, color) in enumerate(colors.items()):
        values = [_value(report, name, key) for key in figures]
        ranges = [ci["per_class"].get(name, {}).get(key) for key in figures]
        rows = [j + step * (k - (len(colors) - 1) / 2) for j in range(len(figures))]
        triples = list(zip(figures, values, ranges, strict=True))
        bar = {
            "x": values,
            "y": rows,
            "width": 0.85 * step,
            "orientation": "h",
            "name": label(name),
            "marker": {"color": color, "opacity": 0.5, "line": {"width": 0}},
            "error_x": _whiskers(values, ranges, color),
            "hovertext": [f"{label(name)}, {FIGURES[f]}<br>{_counted(report, name, f, v, r)}" for f, v, r in triples],
            "hovertemplate": HOVER,
        }
        traces.append(go.Bar(bar))
        beside += [
            {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 8, "y": row, "text": compact(value, ends, 2)}
            for row, (_, value, ends) in zip(rows, triples, strict=True)
        ]
    return figure(
        traces,
        height=80 + len(figures) * (14 + 24 * len(colors)),
        barmode="overlay",
        margin={"l": 8, "r": 120, "t": 24, "b": 8},
        annotations=[{**text, "yanchor": "middle", "showarrow": False} for text in beside],
        xaxis=share_axis(dtick=0.5, fixedrange=True, showgrid=True),
        yaxis=category_axis([FIGURES[key] for key in figures], range=[len(figures) - 0.5, -0.5]),
    )


def score_bars(
    titles: Sequence[str],
    values: Sequence[float],
    ranges: Sequence[Sequence[float] | None],
    counted: Sequence[str],
    chance: float,
) -> go.Figure:
    """Macro F1 of a run and of what it is held against: a bar each, with its interval and ``counted`` on hover.

    The first is the run's own, in another colour, and the lower end of its interval is drawn through the others; so is
    what guessing would reach.
    """
    colors = [PALETTE[1], *[NEUTRAL] * (len(titles) - 1)]
    rows = list(range(len(titles)))
    traces = [
        go.Bar(
            x=[value],
            y=[row],
            width=0.6,
            orientation="h",
            marker={"color": color, "opacity": 0.5, "line": {"width": 0}},
            error_x=_whiskers([value], [ends], color),
            hovertext=[f"{label(title)}<br>{compact(value, ends, 2)}<br>{text}"],
            hovertemplate=HOVER,
        )
        for row, color, title, value, ends, text in zip(rows, colors, titles, values, ranges, counted, strict=True)
    ]
    low = ranges[0][0] if ranges[0] else values[0]
    # Each text on its own side of its line, so that they do not meet on a phone.
    lines = [
        (low, PALETTE[1], "run's lower end", "left" if chance < low else "right"),
        (chance, NEUTRAL, "guessing", "right" if chance < low else "left"),
    ]
    beside = [
        {
            "x": 1,
            "xref": "paper",
            "xanchor": "left",
            "xshift": 8,
            "y": row,
            "yanchor": "middle",
            "text": compact(value, ends, 2),
        }
        for row, value, ends in zip(rows, values, ranges, strict=True)
    ]
    above = [
        {"x": x, "y": 1, "yref": "paper", "yanchor": "bottom", "xanchor": side, "text": text}
        for x, _, text, side in lines
    ]
    return figure(
        traces,
        height=90 + 44 * len(titles),
        legend=False,
        margin={"l": 8, "r": 120, "t": 32, "b": 8},
        shapes=[
            {
                "type": "line",
                "x0": x,
                "x1": x,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "line": {"color": color, "dash": "dot", "width": 1},
            }
            for x, color, _, _ in lines
        ],
        annotations=[{**text, "showarrow": False} for text in (*beside, *above)],
        xaxis=share_axis("Macro F1", dtick=0.5, tickformat=".1f", fixedrange=True, showgrid=True),
        yaxis=category_axis(titles, range=[len(titles) - 0.5, -0.5]),
    )


def paired_difference(paired: Mapping[str, Any], first: str = "first run", second: str = "second run") -> go.Figure:
    """Macro F1, balanced accuracy and accuracy of the first run minus those of the second, with intervals, and the line
    of no difference.

    An interval that holds the line does not tell the runs apart.
    """
    rows = [
        ("Macro F1", paired["macro_f1_difference"], paired["macro_f1_ci"]),
        ("Balanced accuracy", paired["balanced_accuracy_difference"], paired["balanced_accuracy_ci"]),
        ("Accuracy", paired["accuracy_difference"], paired["ci"]),
    ]
    values, ranges = [row[1] for row in rows], [row[2] for row in rows]
    reach = 1.15 * max(0.01, *(abs(end) for row in rows for end in (row[1], *(row[2] or ()))))
    return figure(
        [
            go.Scatter(
                x=values,
                y=list(range(len(rows))),
                mode="markers",
                marker={"color": PALETTE[1], "size": 11},
                error_x=_whiskers(values, ranges, PALETTE[1]),
                hovertext=[
                    f"{title}: {label(first)} minus {label(second)}<br>{signed(value)}, "
                    + (f"95 % interval {signed(ends[0])} to {signed(ends[1])}" if ends else "no interval")
                    + f"<br>{paired['n']:,} images, {paired['groups']:,} drawn units"
                    for title, value, ends in rows
                ],
                hovertemplate=HOVER,
            )
        ],
        height=250,
        legend=False,
        top=44,
        shapes=[{"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1, "line": {"color": NEUTRAL}}],
        annotations=[
            {
                "x": side,
                "xref": "paper",
                "xanchor": anchor,
                "y": 1,
                "yref": "paper",
                "yanchor": "bottom",
                "text": text,
                "showarrow": False,
            }
            for side, anchor, text in (
                (0, "left", f"← {label(second, 18)} better"),
                (1, "right", f"{label(first, 18)} better →"),
            )
        ],
        xaxis=axis("Difference", range=[-reach, reach], tickformat=".2~f", nticks=7, fixedrange=True, showgrid=True),
        yaxis=category_axis([row[0] for row in rows], range=[len(rows) - 0.5, -0.5]),
    )


def scores_by_set(rows: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Accuracy and macro F1 of one run on several sets of images, external ones or sources, with intervals.

    ``rows``: {"name", "n", "right", "accuracy", "macro_f1", "ci": {"accuracy", "macro_f1"}}, the first on top.
    """
    series = {
        title: [(row, key) for row in rows] for key, title in (("macro_f1", "Macro F1"), ("accuracy", "Accuracy"))
    }
    return _dots([row["name"] for row in rows], series)


def left_out(seen: Sequence[Mapping[str, Any]], never: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Macro F1 on each source of a run that had seen it, and of one that never had, with intervals.

    ``seen`` and ``never``: rows as ``scores_by_set`` takes them, named by "source"; ``seen`` may lack some.
    """
    own = {row["source"]: row for row in seen}
    series: dict[str, list[Point]] = {
        "seen in training (the run)": [(own.get(row["source"]), "macro_f1") for row in never],
        "never seen": [(row, "macro_f1") for row in never],
    }
    return _dots([row["source"] for row in never], series)


def _dots(names: Sequence[str], series: Mapping[str, Sequence[Point]]) -> go.Figure:
    """A row per name with a dot of each series, its interval as a whisker; None leaves the place empty."""
    traces = []
    for k, (title, points) in enumerate(series.items()):
        there = [(j, row, key) for j, (row, key) in enumerate(points) if row is not None]
        values, ranges = [row[key] for _, row, key in there], [row["ci"][key] for _, row, key in there]
        hover = [
            f"{label(names[j])}, {title}<br>{compact(row[key], row['ci'][key], 2)}<br>"
            f"{of(row['right'], row['n'])} images right"
            for j, row, key in there
        ]
        traces.append(
            go.Scatter(
                x=values,
                y=[j + 0.3 * (k - 0.5) for j, _, _ in there],
                mode="markers",
                name=title,
                marker={"color": PALETTE[k + 1], "size": 11},
                error_x=_whiskers(values, ranges, PALETTE[k + 1]),
                hovertext=hover,
                hovertemplate=HOVER,
            )
        )
    return figure(
        traces,
        height=110 + 56 * len(names),
        margin={"l": 8, "r": 16, "t": 8, "b": 48},
        xaxis=share_axis(fixedrange=True, showgrid=True),
        yaxis=category_axis(list(names), range=[len(names) - 0.5, -0.5]),
    )


def _parts(report: Mapping[str, Any], name: str) -> dict[str, tuple[int, int, str]]:
    """What each ratio of a class counts, among how many, and what these are."""
    (tn, fp), (fn, tp) = report["one_vs_rest"][name]
    return {
        "recall": (tp, tp + fn, f"that are {label(name)}"),
        "specificity": (tn, tn + fp, "that are not"),
        "precision": (tp, tp + fp, f"decided {label(name)}"),
        "f1": (2 * tp, 2 * tp + fp + fn, "(twice the true positives)"),
    }


def _value(report: Mapping[str, Any], name: str, key: str) -> float | None:
    """A figure of one class, None where it has no denominator: the report has a 0 there."""
    parts = _parts(report, name)
    value: float | None = report["per_class"][name][key]
    return None if key in parts and not parts[key][1] else value


def _counted(report: Mapping[str, Any], name: str, key: str, value: float | None, ends: Sequence[float] | None) -> str:
    """What stands behind a bar: the count that it divides, and its interval."""
    parts = _parts(report, name)
    if key in parts:
        part, whole, of_what = parts[key]
        counted = f"{of(part, whole)} {of_what}"
    else:
        positives = of(report["per_class"][name]["positives"], report["n"])
        counted = f"{NOT_DEFINED if value is None else number(value)} ({positives} positive)"
    if not ends:
        said = "no interval: fewer than two patients"
    elif ends[0] == ends[1]:
        said = f"{number(ends[0], 2)} in every resample: nothing else was seen"
    else:
        said = f"95 % interval {interval(ends, 2)}"
    return f"{counted}<br>{said}"


def _whiskers(values: Sequence[float | None], ranges: Sequence[Sequence[float] | None], color: str) -> dict[str, Any]:
    """Plotly's error bars from [low, high], of no length where there is no interval; they always reach the value."""
    known = [
        (value, ends or (value, value)) if value is not None else (0, (0, 0))
        for value, ends in zip(values, ranges, strict=True)
    ]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, ends[1] - value) for value, ends in known],
        "arrayminus": [max(0.0, value - ends[0]) for value, ends in known],
        "color": color,
        "thickness": 2,
        "width": 4,
    }
