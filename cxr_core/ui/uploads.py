"""Predictions for uploaded files: made once per upload, kept in the session's memory, never written.

    results = predicted(run, st.file_uploader("X-rays", accept_multiple_files=True))
    table = prediction_table(results, run.classes)

A file's name is text to show. It is never a path.
"""

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cxr_core.data import images
from cxr_core.training.runs import Run
from cxr_core.ui.cached import cached_predictor, progress_bar

if TYPE_CHECKING:
    from cxr_core.inference.predictor import Prediction

PICTURE_SIDE = 900


def predicted(run: Run, uploads: Sequence[UploadedFile]) -> list["Prediction"]:
    """A prediction for each upload, in their order; only new ones are computed, a bar says how far.

    Raises what loading the run's network raises (RunError, WeightsError). A file that is no image has its ``error``.
    """
    # Another run, or the same one trained on, is another set of predictions.
    trained = run.weights_file.stat().st_mtime_ns if run.weights_file.exists() else 0
    before = st.session_state.get("predictions", {})
    keys = [(str(run.path), trained, upload.file_id) for upload in uploads]
    known: dict[tuple[str, int, str], Prediction] = {key: before[key] for key in keys if key in before}
    st.session_state["predictions"] = known
    new = [(key, upload) for key, upload in zip(keys, uploads, strict=True) if key not in known]
    if new:
        hint = st.empty()
        hint.caption("The first time after the server starts, loading the network takes some seconds.")
        predictor = cached_predictor(run)
        hint.empty()
        with progress_bar("Predicting", "images") as report:
            predictions = predictor.predict(_contents([upload for _, upload in new]))
            for done, ((key, _), prediction) in enumerate(zip(new, predictions, strict=True), start=1):
                known[key] = prediction
                report(done, len(new))
    return [known[key] for key in keys]


def _contents(uploads: Sequence[UploadedFile]) -> Iterator[tuple[str, bytes]]:
    # One after the other: a copy of each at a time, not of all.
    for upload in uploads:
        yield shown_name(upload.name), upload.getvalue()


def shown_name(name: str) -> str:
    """A file's name without folders and without signs that do not print."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign if sign.isprintable() else "�" for sign in last)[-160:] or "unnamed"


def picture(upload: UploadedFile) -> bytes:
    """A JPEG of the upload as the network's decoder reads it: upright, grey. Raises ImageError."""
    return _picture(upload.file_id, upload)


@st.cache_data(max_entries=64, show_spinner=False, scope="session")
def _picture(file_id: str, _upload: UploadedFile) -> bytes:
    decoded = images.decode(_upload.getvalue(), shown_name(_upload.name), side=PICTURE_SIDE)
    decoded.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    out = io.BytesIO()
    decoded.save(out, "JPEG", quality=88)
    return out.getvalue()


def prediction_table(predictions: Sequence["Prediction"], classes: Sequence[str]) -> pd.DataFrame:
    """A row per file: file, decision, ``p_CLASS`` for each class, error; a failed file has no probabilities."""
    rows = [
        {
            "file": prediction.file,
            "decision": prediction.label or "",
            **{f"p_{name}": (prediction.probabilities or {}).get(name) for name in classes},
            "error": prediction.error or "",
        }
        for prediction in predictions
    ]
    return pd.DataFrame(rows, columns=["file", "decision", *(f"p_{name}" for name in classes), "error"])


def prediction_columns(classes: Sequence[str]) -> dict[str, Any]:
    """How :func:`prediction_table` is shown: probabilities as bars of 0 to 1."""
    bars = {
        f"p_{name}": st.column_config.ProgressColumn(name, min_value=0.0, max_value=1.0, format="%.3f")
        for name in classes
    }
    return {"file": "File", "decision": "Decision", **bars, "error": "Error"}
