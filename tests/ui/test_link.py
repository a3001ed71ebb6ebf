"""The choice in the URL: links and reloads lead to it, also from one page to another that has the same box."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxr_core.training.runs import Run
from tests.pages_support import open_page, tiny_dataset, tiny_run

TRAIN, EVALUATE = "pages/2_Train.py", "pages/4_Evaluate.py"


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


def test_what_is_gone_is_dropped(runs: list[Run]) -> None:
    assert chosen(open_page(TRAIN, run="20200101-000000-vgg16-ffff")) == runs[0].id
