"""What ``python -m cxr_core audit --run RUN`` does: trainings that go with a run, and what it is worth beside them."""

import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from cxr_core.activity import record
from cxr_core.cli.output import chosen_run, print_json
from cxr_core.cli.telling import telling
from cxr_core.figures import compact, counted, spelled
from cxr_core.runs import Run, controls, left_out, title
from cxr_core.runs.companions import CONTROLS, LEFT_OUT, MACRO_ROC_AUC
from cxr_core.runs.controls import TITLES, Scores
from cxr_core.runs.left_out import LeftOutScores

ONLY = {"controls": CONTROLS, "left-out": LEFT_OUT, "sources": LEFT_OUT}


def add(parser: ArgumentParser) -> None:
    """The flag of ``--run`` alone."""
    parser.add_argument(
        "--only", choices=ONLY, help="with --run: these trainings alone; sources is left-out's older name"
    )


def experiments(options: Namespace) -> int:
    """Train what goes with a run, where it is not measured yet, and print what the run is worth beside it."""
    # Brings torch.
    from cxr_core.training import measure_controls, measure_left_out

    run = chosen_run(options)
    asked = {ONLY[options.only].name} if options.only else {CONTROLS.name, LEFT_OUT.name}
    record("trained", " and ".join(sorted(asked)), run=run.id, runs=run.path.parent)
    plan = left_out.planned(run)
    # What a training says of itself goes where it does not mix with the result.
    with telling(sys.stderr):
        done = CONTROLS.name not in asked or measure_controls(run)
        # Asked for alone, it fails where it cannot be done.
        if done and LEFT_OUT.name in asked and (options.only or plan.companions):
            done = measure_left_out(run)
    if not done:
        print("error: this was stopped before its end; the same command goes on with it", file=sys.stderr)
        return 1
    found = controls.scores(run) if CONTROLS.name in asked else None
    without = left_out.scores(run) if LEFT_OUT.name in asked else None
    if options.json:
        document: dict[str, Any] = {"run": run.id}
        if found:
            document |= {**found.as_json(), "verdict": controls.verdict(found)}
        if LEFT_OUT.name in asked:
            document["sources"] = without.as_json() if without else {"message": plan.message}
        print_json(document)
        return 0
    if found:
        _print_controls(run, found)
    if without:
        _print_left_out(without)
    elif LEFT_OUT.name in asked:
        print(plan.message)
    return 0


def _print_controls(run: Run, found: Scores) -> None:
    what = found.headline.title
    print(f"Run {title(run)}, {what} with 95 % interval by patient; guessing would reach {found.chance:.2f}")
    for bar in found.bars:
        print(f"{bar.title:<14} {bar.written}  {bar.n:,} {bar.on}. {bar.meaning}")
    if found.findings:
        _print_findings(found)
    print(controls.verdict(found))


def _print_findings(found: Scores) -> None:
    """The area of each finding, a column for each bar, and what remains of it."""
    kinds = [kind for kind in TITLES if any(kind in row.areas for row in found.findings)]
    width = max(len(row.name) for row in found.findings) + 2
    print("\nROC AUC\n" + " " * width + "".join(f"{TITLES[kind]:>15}" for kind in kinds))
    for row in found.findings:
        cells = [compact(row.areas.get(kind, (None, None))[0], digits=2) for kind in kinds]
        print(f"{row.name:{width}}" + "".join(f"{cell:>15}" for cell in cells) + f"  {row.said}")


def _print_left_out(without: LeftOutScores) -> None:
    print("\nEach source left out of training in turn, then tested on")
    seen = {row["source"]: row for row in without.seen}
    line = _areas if without.headline == MACRO_ROC_AUC else _right
    for row in without.rows:
        print(line(row, seen.get(row["source"])))
    for source, reason in without.skipped.items():
        print(f"{source}: not left out, {reason}")
    print(left_out.verdict(without))


def _right(row: dict[str, Any], own: dict[str, Any] | None) -> str:
    beside = f"; the run, which had seen it, {own['right']} of {own['n']}" if own else ""
    return f"{row['source']}: {row['right']} of {row['n']} correct, macro F1 {row['macro_f1']:.3f}{beside}"


def _areas(row: dict[str, Any], own: dict[str, Any] | None) -> str:
    beside = f"; the run, which had seen it, {_area(own)}" if own else ""
    left = f". Not learnt without it: {', '.join(row['unlearnt'])}" if row["unlearnt"] else ""
    return f"{row['source']}: macro ROC AUC {_area(row)}{beside}{left}"


def _area(row: dict[str, Any]) -> str:
    value = row["macro_roc_auc"]
    area = "not defined" if value is None else spelled(value, row["ci"]["macro_roc_auc"])
    return f"{area} over {counted(len(row['counted']), 'finding')} on {counted(row['n'], 'image')}"
