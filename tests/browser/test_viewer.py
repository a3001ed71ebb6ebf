"""The viewer in Chromium, on a page of nothing else: what it computes, and the pixels on the screen against numpy's.

The pictures are what Python sends, fetched as from the dashboard; wheel, drag, fingers and keys are the browser's own.
"""

import base64
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from cxr_core import images
from cxr_core.images import png
from cxr_core.images.dicom.window import Window
from cxr_core.inference.heat import coloured
from cxr_core.ui.viewer.component import HERE, SCRIPT
from cxr_core.ui.viewer.packing import FIRST, packed
from tests.images.files import encoded, radiograph

BASE = "http://viewer.test"
PAGE = """<!doctype html><meta name="viewport" content="width=device-width"><body style="margin: 8px">
<div id="host" style="--st-link-color: #0B6E8A; --st-text-color: #1B2733; --st-background-color: #FBFCFD;
--st-secondary-background-color: #EEF2F5; --st-border-color: #D3DBE2"></div>"""
EXPRESSION = """async ([script, style]) => {
  const made = await import(URL.createObjectURL(new Blob([script], {type: "text/javascript"})));
  const place = document.getElementById("host").attachShadow({mode: "open"});
  const sheet = document.createElement("style");
  sheet.textContent = style;
  place.append(sheet);
  Object.assign(window, {made, place, told: []});
}"""
SAY = "data => void made.default({data, parentElement: place, setTriggerValue: (...said) => told.push(said)})"
SCREEN = """canvas => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let text = "";
  for (let at = 0; at < data.length; at += 0x8000) text += String.fromCharCode(...data.subarray(at, at + 0x8000));
  return btoa(text);
}"""

_SIDES = np.mgrid[0:260, 0:300]
EIGHT = ((_SIDES[0] * 3 + _SIDES[1] * 2) % 256).astype(np.uint8)
_TALL = np.mgrid[0:1500, 0:1200]
TWELVE = ((_TALL[0] * 7 + _TALL[1] * 5) % 4096).astype(np.uint16)
WINDOWS = (Window(1800, 900, "LINEAR"), Window(600, 333, "LINEAR"))
FILES = {
    "8-bit PNG": encoded(Image.fromarray(EIGHT), "PNG"),
    "12-bit DICOM": radiograph(
        TWELVE,
        PhotometricInterpretation="MONOCHROME1",
        RescaleSlope=2,
        RescaleIntercept=-500,
        WindowCenter=[1800, 600],
        WindowWidth=[900, 333],
        PixelPaddingValue=0,
    ),
}
HEAT = np.zeros((64, 64), np.float32)
HEAT[24:40, 24:40] = 1

Show = Callable[..., Locator]


@pytest.fixture(scope="module")
def dashboard() -> str:
    """No server: what the page asks for is answered here."""
    return BASE


@pytest.fixture
def asked() -> list[str]:
    """What the browser fetched, in its order."""
    return []


@pytest.fixture
def show(page: Page, asked: list[str]) -> Show:
    """``show("8-bit PNG")`` gives the place of the panes once they are drawn; keywords: what Python says besides."""
    held: dict[str, bytes] = {}

    def answer(route: Route) -> None:
        address = route.request.url.removeprefix(BASE)
        if address == "/":
            route.fulfill(body=PAGE, content_type="text/html")
            return
        if address in held:
            asked.append(address)
        route.fulfill(body=held.get(address, b""), status=200 if address in held else 404)

    page.route("**/*", answer)
    page.goto(f"{BASE}/")
    page.evaluate(EXPRESSION, [SCRIPT, (HERE / "viewer.css").read_text(encoding="utf-8")])

    def shown(*kinds: str, heat: bool = False, **said: Any) -> Locator:
        pictures = []
        for kind in kinds:
            address = f"/media/{kind.split()[0]}"
            facts, held[address] = packed(images.levels_of(FILES[kind], kind))
            pictures.append({**facts, "name": f"<img src=x>{kind}", "address": address})
        held["/media/heat"] = png(Image.fromarray(coloured(HEAT)))
        map_ = {"label": "<b>PNEUMONIA", "opacity": 0.5, "box": [0, 0, 1, 1], "address": "/media/heat"}
        data = {"label": "a", "first": FIRST, "height": 500, "turn": None, "pictures": pictures, **said}
        page.evaluate(SAY, {**data, "heat": map_ if heat else None})
        expect(page.locator(f'.panes[data-picture="{",".join(one["address"] for one in pictures)}"]')).to_be_visible()
        settle(page)
        return page.locator(".panes")

    return shown


def settle(page: Page) -> None:
    """Until what was done is drawn."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
    settle(page)


def facts(canvas: Locator) -> dict[str, float]:
    return {name: float(value) for name, value in canvas.evaluate("canvas => ({...canvas.dataset})").items()}


def screen(canvas: Locator) -> np.ndarray:
    """The pixels of a pane, uint8 (H, W, 3)."""
    size = canvas.evaluate("canvas => [canvas.height, canvas.width, 4]")
    return np.frombuffer(base64.b64decode(canvas.evaluate(SCREEN)), np.uint8).reshape(size)[..., :3]


def off(canvas: Locator, expected: np.ndarray) -> int:
    """By how many greys the screen differs at most from ``expected``, which is shown pixel for pixel; not 0 outside."""
    at, seen = facts(canvas), screen(canvas).astype(int)
    assert at["scale"] == pytest.approx(1)
    left, top = int(at["left"]), int(at["top"])
    painted = np.zeros(seen.shape[:2], int)
    high, wide = len(painted), len(painted[0])
    rows, columns = (
        slice(max(top, 0), min(top + expected.shape[0], high)),
        slice(max(left, 0), min(left + expected.shape[1], wide)),
    )
    painted[rows, columns] = expected[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return int(np.abs(seen - painted[..., None]).max())


def windowed(kind: str, window: Window) -> np.ndarray:
    """The picture in another window, as the standard has it, in numpy."""
    levels = images.levels_of(FILES[kind], kind)
    values = levels.slope * levels.numbers.astype(np.float64) + levels.intercept
    grey = np.round(np.clip(window.of(values), 0, 1) * 255).astype(int)
    grey = 255 - grey if levels.inverted else grey
    return np.where(levels.numbers == 0, 0, grey) if levels.padding else grey


@pytest.mark.parametrize("kind", FILES)
def test_the_pixels_on_the_screen_are_those_of_the_window(page: Page, show: Show, kind: str) -> None:
    panes = show(kind)
    canvas = panes.locator("canvas")
    panes.focus()
    press(page, "1")
    assert off(canvas, np.asarray(images.decode(FILES[kind], kind), int)) == 0, "at first: as the network reads it"

    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.down(button="right")
    page.mouse.move(box["x"] + 260, box["y"] + 230, steps=4)
    page.mouse.up(button="right")
    settle(page)
    said = panes.evaluate("panes => ({...panes.dataset})")
    assert said["window"] == "set by hand"
    by_hand = windowed(kind, Window(float(said["center"]), float(said["width"]), "LINEAR_EXACT"))
    assert off(canvas, by_hand) <= 1
    press(page, "i")
    levels = images.levels_of(FILES[kind], kind)
    padding = (levels.numbers == 0) & (levels.padding is not None)
    assert off(canvas, np.where(padding, 0, 255 - by_hand)) <= 1
    press(page, "r")
    if kind == "12-bit DICOM":
        for window in WINDOWS:
            press(page, "w")
            press(page, "1")
            assert off(canvas, windowed(kind, window)) <= 1
    expect(page.locator(".status")).to_contain_text("12 bits" if kind == "12-bit DICOM" else "8 bits")


def test_wheel_drag_and_keys_move_the_picture(page: Page, show: Show, asked: list[str]) -> None:
    panes = show("12-bit DICOM")
    canvas = panes.locator("canvas")
    whole = facts(canvas)
    box = canvas.bounding_box()
    assert box
    x, y = box["width"] / 2 + 40, 150.0
    page.mouse.move(box["x"] + x, box["y"] + y)

    def under() -> tuple[float, float]:
        at = facts(canvas)
        return (x - at["left"]) / at["scale"], (y - at["top"]) / at["scale"]

    before = under()
    for _ in range(6):
        page.mouse.wheel(0, -120)
        settle(page)
    near = facts(canvas)
    assert near["scale"] > 2 * whole["scale"]
    assert np.abs(np.subtract(under(), before)).max() < 2.5, "what is under the pointer stays there"

    page.mouse.down()
    page.mouse.move(box["x"] + x - 30, box["y"] + y + 20, steps=3)
    page.mouse.up()
    settle(page)
    assert facts(canvas)["left"] == pytest.approx(near["left"] - 30, abs=1)
    assert facts(canvas)["top"] == pytest.approx(near["top"] + 20, abs=1)
    for _ in range(4):
        page.mouse.move(box["x"] + 200, box["y"] + 100)
        page.mouse.down()
        page.mouse.move(box["x"] + 600, box["y"] + 480, steps=2)
        page.mouse.up()
    settle(page)
    corner = facts(canvas)
    assert corner["left"] == pytest.approx(box["width"] / 2, abs=1), "the picture is not lost beside the pane"
    assert corner["top"] == pytest.approx(box["height"] / 2, abs=1)

    press(page, "Shift+ArrowDown")
    assert facts(canvas)["top"] == pytest.approx(corner["top"] - 60, abs=1)
    press(page, "+", "+")
    assert facts(canvas)["scale"] == pytest.approx(near["scale"] * 1.25**2, rel=0.01)
    press(page, "0")
    assert facts(canvas) == whole
    assert asked == ["/media/12-bit"], "a picture is sent once"


def test_a_key_fills_the_screen_and_gives_it_back(page: Page, show: Show) -> None:
    panes = show("8-bit PNG")
    panes.focus()
    press(page, "f")
    page.wait_for_function("document.fullscreenElement !== null")
    press(page, "f")
    page.wait_for_function("document.fullscreenElement === null")
    settle(page)
    assert panes.evaluate("panes => panes.clientHeight") == 500


def test_two_fingers_zoom_and_one_moves(page: Page, show: Show) -> None:
    canvas = show("12-bit DICOM").locator("canvas")
    box = canvas.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fingers = page.context.new_cdp_session(page)
    fingers.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})

    def touch(kind: str, *points: tuple[float, float]) -> None:
        listed = [{"x": right, "y": down, "id": at} for at, (right, down) in enumerate(points)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": listed})

    whole = facts(canvas)
    touch("touchStart", (x - 30, y), (x + 30, y))
    for apart in (40, 60, 90):
        touch("touchMove", (x - apart, y), (x + apart, y))
    touch("touchEnd")
    settle(page)
    near = facts(canvas)
    assert near["scale"] == pytest.approx(3 * whole["scale"], rel=0.05)
    touch("touchStart", (x, y))
    touch("touchMove", (x + 10, y + 10))
    touch("touchMove", (x + 25, y + 15))
    touch("touchEnd")
    settle(page)
    assert facts(canvas)["top"] == pytest.approx(near["top"] + 15, abs=1)


def test_heat_over_and_beside_and_the_next_picture(page: Page, show: Show, asked: list[str]) -> None:
    turn = {"back": False, "on": True}
    panes = show("8-bit PNG", heat=True, turn=turn)
    panes.focus()
    press(page, "1")
    expect(panes.locator(".tag")).to_have_text("Heat map of <b>PNEUMONIA")
    plain = np.asarray(images.decode(FILES["8-bit PNG"], "x"), int)
    at, seen = facts(panes.locator("canvas")), screen(panes.locator("canvas")).astype(int)
    shown = seen[int(at["top"]) :, int(at["left"]) :][: plain.shape[0], : plain.shape[1]]
    changed = (np.abs(shown - plain[..., None]) > 1).any(axis=-1)
    assert not changed[:90].any(), "clear where nothing is hot"
    assert changed[110:150, 120:180].all()
    hot = coloured(np.ones((1, 1), np.float32))[0, 0, :3]
    assert np.abs(shown[130, 150] - (plain[130, 150] + hot) / 2).max() <= 2

    press(page, ".", ".", "h")
    expect(panes.locator("canvas")).to_have_count(2)
    page.mouse.move(400, 300)
    page.mouse.wheel(0, -120)
    settle(page)
    assert facts(panes.locator("canvas").first) == facts(panes.locator("canvas").last)

    press(page, "ArrowLeft", "ArrowRight")
    assert page.evaluate("told") == [["turn", 1]]
    panes = show("12-bit DICOM", heat=True, turn=turn)
    expect(panes.locator("canvas")).to_have_count(2)
    assert page.locator('input[type="range"]').input_value() == "0.6", "what was chosen stays at the next picture"
    assert panes.evaluate("panes => panes.getRootNode().activeElement === panes"), "and the keyboard stays where it was"
    show("8-bit PNG", heat=True, turn=turn)
    assert sorted(asked) == ["/media/12-bit", "/media/8-bit", "/media/heat"]


@pytest.mark.parametrize("look", ["narrow"], indirect=True)
def test_two_pictures_move_together_and_names_are_text(page: Page, show: Show) -> None:
    panes = show("8-bit PNG", "12-bit DICOM")
    expect(panes.locator(".tag").first).to_have_text("<img src=x>8-bit PNG")
    expect(panes.locator("img")).to_have_count(0)
    panes.focus()
    left, right = (panes.locator("canvas").nth(at) for at in (0, 1))
    whole = facts(left), facts(right)
    press(page, "+", "+")
    for before, canvas in zip(whole, (left, right), strict=True):
        assert facts(canvas)["scale"] == pytest.approx(before["scale"] * 1.25**2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_control_has_a_name_and_shows_the_focus(page: Page, show: Show) -> None:
    show("8-bit PNG", heat=True, turn={"back": True, "on": True})
    controls = page.locator("button, select, input, summary, .panes")
    for at in range(controls.count()):
        control = controls.nth(at)
        assert control.evaluate("it => it.ariaLabel || it.textContent.trim() || it.labels?.[0]?.textContent")
        page.keyboard.press("Tab")
        assert control.evaluate("it => it.getRootNode().activeElement === it"), "Tab goes through all, in their order"
        assert control.evaluate("it => getComputedStyle(it).outlineStyle") == "solid"


def test_a_picture_that_does_not_come_is_said(page: Page, show: Show) -> None:
    show("8-bit PNG")
    gone = {**packed(images.levels_of(FILES["8-bit PNG"], "x"))[0], "name": "x", "address": "/media/gone"}
    page.evaluate(SAY, {"label": "a", "first": FIRST, "height": 500, "turn": None, "heat": None, "pictures": [gone]})
    expect(page.locator(".status")).to_have_text("The picture did not arrive (404). Reload the page.")


def test_what_it_computes(page: Page, show: Show) -> None:
    show("8-bit PNG")
    random = np.random.default_rng(0)
    windows = [
        Window(center, width, function)
        for function in ("LINEAR", "LINEAR_EXACT", "SIGMOID")
        for center, width in ((1800.0, 900.0), (-3.5, 1.0), (40.0, 0.5))
    ]
    found = page.evaluate(
        """windows => {
            const picture = {slope: -0.5, intercept: 7, inverted: false, padding: null, table: new Uint8Array(4096)};
            return windows.map(window => [...made.greys(picture, window, false)]);
        }""",
        [asdict(window) for window in windows],
    )
    for window, greys in zip(windows, found, strict=True):
        shares = window.of(7 - 0.5 * np.arange(4096, dtype=np.float64))
        assert np.abs(np.array(greys) - np.round(np.clip(shares, 0, 1) * 255)).max() <= 1

    cases = []
    for _ in range(200):
        pane = dict(zip(("width", "height"), random.integers(50, 900, 2).tolist(), strict=True))
        film = dict(zip(("width", "height"), random.integers(20, 3000, 2).tolist(), strict=True))
        view = {"zoom": random.uniform(0.1, 20), "x": random.random(), "y": random.random()}
        point = {"x": random.uniform(0, pane["width"]), "y": random.uniform(0, pane["height"])}
        cases.append([view, pane, film, point])
    seen = page.evaluate(
        """cases => cases.map(([view, pane, picture, point]) => {
            const inside = made.clamped(view, pane, picture);
            const {least, most} = made.limits(pane, picture);
            return [inside, made.zoomed(inside, 1.7, point, pane, picture), made.fit(pane, picture), least, most];
        })""",
        cases,
    )
    for (_, pane, film, point), (inside, zoomed, scale, least, most) in zip(cases, seen, strict=True):
        assert least - 1e-9 <= inside["zoom"] <= most + 1e-9
        for place, size in (("x", "width"), ("y", "height")):
            assert 0 <= inside[place] <= 1
            assert inside["zoom"] > 1 or inside[place] == 0.5
            before, after = (
                at[place] + (point[place] - pane[size] / 2) / (film[size] * scale * at["zoom"])
                for at in (inside, zoomed)
            )
            free = zoomed["zoom"] > 1 and 0 < zoomed[place] < 1
            assert not free or before == pytest.approx(after, abs=1e-6), "the place under the pointer stays"
