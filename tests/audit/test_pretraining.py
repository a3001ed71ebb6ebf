"""The audit of a run names what its network may have seen; that of a run that never saw an X-ray does not."""

from pathlib import Path

import pytest
import torch

from cxr_core.audit.kinds import INFORMS, WARNS
from cxr_core.audit.pretraining import pretraining
from cxr_core.config import TrainConfig
from cxr_core.reports.verdict import verdict
from cxr_core.training.stages import keep_audit
from tests.runs_support import new_run


@pytest.mark.parametrize(("data", "severity"), [("CheXpert", WARNS), ("CheXpert Plus", WARNS), ("TBX11K", INFORMS)])
def test_it_warns_where_something_is_shared(data: str, severity: str) -> None:
    (found,) = pretraining(TrainConfig.create(backbone="rad_dino"), data)
    assert (found.kind, found.severity) == ("pretraining", severity)
    assert data in found.message
    assert pretraining(TrainConfig.create(backbone="vgg16"), data) == []


def test_it_stands_in_the_run_and_beside_its_score(tiny_dataset: Path, tmp_path: Path) -> None:
    torch.save({}, tmp_path / "mine.pt")
    run = new_run(tiny_dataset, tmp_path / "runs", backbone="xrv_densenet121", weights=str(tmp_path / "mine.pt"))
    keep_audit(run, lambda done, total: None)
    assert run.audit is not None
    (found,) = run.audit.of("pretraining")
    assert "does not say on which X-rays it was trained" in found.message
    assert found.message in run.warnings
    assert found.message in verdict(run).details
