"""Whether the probabilities mean what they say, before and after temperature scaling."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core import charts
from cxr_core.evaluation import calibrate, logits_of
from cxr_core.evaluation.calibration import reliability
from cxr_core.figures import number
from cxr_core.glossary import meaning
from cxr_core.runs import Run
from cxr_core.ui import metric
from cxr_core.ui.evaluate.classes import NO_BAR
from cxr_core.ui.run import probabilities_of, true_of

TOO_SURE = "above 1: the network was too sure of itself, and its probabilities were drawn towards the middle"
TOO_SHY = "below 1: the network was not sure enough, and its probabilities were drawn towards 0 and 1"


def reliability_section(run: Run, report: Mapping[str, Any], table: pd.DataFrame, split: str) -> None:
    """Expected calibration error, Brier score, temperature, and the reliability diagram of each label."""
    figures = report["calibration"]
    images = f"{report['n']:,} images"
    ece, brier, temperature = st.columns(3)
    with ece:
        metric(
            "ECE, after",
            figures["ece_after"],
            f"before {number(figures['ece_before'])}, {images}",
            help=f"{meaning('ECE')} Counted in 15 bins.",
        )
    with brier:
        metric(
            "Brier score, after",
            figures["brier_after"],
            f"before {number(figures['brier_before'])}, {images}",
            help=meaning("Brier score"),
        )
    with temperature:
        metric("Temperature", figures["temperature"], "fitted on the validation split", meaning("temperature"))
    value = figures["temperature"]
    effect = "1: nothing was changed" if value == 1 else TOO_SURE if value > 1 else TOO_SHY
    seen = " It was fitted on these very images, so judge it by the test." if split == "val" else ""
    st.write(f"All logits are divided by the temperature; {effect}. Every page and command uses these.{seen}")
    after = probabilities_of(run, table)
    before = calibrate(logits_of(after, run.implied) * value, 1.0, run.implied)
    true = true_of(run, table)
    points = [reliability(stage, true, run.classes, run.implied) for stage in (before, after)]
    # A figure for each label: on a phone they stand below each other.
    for column, name in zip(st.columns(min(3, len(run.classes))) * len(run.classes), run.classes, strict=False):
        figure = charts.reliability(points[0], [name], points[1])
        column.plotly_chart(figure, key=f"reliability-{name}", config=NO_BAR)
    st.caption(
        "Each dot is a tenth of the probabilities' range that holds an image: across, the mean probability; up, how "
        "often the label holds. Large dots hold many images. On the dashed line a probability means what it says."
    )
