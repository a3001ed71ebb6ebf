"""The first thing on Home: drop an X-ray, and be taken to its answer; or a drawn sample, for who has none at hand.

drop_here()
"""

import streamlit as st

from cxr_core.data.uploads import members
from cxr_core.demo import Sample, samples
from cxr_core.figures import counted
from cxr_core.findings import FINDINGS
from cxr_core.runs import Run
from cxr_core.runs.pinned import answers_first
from cxr_core.settings import runs_dir
from cxr_core.ui import escaped
from cxr_core.ui.predict import uploads
from cxr_core.ui.warm import warm_up

_PREDICT = "pages/6_Predict.py"
_NOT_AN_XRAY = "A program drew it: it is no X-ray. A run that learnt from X-rays will mostly withhold its answer."


def drop_here() -> None:
    """Draw it; says what to do where no run can answer yet. Raises RunError."""
    with st.container(border=True, key="drop-here"):
        st.subheader("Drop an X-ray here", anchor=False)
        run = answers_first(runs_dir())
        if run is None:
            st.write(
                "No run can answer yet. **Quick start** trains one on drawings in about a minute; or train one on a "
                "folder of your own."
            )
            return
        warm_up()
        files = st.file_uploader(
            "PNG, JPEG, TIFF, BMP, WebP or DICOM, one or many, or zips of them",
            type=None,
            accept_multiple_files=True,
            key="home-uploads",
            help=uploads.PRIVACY,
        )
        st.caption(escaped(f"{run.name} answers, trained on {run.info.dataset_name}."))
        _samples(run)
    if files:
        found = uploads.read(files)
        if uploads.keep(found, sum(file.size for file in files)):
            st.switch_page(_PREDICT, query_params={"run": run.id})
        st.warning(
            f"{counted(len(files), 'file')} of more than {uploads.KEPT_BYTES >> 20} MB together: drop them on Predict.",
            icon=":material/upload:",
        )
        st.page_link(_PREDICT, label="Predict", icon=":material/upload:", query_params={"run": run.id})


def _samples(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("None at hand? A drawing:", width="content")
        for sample in _drawn(run.task == FINDINGS):
            if st.button(sample.title, icon=":material/brush:", key=f"sample-{sample.file}", help=_NOT_AN_XRAY):
                found = members(sample.file, sample.content, sample.file)
                uploads.keep(found, len(sample.content))
                st.switch_page(_PREDICT, query_params={"run": run.id})


@st.cache_data(show_spinner=False)
def _drawn(findings: bool) -> list[Sample]:
    return samples(findings)
