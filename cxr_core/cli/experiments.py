"""What ``python -m cxr_core audit --run RUN`` does: trainings that go with a run, and what it is worth beside them."""

import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from cxr_core.activity import record
from cxr_core.cli.output import chosen_run, print_json
from cxr_core.cli.telling import telling
from cxr_core.runs import Run, controls, left_out, title
from cxr_core.runs.companions import CONTROLS, LEFT_OUT
from cxr_core.runs.controls import Scores
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
    print(f"Run {title(run)}, macro F1 with 95 % interval by patient; guessing would reach {found.chance:.2f}")
    for bar in found.bars:
        print(f"{bar.title:<14} {bar.written}  {bar.n:,} {bar.on}. {bar.meaning}")
    print(controls.verdict(found))


def _print_left_out(without: LeftOutScores) -> None:
    print("\nEach source left out of training in turn, then tested on")
    seen = {row["source"]: row for row in without.seen}
    for row in without.rows:
        own = seen.get(row["source"])
        beside = f"; the run, which had seen it, {own['right']} of {own['n']}" if own else ""
        print(f"{row['source']}: {row['right']} of {row['n']} correct, macro F1 {row['macro_f1']:.3f}{beside}")
    for source, reason in without.skipped.items():
        print(f"{source}: not left out, {reason}")
    print(left_out.verdict(without))
