"""The commands on runs as they lie there: ``runs``, ``pin``."""

from argparse import Namespace
from typing import Any

from cxr_core.cli import flags
from cxr_core.cli.output import chosen_run, print_json, runs_folder
from cxr_core.errors import CxrError
from cxr_core.evaluation import balance
from cxr_core.findings import FINDINGS
from cxr_core.names import friendly
from cxr_core.runs import Run, list_runs, overlaps, title, viewings
from cxr_core.runs.pinned import pin as set_pin
from cxr_core.runs.pinned import pinned, unpin
from cxr_core.runs.starter import installed

RUN_COLUMNS = (
    "id",
    "name",
    "path",
    "state",
    "error",
    "backbone",
    "data",
    "epochs_done",
    "epochs",
    "best_val_macro_f1",
    "test_accuracy",
    "test_macro_f1",
    "test_balanced_accuracy",
    "test_recall",
)


def add(actions: flags.Actions) -> None:
    """The parsers of these commands."""
    listed = actions.add_parser("runs", help="list the runs")
    listed.set_defaults(command=runs)
    flags.runs(listed)
    flags.json(listed)

    pinning = actions.add_parser("pin", help="the run that Predict offers first: pin it, or say which it is")
    pinning.set_defaults(command=pin)
    chosen = pinning.add_mutually_exclusive_group()
    chosen.add_argument("run", nargs="?", metavar="RUN", help="a run's id, or the beginning of its id")
    chosen.add_argument("--none", action="store_true", help="take the pin back")
    flags.runs(pinning)


def runs(options: Namespace) -> int:
    """List the runs, newest first."""
    installed(runs_folder(options))
    found = list_runs(runs_folder(options))
    first = pinned(runs_folder(options)).run
    rows = [{**_run_row(run), "pinned": run == first} for run in found]
    if options.json:
        print_json(rows)
        return 0
    for row in rows:
        if row["state"] == "damaged":
            print(f"{row['id']}  damaged: {row['error']}")
            continue
        area, f1 = row.get("test_macro_roc_auc"), row["test_macro_f1"]
        test = "macro F1 -" if f1 is None else f"macro F1 {f1:.3f}, recall {row['test_recall']}"
        test = test if area is None else f"macro ROC AUC {area:.3f}, {test}"
        epochs = f"{row['epochs_done']}/{row['epochs']}"
        called = f"  {row['name']}" if row["name"] != row["id"] else ""
        pin = "  pinned" if row["pinned"] else ""
        network = friendly("backbone", row["backbone"])
        print(f"{row['id']}  {row['state']:10} {network:18} {epochs:>7}  test {test}{called}{pin}")
    for line in (viewings.side_by_side(found), overlaps.beside(found)):
        if line:
            print(line)
    if not rows:
        print(f"No runs in {runs_folder(options)}.")
    return 0


def pin(options: Namespace) -> int:
    """Pin the run that Predict offers first, take the pin back, or say which one it is."""
    folder = runs_folder(options)
    if options.none:
        unpin(folder)
        print("No run is pinned: Predict offers the newest completed one first.")
        return 0
    if options.run:
        set_pin(chosen_run(options))
    found = pinned(folder)
    print(f"{title(found.run)} is pinned." if found.run else found.note or "No run is pinned.")
    return 0


def _run_row(run: Run) -> dict[str, Any]:
    try:
        best, test = run.best, run.metrics("test")
        values = (
            run.id,
            run.name,
            str(run.path),
            run.state,
            run.status.error,
            run.config.backbone,
            run.info.data,
            len(run.history),
            run.config.epochs,
            best.val.macro_f1 if best else None,
            test.get("accuracy") if test else None,
            test["macro_f1"] if test else None,
            test.get("balanced_accuracy") if test else None,
            balance.recalls(test) if test else None,
        )
        row = dict(zip(RUN_COLUMNS, values, strict=True))
        if run.task == FINDINGS:
            row |= {"task": FINDINGS, "test_macro_roc_auc": test["macro_roc_auc"] if test else None}
        return row
    except (CxrError, KeyError, ValueError) as error:
        # A run is a folder that anyone can edit; one that cannot be read does not hide the others.
        problem = str(error) if isinstance(error, CxrError) else f"its files hold what no run writes ({error!r})"
        known = {"id": run.id, "name": run.id, "path": str(run.path), "state": "damaged", "error": problem}
        return {name: known.get(name) for name in RUN_COLUMNS}
