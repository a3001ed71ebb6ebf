"""The Audit page in a real browser: every issue in pictures, every fix made and taken back, and what hangs on it."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from cxr_core.audit.auditing import audit
from cxr_core.audit.issues import Issue
from cxr_core.data import fixes
from cxr_core.data.dataset import Dataset, scan
from cxr_core.runs.run import Run, list_runs
from tests.browser.conftest import Settle, Shot, Visit, seen
from tests.faulty_set import faulty_set
from tests.runs_support import wait_until

MINUTE = 60_000
KINDS = {
    *("leak", "label conflict", "duplicates", "patients", "unreadable", "truncated", "tiny", "blank", "inverted"),
    *(
        "turned",
        "colour",
        "lateral",
        "unlike",
        "children",
        "letters",
        "drawn",
        "sources",
        "source-only score",
        "shortcut",
    ),
    *("ages", "balance", "test size"),
}
# What cannot be decoded has no picture; the others are about the whole data set.
WITHOUT_PICTURES = {"unreadable", "truncated"}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return faulty_set(tmp_path_factory.mktemp("audited") / "faulty")


@pytest.fixture(scope="module")
def dataset(faulty: Path, dashboard_home: Path) -> Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_CACHE", os.fspath(dashboard_home / "cache"))
        return scan(faulty)


@pytest.fixture(scope="module")
def issues(dataset: Dataset, dashboard_home: Path) -> list[Issue]:
    """What the audit finds: known to the test, and kept for the server, as from an earlier visit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_CACHE", os.fspath(dashboard_home / "cache"))
        return audit(dataset).issues


def _card(page: Page, kind: str) -> Locator:
    return page.locator(f".st-key-issue-{kind.replace(' ', '-')}")


def _kinds_shown(page: Page) -> set[str]:
    keys = page.locator('[class*="st-key-issue-"]').evaluate_all(
        "cards => cards.map(card => [...card.classList].find(name => name.startsWith('st-key-issue-')))"
    )
    return {str(key).removeprefix("st-key-issue-") for key in keys}


def _no_error(page: Page) -> None:
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
    expect(page.locator('[data-testid="stAlertContentError"]')).to_have_count(0)


@pytest.mark.parametrize("look", ["light", "dark", "narrow"], indirect=True)
def test_every_issue_is_shown_with_its_pictures(
    page: Page, visit: Visit, shot: Shot, faulty: Path, issues: list[Issue], look: str
) -> None:
    visit(page, "Audit", data=str(faulty))
    assert {issue.kind for issue in issues} == KINDS
    assert _kinds_shown(page) == {kind.replace(" ", "-") for kind in KINDS}
    for issue in issues:
        card = _card(page, issue.kind)
        expect(card).to_contain_text(issue.message)
        if issue.files and issue.kind not in WITHOUT_PICTURES:
            expect(card.locator("img").first).to_be_visible()
            widths = card.locator("img").evaluate_all("images => images.map(image => image.naturalWidth)")
            assert widths
            assert min(widths) > 0, issue.kind
        for file in issue.files if issue.kind in WITHOUT_PICTURES else ():
            expect(card).to_contain_text(file)
        expect(card.locator('[class*="st-key-fix-"] [data-testid="stButton"]')).to_have_count(len(issue.fixes))
    leak = _card(page, "leak")
    expect(leak).to_contain_text("Exact copy")
    expect(leak).to_contain_text("Near copy")
    # The two of a pair stand beside each other.
    boxes = [picture.bounding_box() for picture in leak.locator("img").all()[:2]]
    assert boxes[0]
    assert boxes[1]
    assert boxes[0]["y"] == pytest.approx(boxes[1]["y"], abs=1)
    assert boxes[0]["x"] + boxes[0]["width"] < boxes[1]["x"]
    _no_error(page)
    shot(page, f"audit-{look}")
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("main => main.scrollWidth - main.clientWidth") <= 1


def test_every_fix_takes_effect_and_is_taken_back(
    page: Page, visit: Visit, settle: Settle, shot: Shot, faulty: Path, issues: list[Issue], dashboard_home: Path
) -> None:
    visit(page, "Audit", data=str(faulty))
    everything = _kinds_shown(page)
    done = page.locator(".st-key-fixes")
    offered = [(issue, fix) for issue in issues for fix in issue.fixes]
    assert len(offered) >= 13
    for issue, fix in offered:
        expect(done).to_have_count(0)
        card = _card(page, issue.kind)
        button = page.locator(f".st-key-fix-{issue.kind}-{fix}".replace(" ", "-")).get_by_role("button")
        assert "·" in button.inner_text()
        button.click()
        # Said at once, wherever on the page one is.
        expect(page.get_by_test_id("stToast").last).to_contain_text(f"{issue.kind.capitalize()}: {fix}")
        expect(done).to_contain_text(f"{issue.kind.capitalize()}: {fix}", timeout=MINUTE)
        settle(page)
        expect(done).to_contain_text(f"{len(fixes.read(dashboard_home / 'runs')):,} image")
        # Gone, or no longer saying what it said.
        expect(card.get_by_text(issue.message, exact=True)).to_have_count(0)
        _no_error(page)
        if issue is issues[0]:
            shot(page, "audit-fixed")
        done.get_by_role("button", name="Undo").click()
        expect(done).to_have_count(0, timeout=MINUTE)
        settle(page)
        expect(card).to_contain_text(issue.message)
        assert fixes.read(dashboard_home / "runs").empty
        assert _kinds_shown(page) == everything
    _no_error(page)


def _run_of(page: Page, home: Path, known: set[str]) -> Run:
    """The run that was just started, at its end."""

    def fresh() -> list[Run]:
        return [run for run in list_runs(home / "runs") if run.id not in known]

    wait_until(lambda: bool(fresh()) and not fresh()[0].is_active, "the training ended")
    (run,) = fresh()
    assert run.state == "completed", run.log
    return run


def _fill_in(page: Page, settle: Settle) -> None:
    """The smallest network, one epoch, 32 px."""
    page.get_by_role("combobox", name="Preset").click()
    page.get_by_text("Quick look (small CNN, from scratch)").click()
    settle(page)
    for name, value in (("Image size", "32"), ("Epochs", "1")):
        field = page.get_by_role("spinbutton", name=name)
        field.fill(value)
        field.press("Enter")
        settle(page)


def test_a_leak_blocks_a_training_until_it_is_fixed_or_trained_on_anyway(
    page: Page, visit: Visit, settle: Settle, shot: Shot, faulty: Path, issues: list[Issue], dashboard_home: Path
) -> None:
    leak = issues[0]
    visit(page, "Train", data=str(faulty))
    _fill_in(page, settle)
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text("The audit blocks this training")).to_be_visible(timeout=MINUTE)
    expect(page.get_by_text(leak.message)).to_be_visible()
    settle(page)
    shot(page, "train-blocked")
    assert not list_runs(dashboard_home / "runs")

    page.get_by_role("button", name="Train anyway").click()
    expect(page.get_by_text("The audit blocks this training")).to_have_count(0, timeout=MINUTE)
    anyway = _run_of(page, dashboard_home, set())
    assert anyway.config.epochs == 1
    for address in ("Evaluate", "Predict"):
        visit(page, address, run=anyway.id)
        expect(seen(page.get_by_text("Trained although the audit found a leak"))).to_be_visible(timeout=MINUTE)
    shot(page, "predict-trained-anyway")

    # The link leads to the audit of the same data set; fixed, the training starts without a question.
    visit(page, "Train", data=str(faulty))
    _fill_in(page, settle)
    page.get_by_role("button", name="Start training").click()
    page.get_by_role("link", name="To the audit").click()
    expect(page.get_by_role("heading", name="Audit")).to_be_visible(timeout=MINUTE)
    page.locator(".st-key-fix-leak-keep-one-of-each").get_by_role("button").click()
    expect(page.locator(".st-key-fixes")).to_contain_text("Leak: keep one of each", timeout=MINUTE)
    settle(page)
    expect(_card(page, "leak")).to_have_count(0)
    visit(page, "Train", data=str(faulty))
    _fill_in(page, settle)
    page.get_by_role("button", name="Start training").click()
    fixed = _run_of(page, dashboard_home, {anyway.id})
    expect(page.get_by_text("The audit blocks this training")).to_have_count(0)
    assert not any("although the audit found a leak" in warning for warning in fixed.warnings)
    assert any("moved or left out" in warning for warning in fixed.warnings)
    _no_error(page)
