"""The decision curve draws the run against everybody and nobody, with prevalence and threshold marked."""

import numpy as np

from cxr_core.charts.benefit import decision_curve
from cxr_core.evaluation import net_benefit
from tests.charts.finding_outcome import KNOWN, PATIENTS, TRUTH, P

CURVE = net_benefit.decision_curve(TRUTH[:, 0], KNOWN[:, 0], P[:, 0], groups=PATIENTS, resamples=50)


def test_run_everybody_and_nobody_are_drawn() -> None:
    chart = decision_curve(CURVE, 0.4)
    lines = {trace.name: trace for trace in chart.data}
    assert list(lines) == ["95 % interval", "act on nobody", "act on everybody", "act on this run"]
    assert set(lines["act on nobody"].y) == {0}
    assert np.allclose(lines["act on this run"].y, CURVE.model or ())
    assert np.allclose(lines["act on everybody"].y, CURVE.treat_all)
    marks = [note.text for note in chart.layout.annotations]
    assert marks == [f"prevalence {100 * CURVE.prevalence:.1f} %", "threshold 0.40"]
    assert sorted(shape.x0 for shape in chart.layout.shapes) == [CURVE.prevalence, 0.4]
    # Neither text lies on the other.
    assert len({note.yshift for note in chart.layout.annotations}) == 2


def test_without_a_positive_everybody_and_nobody_stay() -> None:
    nobody = net_benefit.decision_curve(TRUTH[:, 3], KNOWN[:, 3], P[:, 3], prevalence=0.02)
    chart = decision_curve(nobody)
    assert [trace.name for trace in chart.data] == ["act on nobody", "act on everybody"]
    assert chart.layout.annotations[0].text == "prevalence 2.0 %"
