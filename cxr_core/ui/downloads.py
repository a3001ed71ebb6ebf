"""A button that makes a file on the click and hands it to the browser; who took what is recorded.

download("Figures as CSV", partial(written, frame), f"{run.id}-figures.csv", "text/csv", "figures", run=run.id)
"""

from collections.abc import Callable
from typing import Any

import streamlit as st

from cxr_core import activity


def download(
    label: str,
    make: Callable[[], str | bytes],
    file_name: str,
    mime: str | None,
    what: str,
    *,
    run: str | None = None,
    data: str | None = None,
    **options: Any,
) -> None:
    """Draw the button. ``what``: a word for the record; ``options``: further arguments of ``st.download_button``."""
    # The click is answered apart from the page, where nobody knows any more whose it is.
    by = activity.actor()

    def made() -> str | bytes:
        content = make()
        activity.record("exported", what, run=run, data=data, by=by)
        return content

    st.download_button(label, made, file_name, mime, on_click="ignore", **options)
