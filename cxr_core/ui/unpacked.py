"""The zips that were unpacked on this machine: where they are, how large, and Delete.

    unpacked_zips()

A deletion is asked twice, and names the runs that lose their images by it.
"""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from cxr_core.data.unpacked import Upload, uploads, uploads_dir
from cxr_core.runs.needs import delete_upload, users
from cxr_core.runs.run import Run, list_runs
from cxr_core.settings import runs_dir
from cxr_core.ui.cached import forget_scans
from cxr_core.ui.frame import escaped, guarded

MAX_SHOWN = 30


def unpacked_zips() -> None:
    """A fold-out with a row for each; nothing where there is none."""
    found = uploads()
    if not found:
        return
    sizes = [_size(str(upload.path), upload.path.stat().st_mtime_ns) for upload in found]
    runs = list_runs(runs_dir())
    with st.expander(
        f"Unpacked zips: {len(found)}, {_in_words(sum(size for size, _ in sizes))}", icon=":material/inventory_2:"
    ):
        st.caption(f"They stay in {escaped(str(uploads_dir()))} until somebody deletes them.")
        for upload, (size, files) in list(zip(found, sizes, strict=True))[:MAX_SHOWN]:
            _row(upload, size, files, users(upload, runs), runs)
        if len(found) > MAX_SHOWN:
            st.caption(
                f"{MAX_SHOWN} of {len(found)}, the latest. `python -m cxr_core uploads` lists and deletes them all."
            )


def _row(upload: Upload, size: int, files: int, losing: Sequence[Run], runs: Sequence[Run]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        count = f"used by {len(losing)} {'run' if len(losing) == 1 else 'runs'}" if losing else "used by no run"
        facts = f"{_in_words(size)}, {files:,} files, unpacked {upload.unpacked:%d %b %Y}, {count}"
        st.markdown(f"**{escaped(upload.name)}**: {facts}", width="stretch")
        busy = next((run for run in losing if run.is_active), None)
        hint = f"Run {busy.id} is at work on it, or waits for that." if busy else None
        with st.popover("Delete", icon=":material/delete:", disabled=busy is not None, help=hint):
            st.write(f"**{escaped(upload.name)}** goes for good: {files:,} files, {_in_words(size)}.")
            if losing:
                names = ", ".join(escaped(run.name) for run in losing[:5])
                more = f" and {len(losing) - 5} more" if len(losing) > 5 else ""
                st.write(f"Figures and answers stay, the images are lost to: {names}{more}. A stopped run needs them.")
            sure = st.checkbox("Yes, delete it", key=f"sure-{upload.name}")
            if st.button("Delete for good", disabled=not sure, key=f"delete-{upload.name}"):
                with guarded():
                    delete_upload(upload, runs)
                    forget_scans()
                    _forget_choice(upload.path)
                    st.toast(f"Deleted {escaped(upload.name)}.")
                    st.rerun()


def _forget_choice(folder: Path) -> None:
    """So that the page does not open next what was just deleted."""
    for key in ("data", "data-seen"):
        chosen = st.session_state.get(key)
        path = chosen[1] if isinstance(chosen, tuple) else chosen
        if path and Path(path).is_relative_to(folder):
            del st.session_state[key]
    if (linked := st.query_params.get("data")) and Path(linked).is_relative_to(folder):
        del st.query_params["data"]


@st.cache_data(max_entries=500, show_spinner=False)
def _size(path: str, changed: int) -> tuple[int, int]:
    upload = Upload(Path(path))
    return upload.bytes, upload.files


def _in_words(size: int) -> str:
    if size < 1e6:
        return f"{size / 1e3:,.0f} kB"
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
