"""What can be done with one run: stop, resume, rename, download, delete; its configuration and its log.

    care(run)

A deletion is asked twice. A download is made on the click, since a run may have hundreds of megabytes.
"""

import tempfile
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from cxr_core.config import TrainConfig
from cxr_core.errors import CxrError
from cxr_core.findings import FINDINGS
from cxr_core.names import listed
from cxr_core.reports import Document, Text, html, markdown, model_card
from cxr_core.runs import Run, jobs, title
from cxr_core.runs.pinned import pin, pinned, unpin
from cxr_core.ui import download, escaped, guarded, state_badge, warnings_banner
from cxr_core.ui.link import drop
from cxr_core.ui.run.results import state_notice
from cxr_core.ui.sheet import sheet

LOG_LINES = 400


def care(run: Run) -> None:
    """Draw the run's state, the buttons that its state allows, its warnings, configuration and log."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(escaped(title(run)), anchor=False, width="content")
        state_badge(run.state)
    state_notice(run, here=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        _stop_or_resume(run)
        if run.state == "completed":
            for target, label, icon in (("5_Evaluate", "Evaluate", "analytics"), ("6_Predict", "Predict", "radiology")):
                link = f"pages/{target}.py"
                st.page_link(link, label=label, icon=f":material/{icon}:", query_params={"run": run.id})
        _rename(run)
        _pin(run)
        _download(run)
        delete(run)
    warnings_banner(run)
    configuration, log = st.tabs(["Configuration", "Log"])
    with configuration:
        sheet(config_table(run.config), hide_index=True, height="content")
    what = "findings" if run.task == FINDINGS else "classes"
    configuration.caption(f"Data set: {escaped(run.info.data)} · {what}: {escaped(', '.join(run.classes))}")
    lines = run.log.splitlines()
    log.code("\n".join(lines[-LOG_LINES:]) or "The log is empty so far.", language=None, height=360)
    if len(lines) > LOG_LINES:
        log.caption(f"The last {LOG_LINES} of {len(lines):,} lines; the download of the run has all.")


def _stop_or_resume(run: Run) -> None:
    if run.is_active:
        asked = run.stop_requested
        text = "Stopping" if asked else "Stop"
        if st.button(text, icon=":material/stop_circle:", disabled=asked, key=f"stop-{run.id}"):
            with guarded():
                jobs.stop(run)
                st.rerun()
    elif run.can_resume and st.button("Resume", icon=":material/play_arrow:", type="primary", key=f"resume-{run.id}"):
        with guarded():
            jobs.resume(run)
            st.rerun()


def _rename(run: Run) -> None:
    with st.popover("Rename", icon=":material/edit:"), st.form(f"rename-{run.id}", border=False):
        name = st.text_input("Name", value=run.name, max_chars=80, key=f"name-{run.id}")
        if st.form_submit_button("Save"):
            with guarded():
                run.rename(name)
                st.rerun()


def _pin(run: Run) -> None:
    """The button that makes Predict offer this run first, or that takes it back."""
    if run == pinned(run.path.parent).run:
        if st.button("Unpin", icon=":material/keep_off:", key=f"unpin-{run.id}"):
            unpin(run.path.parent)
            st.rerun()
    elif run.state == "completed" and st.button(
        "Pin", icon=":material/keep:", key=f"pin-{run.id}", help="Predict offers the pinned run first."
    ):
        with guarded():
            pin(run)
            st.rerun()


def _download(run: Run) -> None:
    with st.popover("Download", icon=":material/download:"):
        if run.weights_file.exists():
            label = f"Best weights ({megabytes(run.weights_file)})"
            download(label, run.weights_file.read_bytes, f"{run.id}.safetensors", None, "weights", run=run.id)
        label = f"The whole run ({megabytes(*run.path.iterdir())})"
        download(label, partial(zip_of, run), f"{run.id}.zip", "application/zip", "run", run=run.id)
        st.caption("Weights are safetensors of the trained part. A large run takes a moment before it begins.")
        if run.state == "completed":
            for name, suffix, kind in (("Markdown", ".md", "text/markdown"), ("HTML", ".html", "text/html")):
                download(
                    f"Model card, {name}",
                    partial(model_card_of, run, suffix),
                    f"{run.id}-model-card{suffix}",
                    kind,
                    "model card",
                    run=run.id,
                    key=f"card{suffix}-{run.id}",
                )
            st.caption("What it is for, its data, training, figures with intervals, limits, and what was not tested.")


def delete(run: Run) -> None:
    """Asked twice: the popover, then the box in it. Also for a run that cannot be read."""
    active = run.is_active
    with st.popover("Delete", icon=":material/delete:", disabled=active, help="Stop it first." if active else None):
        st.write(
            f"**{escaped(run.name)}** is deleted with its weights, curves, predictions and log. This cannot be undone."
        )
        sure = st.checkbox(f"Yes, delete {escaped(run.name)}", key=f"sure-{run.id}")
        if st.button("Delete for good", disabled=not sure, key=f"delete-{run.id}"):
            with guarded():
                name, was_pinned = run.name, run == pinned(run.path.parent).run
                run.delete()
                drop("run")
                if was_pinned:
                    unpin(run.path.parent)
                st.toast(f"Deleted {escaped(name)}.")
                st.rerun()


def zip_of(run: Run) -> bytes:
    """The run as a zip, in one copy."""
    with tempfile.TemporaryDirectory() as folder:
        return run.export_zip(Path(folder) / "run.zip").read_bytes()


def model_card_of(run: Run, suffix: str) -> str:
    """The run's model card in Markdown (``.md``) or HTML; where its files are damaged, the sentence that says so."""
    try:
        document = model_card(run)
    except CxrError as error:
        # A download has no page to show an error on.
        document = Document(f"Model card of {run.id}", "It could not be made.", (Text(str(error)),))
    return markdown.render(document) if suffix == ".md" else html.render(document)


def megabytes(*files: Path) -> str:
    """``59 MB``: the size of those that are files."""
    size = sum(file.stat().st_size for file in files if file.is_file()) / 1e6
    return f"{size:.0f} MB" if size >= 10 else f"{size:.1f} MB"


def config_table(config: TrainConfig) -> pd.DataFrame:
    """Every hyperparameter of a run with its group, value and meaning."""
    rows = []
    for name, field in TrainConfig.model_fields.items():
        value, extra = getattr(config, name), field.json_schema_extra
        said = ", ".join(map(str, value)) if isinstance(value, tuple) else listed(name, value)
        rows.append(
            {
                "Group": str(extra["group"]) if isinstance(extra, dict) else "",
                "Hyperparameter": name,
                "Value": said,
                "Meaning": field.description or "",
            }
        )
    return pd.DataFrame(rows)
