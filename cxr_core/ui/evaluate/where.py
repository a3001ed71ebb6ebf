"""Where the run looks, over its test split: the button that measures it, then the verdict, a chart, what it rests on.

where_view(run)
"""

import streamlit as st

from cxr_core.charts.sides import Row, side_by_side
from cxr_core.errors import CxrError
from cxr_core.figures import counted, of
from cxr_core.images.lungs import APPROXIMATE
from cxr_core.runs import Run, lung_heat
from cxr_core.runs.records import HeatShare, LungHeatNote
from cxr_core.ui import escaped, guarded, progress_bar
from cxr_core.ui.evaluate.classes import NO_BAR

SIDES = ("heat in the lungs", "lungs of the square")
# A run may have many findings: those with the most maps are drawn.
DRAWN = 12


def where_view(run: Run) -> None:
    """What stands below the controls."""
    st.markdown("**Where it looks**")
    with guarded():
        note = lung_heat.read(run)
        if note is not None:
            _shown(note)
        else:
            st.write(
                "The share of each heat map that lies in the lungs, against the share of the picture that the lungs "
                "are, on up to 200 test images."
            )
        if run.imported:
            st.caption("This run came without its images: it cannot be measured here.")
            return
        title = "Measure where it looks" if note is None else "Measure again"
        if st.button(title, icon=":material/center_focus_strong:", key="where-measure"):
            _measure(run)


def _measure(run: Run) -> None:
    # The click runs the page anew, which ends the work.
    with progress_bar("Heat maps", "images", stop=lambda: None) as report:
        # Brings torch.
        from cxr_core.inference import looked

        try:
            looked(run, progress=report)
        except CxrError as error:
            st.error(escaped(str(error)), icon=":material/error:")
            return
    st.rerun()


def _shown(note: LungHeatNote) -> None:
    (st.info if note.favours else st.warning)(escaped(note.sentence), icon=":material/center_focus_strong:")
    rows = rows_of(note)
    if rows:
        st.plotly_chart(side_by_side(rows, SIDES, "Share"), key="where-chart", config=NO_BAR)
    st.caption(
        escaped(
            f"{of(note.images, note.of)} test images, the map of each decision; lungs not found for sure: "
            f"{counted(note.unsure, 'image')}; maps without heat: {note.empty}; not readable: "
            f"{counted(note.unreadable, 'image')}. Whiskers: 95 % interval, by patient. {APPROXIMATE}"
        )
    )


def rows_of(note: LungHeatNote) -> list[Row]:
    """All maps, right and wrong decisions, then each class: the most maps first."""
    classes = sorted(note.per_class.items(), key=lambda pair: -pair[1].maps)[:DRAWN]
    named = [("All", note.overall), ("Right decisions", note.right), ("Wrong decisions", note.wrong), *classes]
    return [_row(title, share) for title, share in named if share is not None]


def _row(title: str, share: HeatShare) -> Row:
    ends = (share.share_ci[0], share.share_ci[1]) if share.share_ci else None
    said = f"{counted(share.maps, 'map')} of {counted(share.patients, 'patient')}"
    return Row(title, (share.share, share.area), (ends, None), (said, said))
