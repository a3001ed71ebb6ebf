"""The zips that were unpacked on this machine: where they are, how large, and Delete.

    unpacked_section()

A deletion is asked twice, and names the runs that lose their images by it.
"""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from cxr_core.data.unpacked import Unpacked, unpacked_dir, unpacked_zips
from cxr_core.runs import Run, list_runs
from cxr_core.runs.needs import delete_unpacked, users
from cxr_core.settings import Stamp, runs_dir, stamp
from cxr_core.ui.cached import forget_scans
from cxr_core.ui.frame import escaped, guarded

MAX_SHOWN = 30


def unpacked_section() -> None:
    """A fold-out with a row for each; nothing where there is none."""
    found = unpacked_zips()
    if not found:
        return
    sizes = [_size(str(unpacked.path), stamp(unpacked.path)) for unpacked in found]
    runs = list_runs(runs_dir())
    with st.expander(
        f"Unpacked zips: {len(found)}, {_in_words(sum(size for size, _ in sizes))}", icon=":material/inventory_2:"
    ):
        st.caption(f"They stay in {escaped(str(unpacked_dir()))} until somebody deletes them.")
        for unpacked, (size, files) in list(zip(found, sizes, strict=True))[:MAX_SHOWN]:
            _row(unpacked, size, files, users(unpacked, runs), runs)
        if len(found) > MAX_SHOWN:
            st.caption(
                f"{MAX_SHOWN} of {len(found)}, the latest. `python -m cxr_core unpacked` lists and deletes them all."
            )


def _row(unpacked: Unpacked, size: int, files: int, losing: Sequence[Run], runs: Sequence[Run]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        count = f"used by {len(losing)} {'run' if len(losing) == 1 else 'runs'}" if losing else "used by no run"
        facts = f"{_in_words(size)}, {files:,} files, unpacked {unpacked.time:%d %b %Y}, {count}"
        st.markdown(f"**{escaped(unpacked.name)}**: {facts}", width="stretch")
        busy = next((run for run in losing if run.is_active), None)
        hint = f"Run {busy.id} is at work on it, or waits for that." if busy else None
        with st.popover("Delete", icon=":material/delete:", disabled=busy is not None, help=hint):
            st.write(f"**{escaped(unpacked.name)}** is deleted from this machine: {files:,} files, {_in_words(size)}.")
            if losing:
                names = ", ".join(escaped(run.name) for run in losing[:5])
                more = f" and {len(losing) - 5} more" if len(losing) > 5 else ""
                st.write(f"Figures and answers stay, the images are lost to: {names}{more}. A stopped run needs them.")
            sure = st.checkbox("Yes, delete it", key=f"sure-{unpacked.name}")
            if st.button("Delete for good", disabled=not sure, key=f"delete-{unpacked.name}"):
                with guarded():
                    delete_unpacked(unpacked, runs)
                    forget_scans()
                    _forget_choice(unpacked.path)
                    st.toast(f"Deleted {escaped(unpacked.name)}.")
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
def _size(path: str, changed: Stamp) -> tuple[int, int]:
    unpacked = Unpacked(Path(path))
    return unpacked.bytes, unpacked.files


def _in_words(size: int) -> str:
    if size < 1e6:
        return f"{size / 1e3:,.0f} kB"
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
