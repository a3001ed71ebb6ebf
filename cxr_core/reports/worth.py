"""What a model card says of the worth of a score: the audit, the controls, external data sets, viewings of the test.

blocks = [*audit_blocks(run), *external_blocks(run, externals(run)), *control_blocks(run), *left_out_blocks(run)]

Counts only: no file and no patient is named.
"""

from collections.abc import Mapping
from typing import Any

from cxr_core.audit import Audit
from cxr_core.audit.issues import SHORTCUT_SEES
from cxr_core.figures import UNDEFINED, compact, of, spelled
from cxr_core.findings import FINDINGS
from cxr_core.reports import scored
from cxr_core.reports.document import Block, Heading, Table, Text
from cxr_core.reports.verdict import NOT_AUDITED, audit_of, external_drops, verdict
from cxr_core.runs import Run, controls, left_out
from cxr_core.runs.external import External
from cxr_core.runs.viewings import sentence

_SEVERITIES = {"blocks": "blocks a training", "warns": "warns", "informs": "informs"}


def verdict_blocks(run: Run) -> list[Block]:
    """The verdict in one sentence."""
    return [Heading("What the score is worth"), Text(verdict(run).sentence, strong=True)]


def audit_blocks(run: Run) -> list[Block]:
    """Every issue of the audit that the run carries, and the scores that need no look at a lung."""
    audit = audit_of(run)
    if audit is None:
        return [Heading("Audit of the data set"), Text(NOT_AUDITED)]
    rows = [
        [
            _SEVERITIES.get(issue.severity, issue.severity),
            issue.kind,
            issue.message,
            f"{len(issue.files):,}" if issue.files else "",
        ]
        for issue in audit.issues
    ]
    return [
        Heading("Audit of the data set"),
        Text(f"The data set as this run splits it, {audit.facts['images']:,} images."),
        Table(("Severity", "Issue", "What was counted, and what it means", "Files"), rows, (3,)),
        Table(("", "Score", "Counted on"), _without_lungs(audit), (1,)),
    ]


def _without_lungs(audit: Audit) -> list[list[str]]:
    if "by_shortcut" in audit.facts:
        seen = SHORTCUT_SEES[bool(audit.facts.get("border_masked"))].capitalize()
        return [
            [
                f"{by} alone, ROC AUC of {row['finding']}",
                compact(row["roc_auc"], row["interval"]),
                f"{row['n']:,} images",
            ]
            for by, key in ((seen, "by_shortcut"), ("Source", "by_source"))
            for row in audit.facts.get(key) or []
        ]
    source, shortcut, cramer = (audit.facts.get(name) for name in ("source_only", "shortcut", "cramers_v"))
    rows = [["Source and class, Cramer's V (0 apart, 1 the same)", compact(cramer), "images of known source"]]
    rows.append(["Source alone, macro F1", *_score(source)])
    if source:
        rows.append(["Source alone, accuracy", compact(source.get("accuracy")), f"{source.get('n', 0):,} images"])
    seen = SHORTCUT_SEES[bool(audit.facts.get("border_masked"))].capitalize()
    rows.append([f"{seen} alone (shortcut), macro F1", *_score(shortcut)])
    if shortcut:
        rows.append(["The same by chance", compact(shortcut.get("chance_macro_f1")), ""])
    return rows


def _score(found: dict[str, Any] | None) -> list[str]:
    if not found or found.get("macro_f1") is None:
        return [UNDEFINED, "not known"]
    return [compact(found["macro_f1"], found.get("interval")), f"{found.get('n', 0):,} images"]


def external_blocks(run: Run, external: list[External]) -> list[Block]:
    """How often the internal test was viewed; each external data set, and the drop to it with its interval."""
    own = run.metrics("test") is not None
    blocks: list[Block] = [Text(sentence(run))] if own else []
    for one, (found, said) in zip(external, external_drops(run, external), strict=True):
        metrics, _ = one.measured
        blocks.append(Text(f"External: {one.name} ({one.facts.evaluated[:10]})", strong=True))
        blocks += scored.figures(metrics, run.task)
        if found:
            rows = [_drop(title, figure) for title, figure in _compared(found)]
            blocks.append(Table(("", "Internal test", one.name, "Drop (95 % interval)"), rows, (1, 2, 3)))
        blocks.append(Text(said))
        if one.facts.overlap:
            blocks.append(Text(one.facts.overlap))
    if not external:
        blocks.append(Text(f"{'Internal test only: n' if own else 'N'}o external data set was evaluated."))
    return blocks


def _compared(found: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What the two are compared by: of findings the area of each, and the mean over those that both can judge."""
    if "per_class" in found:
        areas = [(f"ROC AUC, {name}", found["per_class"][name]["roc_auc"]) for name in found["labels"]]
        return [("Macro ROC AUC", found["macro_roc_auc"]), *areas]
    return [("Accuracy", found["accuracy"]), ("Macro F1", found["macro_f1"])]


def _drop(title: str, found: dict[str, Any]) -> list[str]:
    sides = [compact(found[side], found[f"{side}_ci"]) for side in ("a", "b")]
    return [title, *sides, spelled(found["drop"], found["ci"])]


def control_blocks(run: Run) -> list[Block]:
    """The run's score beside what can be had without lungs, where that was measured."""
    found = controls.scores(run)
    if found is None:
        return [Heading("Controls"), Text(controls.NOT_MEASURED)]
    rows = [[bar.title, bar.written, f"{bar.n:,} {bar.on}", bar.meaning] for bar in found.bars]
    what = found.headline.title
    return [
        Heading("Controls"),
        Text(f"{controls.verdict(found)} {controls.PROTOCOL}"),
        Table(("", f"{what[0].upper()}{what[1:]} (95 % interval)", "Counted on", "Meaning"), rows),
        *([_without_lungs_by_finding(found)] if found.findings else []),
    ]


def _without_lungs_by_finding(found: controls.Scores) -> Table:
    """What the run and each control reach of each finding, and what remains of it without lungs."""
    kinds = [kind for kind in controls.TITLES if any(kind in row.areas for row in found.findings)]
    rows = [
        [row.name, *(compact(*row.areas.get(kind, (None, None))) for kind in kinds), row.said] for row in found.findings
    ]
    titles = [f"{controls.TITLES[kind]}, ROC AUC" for kind in kinds]
    return Table(("Finding", *titles, "Without lungs"), rows, tuple(range(1, len(kinds) + 1)))


def left_out_blocks(run: Run) -> list[Block]:
    """What was reached on each source without having seen it, or why that is not known."""
    found = left_out.scores(run)
    if found is None:
        return [Heading("Left-out sources"), Text(f"Not measured. {left_out.planned(run).message}")]
    made = _areas(found) if run.task == FINDINGS else [_right(found)]
    return [Heading("Left-out sources"), Text(f"{left_out.verdict(found)} {left_out.PROTOCOL}"), *made]


def _right(found: left_out.LeftOutScores) -> Table:
    seen = {row["source"]: row for row in found.seen}
    rows = [
        [
            row["source"],
            of(row["right"], row["n"]),
            compact(row["macro_f1"], row["ci"]["macro_f1"]),
            of(own["right"], own["n"]) if (own := seen.get(row["source"])) else "no test image",
        ]
        for row in found.rows
    ]
    return Table(("Source", "Right, never seen", "Macro F1 (95 % interval)", "Right, seen (test)"), rows, (1, 2, 3))


def _areas(found: left_out.LeftOutScores) -> list[Block]:
    """Of findings: each source, then what each finding loses."""
    seen = {row["source"]: row for row in found.seen}
    rows = [
        [
            row["source"],
            f"{row['n']:,}",
            compact(row["macro_roc_auc"], row["ci"]["macro_roc_auc"]),
            compact(own["macro_roc_auc"], own["ci"]["macro_roc_auc"])
            if (own := seen.get(row["source"]))
            else UNDEFINED,
            ", ".join(row["unlearnt"]),
        ]
        for row in found.rows
    ]
    titles = ("Source", "Images", "Macro ROC AUC, never seen", "The run's, seen (test)", "Not learnt without it")
    blocks: list[Block] = [Table(titles, rows, (1, 2, 3))]
    if found.difference:
        lost = [
            [
                name,
                of(row["positives"], row["n"]),
                compact(row["roc_auc"]),
                compact(row["left_out"]),
                spelled(row["difference"], row["ci"]),
            ]
            for name, row in found.difference["per_finding"].items()
        ]
        titles = ("Finding", "With it (test)", "ROC AUC, seen", "Never seen", "Lost (95 % interval)")
        blocks.append(Table(titles, lost, (1, 2, 3, 4)))
    return blocks
