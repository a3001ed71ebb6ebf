"""What an issue of the audit rests on: its pictures side by side, what differs said below them, and its files.

evidence(dataset, found, issue)       # pairs and patients as groups, odd pictures as tiles, unreadable files as text

Two pictures of a group open beside each other in the viewer.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.audit import Audit, Issue
from cxr_core.audit.kinds import KINDS
from cxr_core.data import Dataset
from cxr_core.errors import ImageError
from cxr_core.figures import of
from cxr_core.images import read_bytes
from cxr_core.ui import escaped, guarded, thumbnail
from cxr_core.ui.sheet import sheet
from cxr_core.ui.viewer import Picture, viewer

GROUPS_SHOWN, PICTURES_SHOWN = 4, 5
# What stands below a picture: column -> how it is written.
FACTS = {"split": "{}", "label": "{}", "source": "{}", "patient": "patient {}", "size": "{}", "age": "age {}"}
NO_SPLIT = "no split"
NBSP = "\N{NO-BREAK SPACE}"
PLAIN_FACTS = ("split", "label")


def evidence(dataset: Dataset, found: Audit, issue: Issue) -> None:
    """Pictures and files of an issue; nothing where it is about no file."""
    if not issue.files:
        return
    samples = dataset.samples[dataset.samples["file"].isin(issue.files)]
    rows = {row["file"]: _described(row, dataset.wrong_ages) for row in samples.to_dict("records")}
    readable = [rows[file] for file in issue.files if file in rows]
    hidden = len(issue.groups) > 0 or len(readable) > PICTURES_SHOWN
    if issue.groups:
        _groups(dataset, found, issue, rows)
    elif readable:
        count = _shown(issue.kind, PICTURES_SHOWN)
        _pictures(
            dataset,
            readable[:count],
            (*PLAIN_FACTS, *KINDS[issue.kind].shown),
            f"tiles-{_key(issue.kind)}",
            issue,
        )
        _more(issue.kind, count, len(readable), "images")
    unreadable = dict(dataset.unreadable[["file", "reason"]].itertuples(index=False))
    reasons = {file: unreadable.get(file, "gone or damaged since") for file in issue.files if file not in rows}
    for file, reason in [*reasons.items()][:PICTURES_SHOWN]:
        st.caption(f"**{escaped(file)}**  \n{escaped(reason)}")
    if hidden or len(reasons) > PICTURES_SHOWN:
        listed = pd.DataFrame([_listed(file, rows.get(file), reasons.get(file, "")) for file in issue.files])
        with st.expander(f"All {len(listed):,} files"):
            sheet(listed.loc[:, (listed != "").any()], hide_index=True)


def _described(row: Mapping[str, Any], wrong_ages: Mapping[str, str]) -> dict[str, str]:
    """A sample as texts, "" for what is unknown."""
    age = wrong_ages.get(row["file"], "" if pd.isna(row["age"]) else f"{row['age']:.3g}")
    facts = {name: str(row[name]) for name in ("file", "label", "patient", "source")}
    return {
        **facts,
        "age": age,
        "split": row["split"] or NO_SPLIT,
        "size": f"{row['width']}{NBSP}×{NBSP}{row['height']}{NBSP}px",
    }


def _listed(file: str, row: Mapping[str, str] | None, reason: str) -> dict[str, str]:
    row = row or {}
    columns = {"split": "split", "label": "class", "patient": "patient", "source": "source", "age": "age"}
    return {"file": file, **{title: row.get(name, "") for name, title in columns.items()}, "reason": reason}


def _groups(dataset: Dataset, found: Audit, issue: Issue, rows: Mapping[str, dict[str, str]]) -> None:
    """Pictures that belong together, each group in a box of its own."""
    pairs = {frozenset((pair["a"], pair["b"])): pair for pair in found.facts["duplicates"]}
    count = _shown(issue.kind, GROUPS_SHOWN)
    groups = [[rows[file] for file in group if file in rows] for group in issue.groups]
    with st.container(key=f"groups-{_key(issue.kind)}"):
        for number, group in enumerate(groups[:count]):
            with st.container(border=True, gap="xsmall"):
                st.markdown(escaped(_title(group, pairs)))
                _pictures(
                    dataset,
                    group[:PICTURES_SHOWN],
                    [name for name in FACTS if name in PLAIN_FACTS or _differ(group, name)],
                    f"pictures-{_key(issue.kind)}-{number}",
                    issue,
                )
                if len(group) > PICTURES_SHOWN:
                    st.caption(f"{PICTURES_SHOWN} of its {len(group):,} images are shown.")
                if len(group) > 1 and st.button(
                    "Compare",
                    key=f"compare-{_key(issue.kind)}-{number}",
                    type="tertiary",
                    icon=":material/compare:",
                    help="Two of them beside each other, large",
                ):
                    _compared(dataset, [row["file"] for row in group])
    _more(issue.kind, count, len(groups), "groups")


def _title(group: Sequence[Mapping[str, str]], pairs: Mapping[frozenset[str], Mapping[str, Any]]) -> str:
    """What joins the files of a group: ``Near copy, mirrored, 4 of 64 bits differ``, ``Patient p0012 · 3 images``. The
    bits are those of the perceptual hashes.
    ."""
    files = [row["file"] for row in group]
    within = [pair for names, pair in pairs.items() if names <= set(files)]
    if not within:
        return f"Patient {group[0]['patient']} · {len(files):,} images"
    patients = {row["patient"] for row in group}
    whose = f" · all of patient {patients.pop()}" if len(patients) == 1 and "" not in patients else ""
    if len(within) > 1:
        exact = sum(pair["kind"] == "exact" for pair in within)
        return f"{len(files):,} copies of one picture, {exact:,} pairs exact, {len(within) - exact:,} near{whose}"
    (pair,) = within
    whose = whose.replace("all of", "both of")
    if pair["kind"] == "exact":
        return f"Exact copy, the same file content{whose}"
    return f"Near copy{', mirrored' if pair['mirrored'] else ''}, {pair['distance']} of 64 bits differ{whose}"


def _pictures(
    dataset: Dataset, rows: Sequence[Mapping[str, str]], facts: Sequence[str], key: str, issue: Issue
) -> None:
    """Tiles; below each its name and facts, in bold those in which the pictures differ."""
    differing = {name for name in facts if issue.groups and _differ(rows, name)}
    with st.container(key=key):
        for row in rows:
            with st.container(gap=None):
                try:
                    picture = thumbnail(dataset.path(row["file"]), colour=KINDS[issue.kind].colour)
                    st.image(picture, width="stretch", alt=row["file"])
                except ImageError as error:
                    st.caption(escaped(str(error)))
                written = {name: escaped(FACTS[name].format(row[name])) for name in facts if row[name]}
                said = " · ".join(f"**{text}**" if name in differing else text for name, text in written.items())
                st.caption(f"{escaped(row['file'].rsplit('/', 1)[-1])}  \n{said}")


@st.dialog("Compare", width="large")
def _compared(dataset: Dataset, files: list[str]) -> None:
    """Two pictures of a group beside each other in the viewer; of more than two, which ones is chosen."""
    pair = files[:2]
    if len(files) > 2:
        places = st.columns(2)
        pair = [
            place.selectbox(side, files, at, key=f"compared-{side}")
            for at, (place, side) in enumerate(zip(places, ("Left", "Right"), strict=True))
        ]
    with guarded():
        left, right = (Picture(read_bytes(dataset.path(file)), file) for file in pair)
        viewer(left, key="compared", label=" and ".join(pair), beside=right)


def _differ(rows: Sequence[Mapping[str, str]], name: str) -> bool:
    """Whether the pictures are known to differ in this."""
    values = {row[name] for row in rows}
    return len(values) > 1 and "" not in values


def _key(kind: str) -> str:
    return kind.replace(" ", "-")


def _shown(kind: str, first: int) -> int:
    return int(st.session_state.get(f"shown-{kind}", first))


def _more(kind: str, count: int, total: int, what: str) -> None:
    """How many are not shown, and the button that shows more of them."""
    if total > count:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{of(count, total)} {what} are shown.", width="content")
            st.button(
                "Show more",
                key=f"more-{kind}",
                type="tertiary",
                icon=":material/expand_more:",
                on_click=st.session_state.update,
                args=({f"shown-{kind}": count + 12},),
            )
