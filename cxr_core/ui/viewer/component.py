"""The viewer as a page calls it: pictures go to the browser by an address made from their content, once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from streamlit import runtime

from cxr_core import images
from cxr_core.images import png
from cxr_core.inference.heat import OPACITY, coloured, seen
from cxr_core.ui.viewer.packing import FIRST, packed

HEIGHT = 560
HERE = Path(__file__).parent
Boxes: TypeAlias = tuple[tuple[float, float, float, float], ...]
# One module: a component's script can import none of its own files.
SCRIPT = "".join((HERE / name).read_text(encoding="utf-8") for name in ("maths.js", "viewer.js"))
_mounted = st.components.v2.component("cxr_viewer", css=(HERE / "viewer.css").read_text(encoding="utf-8"), js=SCRIPT)


@dataclass(frozen=True)
class Picture:
    """A file to look at: its bytes, and its name for messages."""

    content: bytes
    name: str

    @cached_property
    def digest(self) -> str:
        return images.content_digest(self.content)


@dataclass(frozen=True, eq=False)
class Heat:
    """A heat map of ``label``: float32 (S, S), 0 to 1, on the square of the picture that the network saw. ``boxes``:
    what is outlined on it, left, top, right, bottom as shares of the square's side.
    """

    values: NDArray[np.float32]
    label: str
    boxes: Boxes = ()


@dataclass(frozen=True)
class Turn:
    """What the arrow keys and two buttons do: ``step`` is called with -1 or 1 before the page runs anew. ``back`` and
    ``on``: whether there is a picture that way.
    """

    step: Callable[[int], None]
    back: bool
    on: bool


def viewer(
    picture: Picture,
    heat: Heat | None = None,
    *,
    key: str,
    label: str,
    beside: Picture | None = None,
    turn: Turn | None = None,
    height: int = HEIGHT,
    room: int = 0,
) -> None:
    """Draw the viewer of ``picture``, and of ``beside`` beside it, at most ``height`` pixels high without its buttons.

    ``room``: in place of ``height``, how many pixels of the window the rest of the page needs above and below.

    ``key``: the place on the page. Where the same key gets another picture, the choices for the heat map stay and so
    does the keyboard's focus; zoom and window begin anew. ``label``: what a screen reader says the picture is. Raises
    ImageError.
    """
    shown = [_sent(each, f"{key}-{at}") for at, each in enumerate((picture, beside)) if each is not None]
    data = {
        "label": label,
        "pictures": shown,
        "first": FIRST,
        "heat": None if heat is None else _heated(heat, shown[0], f"{key}-heat"),
        "turn": None if turn is None else {"back": turn.back, "on": turn.on},
        "height": height,
        "room": room,
    }
    _mounted(key=key, data=data, on_turn_change=partial(_turned, key, turn))


def _turned(key: str, turn: Turn | None) -> None:
    step = st.session_state[key].get("turn")
    # It comes from the browser: nothing else is passed on.
    if turn and step in (-1, 1) and (turn.back if step < 0 else turn.on):
        turn.step(int(step))


def _sent(picture: Picture, place: str) -> dict[str, Any]:
    """The facts of a picture, and the address at which the browser gets the rest. Raises ImageError."""
    facts, content = _packed(picture.digest, picture)
    return {**facts, "name": picture.name, "address": _address(content, "application/octet-stream", place)}


def _heated(heat: Heat, facts: dict[str, Any], place: str) -> dict[str, Any]:
    # The network's square is cut from the whole picture, not from what was reduced for the screen.
    width, height = facts["full"]
    left, top, right, bottom = seen(width, height, len(heat.values))
    box = [left / width, top / height, right / width, bottom / height]
    address = _address(_drawn(heat.values, heat.boxes), "image/png", place)
    return {"label": heat.label, "opacity": OPACITY, "box": box, "address": address}


def _outlined(colours: Image.Image, boxes: Boxes) -> Image.Image:
    """The colours (RGBA) with a thin light line around each box."""
    pen, size = ImageDraw.Draw(colours), colours.width
    for left, top, right, bottom in boxes:
        # The last pixel of a box is drawn on, too.
        pen.rectangle((left * size, top * size, right * size - 1, bottom * size - 1), outline=(235, 245, 255, 255))
    return colours


def _address(content: bytes, kind: str, place: str) -> str:
    """Where this session's browser finds ``content``, as it finds the pictures of ``st.image``: the address is made
    from the content, so that what has been fetched is not fetched again.
    """
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    address = runtime.get_instance().media_file_mgr.add(content, kind, f"viewer-{place}")
    return f"/{base}{address}" if base else address


# What is made of an image stays in its session: an upload is nobody else's.
@st.cache_data(max_entries=8, show_spinner=False, scope="session")
def _packed(digest: str, _picture: Picture) -> tuple[dict[str, Any], bytes]:
    return packed(images.levels_of(_picture.content, _picture.name))


@st.cache_data(max_entries=32, show_spinner=False, scope="session")
def _drawn(heat: NDArray[np.float32], boxes: Boxes) -> bytes:
    return png(_outlined(Image.fromarray(coloured(heat)), boxes))
