"""Public sets that share images are named beside each other, and others are not."""

import json
from pathlib import Path

import pytest

from cxr_core.__main__ import main
from cxr_core.reports import markdown
from cxr_core.reports.card import model_card
from cxr_core.reports.verdict import verdict
from cxr_core.runs import overlaps
from cxr_core.runs.external import externals
from cxr_core.runs.run import Run
from tests.runs_support import copy_of


def trained_on(run: Run, folder: Path, name: str | None) -> Run:
    """A copy of ``run`` that says it was trained on the public set ``name``."""
    copy = copy_of(run, folder)
    info = json.loads((copy.path / "run.json").read_text("utf-8"))
    info["origin"]["set"] = name
    (copy.path / "run.json").write_text(json.dumps(info), "utf-8")
    return Run(copy.path)


def test_what_two_sets_share_is_said_either_way(completed_run: Run, tmp_path: Path) -> None:
    nih = trained_on(completed_run, tmp_path / "nih", "NIH ChestX-ray14")
    rsna = trained_on(completed_run, tmp_path / "rsna", "RSNA Pneumonia 2018")
    kermany = trained_on(completed_run, tmp_path / "kermany", "Kermany")
    plain = trained_on(completed_run, tmp_path / "plain", None)
    assert "all images of RSNA are NIH images" in overlaps.outside(nih, "RSNA Pneumonia 2018")
    assert "all images of RSNA are NIH images" in overlaps.outside(rsna, "NIH ChestX-ray14")
    assert "both are the same public set" in overlaps.outside(nih, "NIH ChestX-ray14")
    assert "Known overlap of NIH ChestX-ray14 and RSNA Pneumonia 2018 (all images" in overlaps.beside(
        [rsna, nih, plain]
    )
    for run, there in ((kermany, "NIH ChestX-ray14"), (nih, None), (plain, "NIH ChestX-ray14")):
        assert overlaps.outside(run, there) == ""
    assert overlaps.beside([nih, nih, kermany, plain]) == ""


def test_it_stands_wherever_the_result_is_told(
    completed_run: Run,
    isolated: Path,
    hospital: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = trained_on(completed_run, isolated, "TBX11K")
    said = overlaps.outside(run, "Shenzhen and Montgomery")
    assert "TBX11K contains both" in said
    # The drawings are no public set; only its name is given to them.
    monkeypatch.setattr("cxr_core.runs.external.outside", lambda run, there: said)
    assert main(["evaluate", str(run.path), "--data", str(hospital), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["external"]["overlap"] == said
    (kept,) = externals(run)
    assert kept.facts.overlap == said
    assert any(said in sentence for sentence in verdict(run).details)
    assert said in markdown.render(model_card(run))
    assert main(["evaluate", str(run.path), "--data", str(hospital)]) == 0
    assert said in capsys.readouterr().out
