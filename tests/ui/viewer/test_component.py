"""The viewer on a page: what goes to the browser, and what comes back from it."""

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cxr_core.inference.heat import coloured
from cxr_core.ui.viewer.component import _outlined


def two_pages() -> None:
    """The viewer of one picture, with a heat map if it is switched on; and another place with the same picture."""
    import numpy as np
    import streamlit as st

    from cxr_core.ui.viewer import Heat, Picture, Turn, viewer
    from tests.images.files import radiograph

    picture = Picture(radiograph(), "<b>a.dcm")
    heat = Heat(np.eye(64, dtype=np.float32), "PNEUMONIA") if st.toggle("heat") else None
    steps = st.session_state.setdefault("steps", [])
    viewer(picture, heat, key="a", label="x", turn=Turn(steps.append, back=False, on=True))
    viewer(picture, key="b", label="x", beside=picture)


def said(at: AppTest) -> list[dict[str, Any]]:
    assert not at.exception
    return [json.loads(found.proto.json) for found in at.get("bidi_component")]


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(two_pages, default_timeout=30).run()


def test_a_picture_goes_by_its_content_and_only_the_heat_map_is_new(app: AppTest) -> None:
    one, pair = said(app)
    (picture,) = one["pictures"]
    assert (picture["name"], picture["bits"], one["heat"]) == ("<b>a.dcm", 12, None)
    assert {each["address"] for each in pair["pictures"]} == {picture["address"]}, "sent once, whatever shows it"
    assert len(json.dumps(one)) < 3000, "no pixels in what goes with every run of the page"
    again, _ = said(app.toggle[0].set_value(True).run())
    assert again["pictures"] == one["pictures"]
    assert again["heat"]["label"] == "PNEUMONIA"
    left, top, right, bottom = again["heat"]["box"]
    # VALUES are 40 x 30: the middle square, less what the network's crop leaves out.
    assert (left, right) == pytest.approx((0.173, 0.827), abs=0.02)
    assert (top, bottom) == pytest.approx((1 / 16, 15 / 16), abs=0.02)


@pytest.mark.parametrize(("came", "steps"), [(1, [1]), (-1, []), (7, []), ("evil", []), (None, [])])
def test_the_arrow_keys_turn_where_there_is_a_picture_and_nothing_else_comes(came: Any, steps: list[int]) -> None:
    import streamlit as st

    from cxr_core.ui.viewer import Turn, component

    st.session_state["turned"] = {"turn": came}
    turned: list[int] = []
    component._turned("turned", Turn(turned.append, back=False, on=True))
    assert turned == steps


def test_boxes_are_outlined_on_the_colours_and_nowhere_else() -> None:
    clear = np.zeros((100, 100), np.float32)
    drawn = np.asarray(_outlined(Image.fromarray(coloured(clear)), ((0.1, 0.2, 0.4, 0.9),)))
    rows, columns = np.nonzero(drawn[..., 3])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 89, 10, 39)
    assert len(rows) == 2 * (70 + 30) - 4
