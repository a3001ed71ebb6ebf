"""The choice in the URL: links and reloads lead to it, also from one page to another that has the same box."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxr_core.runs.run import Run
from tests.pages.support import open_page, texts, tiny_dataset, tiny_run

TRAIN, RUNS, EVALUATE, PREDICT = (f"pages/{name}.py" for name in ("3_Train", "4_Runs", "5_Evaluate", "6_Predict"))
PAGES = (TRAIN, RUNS, EVALUATE, PREDICT)


@pytest.fixture
def runs(isolated: Path, tmp_path: Path) -> list[Run]:
    """Three completed runs, the newest first."""
    root = tiny_dataset(tmp_path / "tiny")
    return sorted(
        (tiny_run(isolated / "runs", root, "completed") for _ in range(3)), key=lambda run: run.id, reverse=True
    )


def chosen(at: AppTest) -> str:
    assert not at.exception
    value = at.selectbox(key="run").value
    # What is shown is what the URL holds.
    assert at.query_params["run"] in (value, [value])
    return str(value)


def go(at: AppTest, page: str, **query: str) -> AppTest:
    """Follow a link to another page in the same session: only what the link names stands in the URL."""
    at.query_params.clear()
    for name, value in query.items():
        at.query_params[name] = value
    return at.switch_page(page).run()


def test_without_a_link_the_newest_is_chosen_and_stands_in_the_url(runs: list[Run]) -> None:
    assert chosen(open_page(TRAIN)) == runs[0].id


def test_a_link_chooses(runs: list[Run]) -> None:
    assert chosen(open_page(TRAIN, run=runs[2].id)) == runs[2].id


def test_a_choice_goes_into_the_url(runs: list[Run]) -> None:
    at = open_page(TRAIN, run=runs[2].id)
    assert chosen(at.selectbox(key="run").set_value(runs[1].id).run()) == runs[1].id
    assert chosen(at.run()) == runs[1].id


def test_a_link_between_pages_wins_over_the_choice_of_the_page_before(runs: list[Run]) -> None:
    at = open_page(TRAIN, run=runs[2].id)
    assert chosen(go(at, EVALUATE, run=runs[1].id)) == runs[1].id
    assert chosen(go(at, TRAIN, run=runs[1].id)) == runs[1].id


def test_the_choice_goes_along_to_another_page(runs: list[Run]) -> None:
    at = open_page(TRAIN, run=runs[2].id)
    assert chosen(go(at, EVALUATE)) == runs[2].id


def test_the_back_button_on_one_page(runs: list[Run]) -> None:
    at = open_page(TRAIN, run=runs[2].id)
    at.query_params["run"] = runs[1].id
    assert chosen(at.run()) == runs[1].id


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("link", ["20200101-000000-vgg16-ffff", "../../etc", "<b>*x*</b>", "\0", "x" * 3000, "SHORT"])
def test_what_is_not_there_is_said_and_nothing_is_shown_instead(page: str, link: str, runs: list[Run]) -> None:
    link = runs[1].id[:12] if link == "SHORT" else link
    at = open_page(page, run=link)
    # Again, as with any widget that is touched.
    for _ in range(2):
        assert not at.exception
        assert at.selectbox(key="run").value is None
        assert at.query_params["run"] in (link, [link])
        assert "There is no run" in texts(at)
        # Its own id may be a beginning of theirs; their names, figures and buttons are not there.
        assert not at.get("plotly_chart") or page == RUNS
        assert not [b for b in at.button if b.label in ("Stop", "Resume", "Delete for good")]
        assert not at.get("vega_lite_chart")
        at = at.run()
    assert chosen(at.selectbox(key="run").set_value(runs[1].id).run()) == runs[1].id


@pytest.mark.parametrize("page", PAGES)
def test_a_run_that_is_deleted_elsewhere_is_not_replaced_by_another(page: str, runs: list[Run]) -> None:
    at = open_page(page, run=runs[1].id)
    assert chosen(at) == runs[1].id
    runs[1].delete()
    at = at.run()
    assert not at.exception
    assert at.selectbox(key="run").value is None
    assert f"There is no run **{runs[1].id}**" in texts(at)
    # Nor on the next page, which takes the choice along.
    at = go(at, EVALUATE)
    assert at.selectbox(key="run").value is None
    assert at.query_params["run"] in (runs[1].id, [runs[1].id])


def test_a_run_to_compare_with_that_is_gone_is_not_replaced_by_another(runs: list[Run]) -> None:
    at = open_page(EVALUATE, run=runs[0].id)
    at = at.segmented_control(key="section").set_value("Compare").run()
    at = at.selectbox(key="compare-with").set_value(runs[2].id).run()
    assert runs[2].id in texts(at)
    runs[2].delete()
    at = at.run()
    assert not at.exception
    assert at.selectbox(key="compare-with").value is None
    assert f"The run **{runs[2].id}** is gone" in texts(at)
    at = at.selectbox(key="compare-with").set_value(runs[1].id).run()
    assert "McNemar" in "".join(metric.label for metric in at.metric)
    # The other way round: the one compared with becomes the run itself.
    at = at.selectbox(key="run").set_value(runs[1].id).run()
    assert at.selectbox(key="compare-with").value == runs[0].id
