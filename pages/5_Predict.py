"""A completed run reads uploaded X-rays: for each the picture, the probabilities, the decision and its rule."""

import streamlit as st

from cxr_core import charts, ui
from cxr_core.training.runs import Run
from cxr_core.ui import results, uploads
from cxr_core.ui.frame import escaped

CARDS = 6
FAILURES = 5


def card(upload: uploads.UploadedFile, prediction: "uploads.Prediction", thresholds: dict[str, float]) -> None:
    """One upload: its picture, and what the run says to it."""
    with st.container(border=True):
        left, right = st.columns([2, 3])
        with left:
            st.image(uploads.picture(upload), caption=escaped(prediction.file), width="stretch")
        with right:
            label, probabilities = prediction.label or "", prediction.probabilities or {}
            ui.metric("Decision", label)
            st.caption(escaped(prediction.rule))
            st.plotly_chart(charts.probabilities(probabilities, label, thresholds), key=f"bars-{upload.file_id}")


def table(run: Run, predictions: list["uploads.Prediction"]) -> None:
    """All uploads in one table, and its CSV."""
    frame = uploads.prediction_table(predictions, run.classes)
    good = sum(prediction.error is None for prediction in predictions)
    st.write(f"**Predictions for {ui.of(good, len(predictions))} files**")
    st.dataframe(
        frame,
        hide_index=True,
        column_config=uploads.prediction_columns(run.classes),
        height=min(38 + 35 * len(frame), 460),
        placeholder="",
    )
    name = f"{run.id}-predictions.csv"
    st.download_button("Table as CSV", frame.to_csv(index=False), name, "text/csv", on_click="ignore")


def failures(predictions: list["uploads.Prediction"]) -> None:
    """A message for each file without a prediction."""
    messages = [prediction.error for prediction in predictions if prediction.error]
    for message in messages[:FAILURES]:
        st.error(escaped(message), icon=":material/error:")
    if len(messages) > FAILURES:
        st.caption(f"{ui.of(FAILURES, len(messages))} messages; the table has all.")


ui.page("Predict", ":material/upload:")
with ui.guarded():
    run = results.pick_result()
    if run:
        st.write(escaped(results.score_line(run)))
        ui.warnings_banner(run)
        files = st.file_uploader(
            "X-rays: PNG, JPEG, TIFF, BMP, WebP or DICOM, one or many",
            type=None,
            accept_multiple_files=True,
            key=f"uploads-{run.id}",
            help="They stay in memory, are never written to disk, and are gone when this page is closed.",
        )
        if files:
            predictions = uploads.predicted(run, files)
            if len(files) > 1:
                table(run, predictions)
            failures(predictions)
            good = [pair for pair in zip(files, predictions, strict=True) if pair[1].error is None]
            pages = max(1, -(-len(good) // CARDS))
            page = st.pagination(pages, key=f"page-{pages}") if pages > 1 else 1
            limits = results.thresholds(run)
            for upload, prediction in good[(page - 1) * CARDS : page * CARDS]:
                card(upload, prediction, limits)
        else:
            st.caption(
                "The first prediction after the server starts takes some seconds longer: the network is loaded then."
            )
