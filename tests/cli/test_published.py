"""``import-model``: from a file to an answer, with consent and without."""

import json
from pathlib import Path

import pytest

from cxr_core.__main__ import main
from tests.model.published_support import save_densenet

NAME = "nih-densenet121-d121-tw-lr001-rot45-tr15-sc15-seed0-best.pt"


def test_a_file_becomes_a_run_that_answers(
    tiny_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    save_densenet(tmp_path / NAME)
    assert main(["import-model", str(tmp_path / NAME)]) == 1
    assert "--trust-pickle" in capsys.readouterr().err
    assert main(["import-model", str(tmp_path / NAME), "--trust-pickle", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["kind"], made["sets"], made["as_published"]) == ("published", ["NIH ChestX-ray14"], False)
    assert len(made["sha256"]) == 64
    assert "no code of the file is run" in made["protection"]
    file = sorted(tiny_dataset.rglob("*.png"))[0]
    assert main(["predict", made["run"], str(file), "--json", "--force"]) == 0
    answer = json.loads(capsys.readouterr().out)[0]
    assert len(answer["probabilities"]) == 14
    # It was completed elsewhere: nothing of it can go on, and no figure of it is here.
    assert main(["resume", made["run"]]) == 1
    assert "completed" in capsys.readouterr().err
    assert main(["evaluate", made["run"]]) == 1
    assert "so there are no figures of it yet: evaluate it" in capsys.readouterr().err
    assert main(["report", made["run"], "--out", str(tmp_path / "card.md")]) == 0
    card = (tmp_path / "card.md").read_text(encoding="utf-8")
    assert made["sha256"] in card
    assert "Apache-2.0" in card
    assert "NIH ChestX-ray14" in card
    assert main(["runs", "--json"]) == 0


def test_what_a_file_is_must_be_one_of_the_known(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["import-model", "x.pt", "--as", "vgg"])
    assert ended.value.code == 2
    assert "--as: expected one of densenet121-res224-all" in capsys.readouterr().err
