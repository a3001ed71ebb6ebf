"""A published network that answers, as a run of its own: completed, without images, with the thresholds it came with.

    run = import_model(brought(file, agreed=True), runs_dir())      # cxr_core.model.fetched

The run holds what any other does that can predict: the frozen part, the head, the decision rule. It has no data set, no
training images to compare with, and no figures until it is evaluated on a data set; ``run.imported`` says where it
comes from. What it shows is TorchXRayVision's own display: each finding's published operating point lies at 0.5
(:class:`cxr_core.model.heads.OperatingPoints`).
"""

import json
from collections import OrderedDict
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn

from cxr_core.activity import record
from cxr_core.config import TrainConfig
from cxr_core.errors import WeightsError
from cxr_core.findings import FINDINGS, column
from cxr_core.images.version import PIXELS
from cxr_core.model import space_of
from cxr_core.model.backbones import BACKBONES
from cxr_core.model.fetched import Fetched
from cxr_core.model.heads import OperatingPoints, build_head
from cxr_core.model.network import save_weights
from cxr_core.model.weights import load_backbone, read_weights_file
from cxr_core.published import Published
from cxr_core.runs import Run, files
from cxr_core.runs.creation import VERSIONED, building, new_id
from cxr_core.runs.records import FORMAT, DecisionRule, ImportedNote, Status, written
from cxr_core.runs.run import SPLITS
from cxr_core.settings import write_atomic
from cxr_core.sheets import written as as_csv

SCORES = (
    "Its numbers are scores, not probabilities of disease: 0.5 is the published operating point of each finding, and "
    "what lies above or below is stretched to the ends, as its authors show it."
)
NO_FIGURES = "Nothing of it was measured here: evaluate it on a data set of your own before you rely on an answer."
NOT_COMPARED = (
    "Its training images are not here, so whether a picture is unlike them is not checked, and whether it is one of "
    "them is not known."
)
SQUARE = (
    "It was trained on the whole middle square of a picture; here it sees the inner 7/8 of it, as every network of "
    "this software does. Its published operating points were chosen otherwise."
)


def import_model(fetched: Fetched, runs_dir: Path) -> Run:
    """Make a completed run of a published network. Raises WeightsError where it gives no answers, or the weights are
    not its own, RunError where the run cannot be written.
    """
    network = fetched.network
    if not network.findings:
        raise WeightsError(
            f"{network.title} gives features and no answers, so it cannot be imported as a model. Train on it: "
            f"--backbone {network.backbone} --weights {network.name}."
        )
    config = _config(network, fetched)
    net = load_backbone(network.backbone, config.weights, config.seed)
    weight, bias = _answers(network, fetched)
    head = build_head(weight.shape[1], (), 0.0, len(network.findings))
    points = OperatingPoints(len(network.findings))
    places = list(network.places.values())
    with torch.no_grad():
        linear = head[-1]
        assert isinstance(linear, nn.Linear)
        linear.weight.copy_(weight[places])
        linear.bias.copy_(bias[places])
        points.thresholds.copy_(torch.tensor(list(network.points.values())))
    suffix = nn.Sequential(OrderedDict(head=head, points=points))
    created = datetime.now(UTC)
    run_id = new_id(created, network.backbone)
    with building(runs_dir, run_id) as folder:
        save_weights(nn.Sequential(OrderedDict(BACKBONES[network.backbone].stages(net))), Run(folder).prefix_file)
        save_weights(suffix, Run(folder).weights_file)
        _write(folder, run_id, created, config, fetched)
    record("opened", "published network", run=run_id, data=network.name, runs=runs_dir)
    return Run(runs_dir / run_id)


def _config(network: Published, fetched: Fetched) -> TrainConfig:
    return TrainConfig.create(
        backbone=network.backbone,
        weights=str(fetched.file),
        trainable="head",
        hidden=(),
        dropout=0,
        labels="single",
        epochs=1,
        monitor="macro_roc_auc",
    )


def _answers(network: Published, fetched: Fetched) -> tuple[Tensor, Tensor]:
    """Weights and biases of the linear layer that answers, a row an output."""
    state = read_weights_file(fetched.file)
    try:
        weight, bias = (state[f"classifier.{name}"].float() for name in ("weight", "bias"))
    except KeyError:
        raise WeightsError(f"{fetched.file} holds no classifier, so {network.title} cannot answer.") from None
    if weight.ndim != 2 or bias.shape != (network.outputs,) or len(weight) != network.outputs:
        raise WeightsError(
            f"{fetched.file} answers {tuple(bias.shape)} findings; {network.title} has {network.outputs} places."
        )
    if not (torch.isfinite(weight).all() and torch.isfinite(bias).all()):
        raise WeightsError(f"{fetched.file} holds numbers in its classifier that are not finite.")
    return weight, bias


def _write(folder: Path, run_id: str, created: datetime, config: TrainConfig, fetched: Fetched) -> None:
    """The tables and records of the run."""
    network, findings = fetched.network, list(fetched.network.findings)
    note = ImportedNote(
        kind="published",
        name=network.title,
        source=f"{network.title} was trained by others on {network.trained_on}, and published by them.",
        licence=network.licence,
        citation=network.citation,
        sets=list(network.sets),
        file=network.file,
        sha256=fetched.sha256,
        as_published=fetched.is_published,
        scores=SCORES,
        protection=list(fetched.protection),
    )
    seen = f"Where a test has images of {network.trained_on}, the network may have seen them: its score is too good."
    info = {
        "id": run_id,
        "format": FORMAT,
        "created": created.isoformat(timespec="seconds"),
        "config": {**config.model_dump(mode="json"), "weights": network.name},
        "task": FINDINGS,
        "classes": findings,
        "implied": {},
        "data": "",
        "folder": "",
        "dataset_name": "no data set here",
        "counts": {part: dict.fromkeys(findings, 0) for part in SPLITS},
        "warnings": [note.source, NO_FIGURES, SCORES, SQUARE, NOT_COMPARED, seen],
        "versions": {package: version(package) for package in VERSIONED},
        "pixels": PIXELS,
        "imported": note.model_dump(),
    }
    write_atomic(folder / files.RUN, json.dumps(info, indent=1))
    names = ["file", "label", "patient", "source", "split", "digest", "study", "age", "sex", "view"]
    empty = pd.DataFrame(columns=[*names, *map(column, findings)])
    write_atomic(folder / files.SPLIT, as_csv(empty))
    rule = DecisionRule(temperature=1.0, thresholds=dict.fromkeys(findings, 0.5), epoch=0, monitor="published")
    write_atomic(folder / files.DECISION, written(rule, indent=1))
    space = space_of(config)
    write_atomic(folder / files.FOUND, json.dumps({"space": asdict(space), "device": "", "warnings": []}, indent=1))
    write_atomic(folder / files.NAME, network.title + "\n")
    write_atomic(folder / files.STATUS, written(Status(state="completed", ended=created.timestamp()), indent=1))
