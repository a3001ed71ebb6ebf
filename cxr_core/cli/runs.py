"""The commands on runs: ``train``, ``resume``, ``evaluate``, ``runs``, ``pin``."""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cxr_core.cli.output import print_json, runs_folder
from cxr_core.config import TrainConfig, check_weights_given
from cxr_core.disk import room_for
from cxr_core.errors import CxrError, RunError
from cxr_core.evaluation import balance
from cxr_core.private import open_private
from cxr_core.runs import viewings
from cxr_core.runs.jobs import queue_again
from cxr_core.runs.needs import gone
from cxr_core.runs.pinned import pin as set_pin
from cxr_core.runs.pinned import pinned, unpin
from cxr_core.runs.run import Run, find_run, list_runs
from cxr_core.runs.titles import title

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


def train(options: Namespace) -> int:
    """Create a run and work on it in this process."""
    from cxr_core.data.dataset import scan as scan_dataset
    from cxr_core.runs.creation import create_run

    config: TrainConfig = options.config
    check_weights_given(config)
    run = create_run(scan_dataset(options.data), config, runs_folder(options))
    print(f"Run {run.id}: {config.backbone}, weights {config.weights}, {config.trainable} trained.", flush=True)
    for warning in run.warnings:
        print(f"Note: {warning}", flush=True)
    return _work(run)


def resume(options: Namespace) -> int:
    """Go on with a run (or begin a queued one: this is the worker that the pages start)."""
    run = find_run(runs_folder(options), options.run)
    if run.state == "completed":
        raise RunError(f"Run {run.id} is completed: there is nothing to resume.")
    # A request to stop a queued run stands: its worker has yet to read it.
    if run.can_resume:
        queue_again(run)
    return _work(run)


def _work(run: Run) -> int:
    from cxr_core.training.worker import work

    with _log(run):
        run = work(run)
    print(run.path, flush=True)
    if run.state == "completed":
        return 0
    print(f"error: run {run.id} was {run.state} before its end", file=sys.stderr)
    return 1


class _log:
    """Copies standard output into the run's log, unless it already goes there."""

    def __init__(self, run: Run) -> None:
        self.path = run.path / "log.txt"

    def __enter__(self) -> None:
        self.screen = sys.stdout
        self.file = open_private(self.path, "a", encoding="utf-8")
        if not self._same():
            sys.stdout = _Both(self.screen, self.file)

    def _same(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self.screen.fileno()), self.path.stat())
        except (OSError, ValueError):
            return False

    def __exit__(self, *_: object) -> None:
        sys.stdout = self.screen
        with room_for(self.path):
            self.file.close()


class _Both:
    """The screen and the log; where the reader of the screen has gone, the log alone."""

    def __init__(self, screen: Any, log: Any) -> None:
        self.screen, self.log = screen, log

    def write(self, text: str) -> int:
        self._show(text)
        with room_for(Path(self.log.name)):
            return int(self.log.write(text))

    def flush(self) -> None:
        self._show("")
        with room_for(Path(self.log.name)):
            self.log.flush()

    def _show(self, text: str) -> None:
        try:
            if self.screen is not None:
                self.screen.write(text)
                self.screen.flush()
        except BrokenPipeError:
            self.screen = None


def evaluate(options: Namespace) -> int:
    """Print the metrics of a run; its own splits from the files that the training wrote, where they are there."""
    run = find_run(runs_folder(options), options.run)
    if options.forget:
        from cxr_core.runs.external import forget

        print(f"{forget(run, options.forget)} was forgotten.")
        return 0
    note, own = "", True
    if options.data:
        from cxr_core.inference.evaluate import evaluate_external

        outcome = evaluate_external(run, options.data, options.split)
        metrics, table, note, own = outcome.metrics, outcome.table, outcome.note, outcome.own
        metrics = {**metrics, "external": {"kept": outcome.kept and outcome.kept.path.name, "note": note}}
    elif run.metrics(options.split):
        from cxr_core.runs.measured import measured

        metrics, table = measured(run, options.split)
    else:
        from cxr_core.inference.evaluate import evaluate_split

        metrics, table = evaluate_split(run, options.split)
    if options.by_source:
        from cxr_core.evaluation.by_source import by_source, can_leave_out

        apart = can_leave_out(run.split if not options.data else table)
        metrics = {**metrics, "by_source": by_source(table, run.classes, run.implied), "sources": apart}
    seen = own and metrics["split"] in ("test", "all")
    if seen:
        viewings.add(run)
    if options.json:
        print_json(metrics)
        return 0
    _print_metrics(metrics)
    if seen:
        from cxr_core.reports.verdict import verdict

        print(f"\nWhat this score is worth: {verdict(run).sentence}")
    for line in [note, viewings.sentence(run) if seen else "", gone(run) if own else ""]:
        if line:
            print(f"\nNote: {line}")
    return 0


def _print_metrics(metrics: dict[str, Any]) -> None:
    correct, ci = sum(metrics["confusion"][k][k] for k in range(len(metrics["classes"]))), metrics.get("ci", {})
    balanced, f1 = (_with_ends(metrics[name], ci.get(name)) for name in ("balanced_accuracy", "macro_f1"))
    print(f"{metrics['split']}: balanced accuracy {balanced}, macro F1 {f1}")
    print(f"recall: {balance.recalls(metrics)}")
    for sentence in balance.unjudged(metrics):
        print(f"Note: {sentence}")
    print(f"{correct} of {metrics['n']} correct, accuracy {metrics['accuracy']:.3f}\n")
    width = max(len(name) for name in metrics["classes"]) + 2
    print(f"{'':{width}}{'precision':>10}{'recall':>10}{'F1':>10}{'support':>10}{'ROC AUC':>10}")
    for name, row in metrics["per_class"].items():
        auc = "-" if row["roc_auc"] is None else f"{row['roc_auc']:.3f}"
        print(
            f"{name:{width}}{row['precision']:10.3f}{row['recall']:10.3f}{row['f1']:10.3f}{row['support']:10d}{auc:>10}"
        )
    for row in metrics.get("by_source", []):
        recalls = balance.recalls(row)
        print(f"{row['source']}: macro F1 {_with_ends(row['macro_f1'], row['ci']['macro_f1'])}, recall {recalls}")
    if "sources" in metrics:
        print(metrics["sources"]["message"])
    print("\nrows true, columns predicted: " + ", ".join(metrics["classes"]))
    for name, counts in zip(metrics["classes"], metrics["confusion"], strict=True):
        print(f"{name:{width}}" + "".join(f"{count:>8}" for count in counts))
    for warning in metrics["warnings"]:
        print(f"\nNote: {warning}")
    print("\nResearch software, not for clinical use.")


def _with_ends(value: float, ends: Sequence[float] | None) -> str:
    return f"{value:.3f} ({ends[0]:.3f} to {ends[1]:.3f})" if ends else f"{value:.3f}"


def runs(options: Namespace) -> int:
    """List the runs, newest first."""
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
        test = "-" if row["test_macro_f1"] is None else f"{row['test_macro_f1']:.3f}, recall {row['test_recall']}"
        epochs = f"{row['epochs_done']}/{row['epochs']}"
        called = f"  {row['name']}" if row["name"] != row["id"] else ""
        pin = "  pinned" if row["pinned"] else ""
        print(f"{row['id']}  {row['state']:10} {row['backbone']:18} {epochs:>7}  test macro F1 {test}{called}{pin}")
    if line := viewings.side_by_side(found):
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
        set_pin(find_run(folder, options.run))
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
            run.status.get("error"),
            run.config.backbone,
            run.info["data"],
            len(run.history),
            run.config.epochs,
            best["val"]["macro_f1"] if best else None,
            test["accuracy"] if test else None,
            test["macro_f1"] if test else None,
            test["balanced_accuracy"] if test else None,
            balance.recalls(test) if test else None,
        )
        return dict(zip(RUN_COLUMNS, values, strict=True))
    except (CxrError, KeyError, TypeError, ValueError, AttributeError) as error:
        # A run is a folder that anyone can edit; one that cannot be read does not hide the others.
        problem = str(error) if isinstance(error, CxrError) else f"its files hold what no run writes ({error!r})"
        known = {"id": run.id, "name": run.id, "path": str(run.path), "state": "damaged", "error": problem}
        return {name: known.get(name) for name in RUN_COLUMNS}
