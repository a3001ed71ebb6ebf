"""The Dataset page in a real browser: a set is recognised, its rules are changed, what cannot be told is asked."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cxr_core.demo import draw_findings
from tests.browser.conftest import Settle, Shot, Visit, seen
from tests.data.sets.standins import MAKERS, Standin
from tests.images.files import tree, write

LOOKS = pytest.mark.parametrize("look", ["light", "dark", "narrow"], indirect=True)


@pytest.fixture(scope="module")
def chexpert(tmp_path_factory: pytest.TempPathFactory) -> Standin:
    return MAKERS["CheXpert"](tmp_path_factory.mktemp("sets") / "CheXpert-v1.0-small", rounds=6)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_findings(tmp_path_factory.mktemp("drawn") / "findings", images=120, seed=0)


def _sound(page: Page) -> None:
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
    expect(page.locator('[data-testid="stAlertContentError"]')).to_have_count(0)


def _choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).first.click()
    # Long lists are drawn as far as they are seen.
    page.keyboard.type(option)
    page.get_by_role("option", name=option, exact=True).click()


@LOOKS
def test_a_public_set_is_recognised(page: Page, visit: Visit, shot: Shot, chexpert: Standin, look: str) -> None:
    visit(page, "Dataset", data=str(chexpert.root))
    expect(page.get_by_text("Recognised as CheXpert")).to_be_visible()
    expect(page.get_by_text("36 images left out")).to_be_visible()
    expect(page.get_by_role("heading", name="Which occur together")).to_be_visible()
    _sound(page)
    shot(page, f"labels-chexpert-{look}")


@LOOKS
def test_findings_of_a_table(page: Page, visit: Visit, shot: Shot, drawn: Path, look: str) -> None:
    visit(page, "Dataset", data=str(drawn))
    expect(page.get_by_text("No public set was recognised")).to_be_visible()
    _sound(page)
    shot(page, f"labels-drawn-{look}")


def test_a_rule_is_changed_and_forgotten(page: Page, visit: Visit, settle: Settle, chexpert: Standin) -> None:
    visit(page, "Dataset", data=str(chexpert.root))
    expect(seen(page.get_by_text("36 images, 13 findings"))).to_be_visible()
    _choose(page, "Views", "all")
    expect(seen(page.get_by_text("72 images, 13 findings"))).to_be_visible()
    settle(page)
    _sound(page)
    page.get_by_role("button", name="Forget it").click()
    expect(seen(page.get_by_text("36 images, 13 findings"))).to_be_visible()


def test_the_grid_shows_a_finding(page: Page, visit: Visit, settle: Settle, chexpert: Standin) -> None:
    visit(page, "Dataset", data=str(chexpert.root))
    _choose(page, "Finding", "Edema")
    settle(page)
    expect(page.get_by_text("No image.")).to_be_visible()
    _choose(page, "Labelled", "uncertain")
    settle(page)
    expect(page.get_by_text("1 to 6 of 6 images")).to_be_visible()
    _sound(page)


@LOOKS
def test_folders_of_patients_are_asked(page: Page, visit: Visit, shot: Shot, tmp_path: Path, look: str) -> None:
    folders = {f"patient{n}/{label}": 1 for n in range(1, 5) for label in ("NORMAL", "COVID19")}
    root = tree(tmp_path / f"asked {look}", folders)
    visit(page, "Dataset", data=str(root))
    expect(page.get_by_text("Which folder is the class of an image?")).to_be_visible()
    _sound(page)
    shot(page, f"labels-asked-{look}")
    page.get_by_text("the name of the folder next to it").click()
    page.get_by_role("button", name="Read it so").click()
    expect(seen(page.get_by_text("8 images, 2 classes"))).to_be_visible()
    _sound(page)


@LOOKS
def test_a_table_is_described(page: Page, visit: Visit, settle: Settle, shot: Shot, tmp_path: Path, look: str) -> None:
    root = tmp_path / f"described {look}"
    rows = ["scan,who,oedema,mass"]
    for n in range(6):
        write(root / "pictures" / f"{n}x.png", n)
        rows.append(f"{n}x,p{n // 2},{('oui', 'non')[n % 2]},{('non', 'oui')[n % 3 == 0]}")
    (root / "t.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    visit(page, "Train", data=str(root))
    expect(page.get_by_text("Which columns hold the labels?")).to_be_visible()
    visit(page, "Dataset", data=str(root))
    expect(page.get_by_text("Which columns hold the labels?")).to_be_visible()
    _sound(page)
    shot(page, f"labels-described-{look}")
    page.get_by_role("combobox", name="The image's file is named in").click()
    page.get_by_role("option", name="scan", exact=True).click()
    page.get_by_role("combobox", name="The labels are in").click()
    page.get_by_role("option", name="oedema", exact=True).click()
    page.get_by_role("option", name="mass", exact=True).click()
    page.keyboard.press("Escape")
    page.get_by_text("What the values mean").click()
    page.get_by_label("Yes", exact=True).fill("oui")
    page.get_by_label("No", exact=True).fill("non")
    _choose(page, "Patient", "who")
    page.get_by_role("button", name="Read it so").click()
    expect(seen(page.get_by_text("6 images, 2 findings"))).to_be_visible()
    expect(page.get_by_text("3 patients, known for 6 of 6 images; at most 2 images per patient.")).to_be_visible()
    settle(page)
    _sound(page)
