"""One banner with the verdict beside the figures, and what every page with scores says of a leak and of choosing."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxr_core.reports.verdict import NO_EXTERNAL, verdict
from cxr_core.runs import viewings
from cxr_core.runs.run import Run
from tests.pages.support import open_page, texts, tiny_dataset, tiny_run
from tests.reports.test_verdict import write_audit, write_controls

EVALUATE, PREDICT, RUNS = "pages/5_Evaluate.py", "pages/6_Predict.py", "pages/4_Runs.py"


@pytest.fixture
def run(isolated: Path) -> Run:
    return tiny_run(isolated / "runs", tiny_dataset(isolated / "tiny", images=12), "completed")


def leaking(folder: Path) -> Run:
    """Its test holds pictures of its training: squares of the same seed."""
    for split, images in (("train", 12), ("test", 6)):
        tiny_dataset(folder / "leaking" / split, images)
    return tiny_run(folder / "runs", folder / "leaking", "completed", train_anyway=True)


def opened(page: str, run: Run) -> AppTest:
    at = open_page(page, timeout=60, run=run.id)
    assert not at.exception, at.exception[0].value
    assert not at.error
    return at


def banners(at: AppTest) -> list[str]:
    return [str(box.value).replace("\\", "") for box in at.info if "What this score is worth" in str(box.value)]


@pytest.mark.parametrize("page", [EVALUATE, PREDICT])
def test_one_banner_tells_the_verdict_and_all_behind_it_folds_out(run: Run, page: str) -> None:
    found = verdict(run)
    at = opened(page, run)
    assert banners(at) == [f"**What this score is worth.** {found.sentence}"]
    assert any(f"({len(found.details)})" in box.label for box in at.expander)
    assert all(sentence in texts(at) for sentence in found.details)
    assert NO_EXTERNAL in texts(at)


def test_the_banner_follows_what_is_measured_later(run: Run) -> None:
    assert "was not audited" in banners(opened(EVALUATE, run))[0]
    write_audit(run)
    assert "The audit found nothing" in banners(opened(EVALUATE, run))[0]
    write_controls(run, without=1.0)
    assert "is reached without lungs (1.00)" in banners(opened(EVALUATE, run))[0]


def test_every_page_that_shows_the_scores_of_a_leak_says_so(isolated: Path) -> None:
    run = leaking(isolated)
    for page in (EVALUATE, PREDICT):
        assert "Trained although the audit found a leak" in banners(opened(page, run))[0]
    assert f"their test scores are too high: {run.id}" in texts(opened(RUNS, run))
    assert "trained on a leak" in texts(open_page("dashboard.py", timeout=60))


def test_scores_side_by_side_are_said_to_choose_by_test(run: Run) -> None:
    assert "Pick by validation" not in texts(opened(RUNS, run))
    tiny_run(run.path.parent, Path(run.info.data), "completed")
    assert "2 runs share the test set of tiny" in texts(opened(RUNS, run))
    assert viewings.count(run) == 0


def test_comparing_on_the_test_looks_at_both_and_on_validation_at_none(run: Run) -> None:
    other = tiny_run(run.path.parent, Path(run.info.data), "completed")
    at = opened(EVALUATE, run)
    at.segmented_control(key="split").set_value("val").run()
    at.segmented_control(key="section").set_value("Compare").run()
    assert (viewings.count(run), viewings.count(other)) == (1, 0)
    assert "share the test set" not in texts(at)
    at.segmented_control(key="split").set_value("test").run()
    at.run()
    assert (viewings.count(run), viewings.count(other)) == (1, 1)
    assert "2 runs share the test set of tiny" in texts(at)


def test_comparing_with_a_run_on_a_leak_says_which(isolated: Path) -> None:
    run = leaking(isolated)
    tiny_run(run.path.parent, Path(run.info.data), "completed", train_anyway=True)
    at = opened(EVALUATE, run)
    at.segmented_control(key="section").set_value("Compare").run()
    assert "A: Trained although the audit found a leak" in texts(at)
    assert "B: Trained although the audit found a leak" in texts(at)
