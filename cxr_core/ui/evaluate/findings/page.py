"""The page as a whole: what one reads first, then the section that is chosen; only that one computes."""

from cxr_core.runs import Run
from cxr_core.ui.evaluate.findings.compare import compare_section
from cxr_core.ui.evaluate.findings.controls import findings_controls_section
from cxr_core.ui.evaluate.findings.external import findings_external_section
from cxr_core.ui.evaluate.findings.headline import findings_headline
from cxr_core.ui.evaluate.findings.one import one_section
from cxr_core.ui.evaluate.findings.operating import operating_section
from cxr_core.ui.evaluate.findings.pairs import together_section
from cxr_core.ui.evaluate.findings.replay import replay_section
from cxr_core.ui.evaluate.findings.sources import findings_sources_section
from cxr_core.ui.evaluate.findings.table import table_section
from cxr_core.ui.evaluate.parts import subgroups_section
from cxr_core.ui.evaluate.sections import pick_section
from cxr_core.ui.evaluate.site import site_section
from cxr_core.ui.run import cached_measured

SECTIONS = (
    "All findings",
    "One finding",
    "Operating point",
    "Subgroups",
    "Sources",
    "Together",
    "Epochs",
    "Compare",
    "Controls",
    "Other data sets",
    "Fit to my hospital",
)


def findings_page(run: Run, split: str) -> None:
    """Raises RunError where the split was not evaluated, or where what is kept of it is not whole."""
    report, table = cached_measured(run, split)
    findings_headline(run, report, table, split)
    # A key of its own: the sections of a run of classes have other names.
    section = pick_section(SECTIONS, key="findings-section")
    if section == "All findings":
        table_section(run, report, table, split)
    elif section == "One finding":
        one_section(run, report, table, split)
    elif section == "Operating point":
        operating_section(run, split)
    elif section == "Subgroups":
        subgroups_section(run, split)
    elif section == "Sources":
        findings_sources_section(run, table, split)
    elif section == "Fit to my hospital":
        site_section(run)
    elif section == "Together":
        together_section(run, split)
    elif section == "Epochs":
        replay_section(run, report["classes"])
    elif section == "Compare":
        compare_section(run, split)
    elif section == "Controls":
        findings_controls_section(run)
    else:
        findings_external_section(run)
