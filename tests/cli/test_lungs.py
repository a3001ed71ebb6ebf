"""``lungs`` as a script uses it: JSON, the table with its sentence, wrong usage."""

import json
from pathlib import Path

import pytest

from cxr_core.__main__ import main
from cxr_core.reports.verdict import verdict
from cxr_core.runs import Run, lung_heat
from tests.runs_support import copy_of


def call(run: Run, *more: str) -> int:
    return main(["lungs", str(run.path), "--images", "6", *more])


def test_what_is_measured_is_printed_and_of_test_kept(
    completed_run: Run, isolated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = copy_of(completed_run, isolated)
    assert call(run, "--split", "val", "--json") == 0
    note = json.loads(capsys.readouterr().out)
    assert 0 < note["images"] <= 6
    assert lung_heat.read(run) is None
    assert call(run) == 0
    kept = lung_heat.read(run)
    assert kept
    assert kept.sentence in capsys.readouterr().out
    assert kept.sentence in verdict(run).details
    (run.path / "lung-heat.json").write_text("{}")
    assert any("damaged" in sentence for sentence in verdict(Run(run.path)).details)


@pytest.mark.parametrize("more", [("--images", "0"), ("--seed", "-1"), ("--split", "all")])
def test_wrong_usage_ends_with_2(completed_run: Run, more: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lungs", str(completed_run.path), *more])
    assert ended.value.code == 2
