"""Audit: what a score on a data set is worth; what was found, in pictures, and how to fix it."""

from typing import Any

import pandas as pd
import streamlit as st

from cxr_core import ui
from cxr_core.audit import Audit
from cxr_core.figures import compact
from cxr_core.glossary import meaning
from cxr_core.ui.audit import audited, fixes_list, issues_list, verdict
from cxr_core.ui.sheet import sheet


def figures(found: Audit) -> None:
    """The scores that need no look at a lung."""
    if "by_shortcut" in found.facts:
        given_away(found.facts)
        return
    source, shortcut = found.facts["source_only"], found.facts["shortcut"]
    with st.container(key="numbers-audit"):
        counted = f"{source['n']:,} {'test images' if source['split'] == 'test' else 'images'}" if source else None
        ui.metric(
            "Source alone, macro F1",
            source and source["macro_f1"],
            counted or "fewer than two sources known",
            help="What predicting the commonest class of each source reaches.",
        )
        chance = shortcut["chance_macro_f1"]
        ui.metric(
            "Shortcut, macro F1",
            shortcut["macro_f1"],
            f"chance {chance:.3f}, {shortcut['n']:,} images" if chance else "too few patients of a class",
            help="What a simple model reaches from size, file, brightness and border, cross-validated by patient.",
        )
        ui.metric(
            "Source and class",
            found.facts["cramers_v"],
            "0 unrelated, 1 the same",
            help="Cramer's V. " + meaning("Cramer's V"),
        )
        ui.metric("Pairs of one picture", f"{len(found.facts['duplicates']):,}", f"in {found.facts['images']:,} images")


def given_away(facts: dict[str, Any]) -> None:
    """How well each finding is told without a look at a lung."""
    with st.container(key="numbers-audit"):
        for title, key, lacking in (
            ("By size, file and brightness", "by_shortcut", ""),
            ("By the source alone", "by_source", "fewer than two sources known"),
        ):
            judged = [row for row in facts[key] or [] if row["roc_auc"] is not None]
            best = max(judged, key=lambda row: row["roc_auc"], default=None)
            said = f"{best['finding']}, {best['n']:,} images" if best else "too few patients with any finding"
            ui.metric(
                title,
                best and best["roc_auc"],
                lacking if facts[key] is None else said,
                help="The highest ROC AUC of a finding that a simple model reaches, cross-validated by patient; 0.5 is "
                "guessing.",
            )
        ui.metric("Pairs of one picture", f"{len(facts['duplicates']):,}", f"in {facts['images']:,} images")


def told(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """A row per finding: how well it is told, and on how many images that was counted."""
    table = pd.DataFrame(rows)
    ends = [compact(row["roc_auc"], row["interval"]) for row in rows]
    return pd.DataFrame({"ROC AUC (95 %)": ends, "with it": table["positives"], "images": table["n"]}).set_axis(
        table["finding"], axis=0
    )


def tables(found: Audit) -> None:
    """What the figures come from."""
    with st.expander("What the figures come from"):
        sources = pd.DataFrame(found.facts["sources"]).T.rename_axis("source")
        if sources.empty:
            st.caption("No source is known: a sources.csv beside the folders would say.")
        else:
            st.markdown("Images by source and class" if found.facts["shortcut"] else "Images with a finding, by source")
            sheet(sources)
        for title, key in (("By size, file and brightness", "by_shortcut"), ("By the source alone", "by_source")):
            if found.facts.get(key):
                st.markdown(f"{title}, each finding")
                sheet(told(found.facts[key]))
        carried = pd.Series((found.facts["shortcut"] or {}).get("by_feature", {}), dtype=float)
        left, right = st.columns(2)
        if len(carried):
            with left:
                st.markdown("Macro F1 that the shortcut loses without")
                sheet(carried.rename_axis("feature").rename("lost").round(3))
        widths = pd.Series(found.facts["widest_interval"], dtype=float)
        if len(widths):
            with right:
                st.markdown("Recall may be off by (95 %, at its widest)")
                sheet((100 * widths).map("{:.0f} points".format).rename_axis("class").rename("either way"))


ui.page("Audit", ":material/fact_check:")
with ui.guarded():
    dataset = ui.open_dataset()
    if dataset is not None:
        fixed, found = audited(dataset)
        verdict(found)
        fixes_list(dataset)
        figures(found)
        tables(found)
        issues_list(dataset, fixed, found)
