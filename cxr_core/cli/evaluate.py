"""The command ``evaluate``: the figures of a run on one of its splits, or on an external data set."""

from argparse import Namespace
from typing import Any

from cxr_core.cli import flags
from cxr_core.cli.output import chosen_run, print_json
from cxr_core.evaluation import balance
from cxr_core.figures import number, of, spelled
from cxr_core.findings import FINDINGS
from cxr_core.runs import Run, profiles, viewings
from cxr_core.runs.external import Outcome
from cxr_core.runs.needs import gone


def add(actions: flags.Actions) -> None:
    """The parser of the command."""
    parser = actions.add_parser("evaluate", help="metrics of a run on a split, or on an external data set")
    parser.set_defaults(command=evaluate, check=flags.check_reading)
    flags.run(parser)
    subject = parser.add_mutually_exclusive_group()
    flags.data(subject, required=False)
    subject.add_argument("--forget", metavar="NAME", help="delete the figures of this external data set, and end")
    flags.reading(parser)
    flags.profile(parser)
    parser.add_argument("--split", choices=("train", "val", "test"), default="test", help="default: test")
    parser.add_argument("--by-source", action="store_true", help="the figures of each source too")
    flags.json(parser)


def evaluate(options: Namespace) -> int:
    """Print the metrics of a run; its own splits from the files that the training wrote, where they are there."""
    run = profiles.using(chosen_run(options), options.profile)
    if options.forget:
        from cxr_core.runs.external import forget

        print(f"{forget(run, options.forget)} was forgotten.")
        return 0
    note, own = "", True
    if options.data:
        from cxr_core.inference import evaluate_external

        flags.answer(options)
        outcome = evaluate_external(run, options.data, options.split)
        metrics, table, note, own = outcome.metrics, outcome.table, outcome.note, outcome.own
        metrics = {**metrics, "external": _beside(run, outcome)}
    elif run.metrics(options.split) and not run.profile:
        from cxr_core.runs.measured import measured

        metrics, table = measured(run, options.split)
    else:
        from cxr_core.inference import evaluate_split

        metrics, table = evaluate_split(run, options.split)
    if options.by_source:
        from cxr_core.runs.by_source import by_source_of, possible

        absent = metrics.get("absent", ())
        rows = by_source_of(run, table, absent=absent)
        apart = possible(run, table, absent) if options.data else possible(run, run.split)
        metrics = {**metrics, "by_source": rows, "sources": apart}
    if run.profile:
        metrics = {**metrics, "profile": run.profile}
    seen = own and metrics["split"] in ("test", "all")
    if seen:
        viewings.add(run)
    if options.json:
        print_json(metrics)
        return 0
    _print_metrics(metrics)
    external = metrics.get("external", {})
    for line in (external.get("drop"), external.get("overlap")):
        if line:
            print(f"\n{line}")
    if seen:
        from cxr_core.reports.verdict import verdict

        print(f"\nWhat this score is worth: {verdict(run).sentence}")
    if run.profile:
        print(f"\nSite profile {run.profile}: {profiles.read(run, run.profile).sentence}")
    for line in [note, viewings.sentence(run) if seen else "", gone(run) if own else ""]:
        if line:
            print(f"\nNote: {line}")
    return 0


def _beside(run: Run, outcome: Outcome) -> dict[str, Any]:
    """What stands beside the figures on an external data set: the file they are kept in, the run's own test against
    them, the drop in a sentence, and what the two sets are known to share.
    """
    from cxr_core.reports.verdict import external_drops

    kept = outcome.kept
    found, said = next(external_drops(run, [kept])) if kept else (None, "")
    return {
        "kept": kept and kept.path.name,
        "note": outcome.note,
        "against": found,
        "drop": said,
        "overlap": outcome.overlap,
    }


def _print_metrics(metrics: dict[str, Any]) -> None:
    if metrics.get("task") == FINDINGS:
        _print_findings(metrics)
    else:
        _print_classes(metrics)
    for warning in metrics["warnings"]:
        print(f"\nNote: {warning}")
    print("\nResearch software, not for clinical use.")


def _print_findings(metrics: dict[str, Any]) -> None:
    value = metrics["macro_roc_auc"]
    area = "-" if value is None else spelled(value, metrics["ci"]["macro_roc_auc"])
    of_all = of(len(metrics["counted"]), len(metrics["classes"]))
    print(f"{metrics['split']}: macro ROC AUC {area}, mean of {of_all} findings, {metrics['n']:,} images")
    for sentence in balance.unjudged(metrics):
        print(f"Note: {sentence}")
    width = max(len(name) for name in metrics["classes"]) + 2
    titles = ("sensitivity", "specificity", "PPV", "NPV", "F1", "ROC AUC", "present", "known")
    print("\n" + " " * width + "".join(f"{title:>13}" for title in titles))
    for name, row in metrics["per_class"].items():
        shares = [row[figure] for figure in ("recall", "specificity", "precision", "npv", "f1", "roc_auc")]
        written = ["-" if value is None else number(value) for value in shares]
        cells = [*written, f"{row['positives']:,}", f"{row['n']:,}"]
        print(f"{name:{width}}" + "".join(f"{cell:>13}" for cell in cells))
    if "matched" in metrics:
        print()
    for match in metrics.get("matched", []):
        print(f"{match['ours']} is {match['theirs']} there: {match['rule']}")
    for whose, key in (("the run", "absent"), ("the data set", "unmatched")):
        if metrics.get(key):
            print(f"Only {whose} has: {', '.join(metrics[key])}")
    _print_findings_by_source(metrics)


def _print_findings_by_source(metrics: dict[str, Any]) -> None:
    """A line per source, then the area of each finding in each, where they were asked for."""
    if "sources" not in metrics:
        return
    print()
    for row in metrics["by_source"]:
        value = row["macro_roc_auc"]
        area = "-" if value is None else spelled(value, row["ci"]["macro_roc_auc"])
        among = of(len(row["counted"]), len(metrics["classes"]))
        print(f"{row['source']}: macro ROC AUC {area}, mean of {among} findings, {row['n']:,} images")
        areas = {name: found["roc_auc"] for name, found in row["per_class"].items()}
        told = ", ".join(
            f"{name} {'-' if area is None else number(area)} ({row['per_class'][name]['positives']:,} with it)"
            for name, area in areas.items()
        )
        print(f"  ROC AUC: {told}")
    print(metrics["sources"]["message"])


def _print_classes(metrics: dict[str, Any]) -> None:
    ci = metrics.get("ci", {})
    balanced, f1 = (spelled(metrics[name], ci.get(name)) for name in ("balanced_accuracy", "macro_f1"))
    print(f"{metrics['split']}: balanced accuracy {balanced}, macro F1 {f1}")
    print(f"recall: {balance.recalls(metrics)}")
    for sentence in balance.unjudged(metrics):
        print(f"Note: {sentence}")
    print(f"{balance.right_of(metrics)} correct, accuracy {number(metrics['accuracy'])}\n")
    width = max(len(name) for name in metrics["classes"]) + 2
    print(f"{'':{width}}{'precision':>10}{'recall':>10}{'F1':>10}{'support':>10}{'ROC AUC':>10}")
    for name, row in metrics["per_class"].items():
        auc = "-" if row["roc_auc"] is None else number(row["roc_auc"])
        print(
            f"{name:{width}}{row['precision']:10.3f}{row['recall']:10.3f}{row['f1']:10.3f}{row['support']:10d}{auc:>10}"
        )
    for row in metrics.get("by_source", []):
        recalls = balance.recalls(row)
        print(f"{row['source']}: macro F1 {spelled(row['macro_f1'], row['ci']['macro_f1'])}, recall {recalls}")
    if "sources" in metrics:
        print(metrics["sources"]["message"])
    print("\nrows true, columns predicted: " + ", ".join(metrics["classes"]))
    for name, counts in zip(metrics["classes"], metrics["confusion"], strict=True):
        print(f"{name:{width}}" + "".join(f"{count:>8}" for count in counts))
