"""A completed run reads uploaded X-rays: for each the picture, the probabilities, the decision and its rule."""

import streamlit as st

from cxr_core import charts, ui
from cxr_core.training.runs import Run
from cxr_core.ui import results, uploads
from cxr_core.ui.frame import escaped

CARDS = 6


def card(upload: uploads.UploadedFile, prediction: "uploads.Prediction", thresholds: dict[str, float]) -> None:
    """One upload: picture and prediction, or what is wrong with the file."""
    with st.container(border=True):
        if prediction.error or prediction.probabilities is None:
            st.error(escaped(prediction.error or "No prediction was made."), icon=":material/error:")
            return
        left, right = st.columns([2, 3])
        with left:
            st.image(uploads.picture(upload), caption=escaped(prediction.file), width="stretch")
        with right:
            ui.metric("Decision", prediction.label or None)
            st.caption(escaped(prediction.rule))
            st.plotly_chart(
                charts.probabilities(prediction.probabilities, prediction.label or "", thresholds),
                key=f"bars-{upload.file_id}",
            )


def table(run: Run, predictions: "list[uploads.Prediction]") -> None:
    """All uploads in one table, and its CSV."""
    frame = uploads.prediction_table(predictions, run.classes)
    good = sum(prediction.error is None for prediction in predictions)
    st.write(f"**Predictions for {ui.of(good, len(predictions))} files**")
    st.dataframe(frame, hide_index=True, column_config=uploads.prediction_columns(run.classes))
    st.download_button(
        "Table as CSV", frame.to_csv(index=False), f"{run.id}-predictions.csv", "text/csv", on_click="ignore"
    )


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
            limits = results.thresholds(run)
            pages = -(-len(files) // CARDS)
            page = st.pagination(pages, key=f"page-{pages}") if pages > 1 else 1
            shown = slice((page - 1) * CARDS, page * CARDS)
            for upload, prediction in zip(files[shown], predictions[shown], strict=True):
                card(upload, prediction, limits)
        else:
            st.caption(
                "The first prediction after the server starts takes some seconds longer: the network is loaded then."
            )
