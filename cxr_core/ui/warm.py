"""Load what opening an image needs while the person still looks at the page.

Importing torch takes seconds the first time. It is started in the background as soon as a page shows images that can be
opened, so that the page itself waits for nothing and the first heat map does not wait either.
"""

import importlib
import threading

import streamlit as st


@st.cache_resource(show_spinner=False)
def warm_up() -> None:
    """Begin loading, once for the server; returns at once."""
    threading.Thread(target=_load, name="warm-up", daemon=True).start()


def _load() -> None:
    importlib.import_module("cxr_core.inference.predictor")
