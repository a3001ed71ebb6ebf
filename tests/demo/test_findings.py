"""The drawn findings: read without a question, same bytes for the same seed, labels that keep to what is drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxr_core import demo
from cxr_core.__main__ import main
from cxr_core.data.sets.description import Description
from cxr_core.data.sets.other import described, propose
from cxr_core.demo.findings import TABLE, drawing
from cxr_core.demo.illness import CARDIOMEGALY, DEVICES, NAMES, PNEUMOTHORAX
from cxr_core.demo.patients import NONE, Shot, patients
from cxr_core.errors import DatasetError
from cxr_core.findings import contradictions


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo.draw_findings(tmp_path_factory.mktemp("drawn") / "findings", images=48, seed=0)


def content(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_table_is_read_without_a_question(folder: Path) -> None:
    description = propose(folder / TABLE)
    assert isinstance(description, Description)
    assert (description.task, description.no_finding) == ("findings", NONE)
    assert description.about() == {name: name for name in ("patient", "study", "age", "sex", "view", "source")}
    record = described(folder / TABLE, description)
    plan = patients(48, 0)
    frontal = [shot for shot in plan if shot.view != "LATERAL"]
    assert dict(record.left_out) == {"no label": 0, "views": len(plan) - len(frontal), "missing": 0}
    assert record.images["file"].tolist() == [shot.file for shot in frontal]
    assert record.images["age"].tolist() == [shot.age for shot in frontal]
    assert list(record.labels.columns) == [NONE, *NAMES]
    wanted = np.array([[shot.labels[name] for name in (NONE, *NAMES)] for shot in frontal], dtype=np.float32)
    assert np.array_equal(record.labels.to_numpy(), wanted, equal_nan=True)
    assert demo.is_drawn(folder)


def test_same_seed_same_bytes(folder: Path, tmp_path: Path) -> None:
    assert content(demo.draw_findings(tmp_path / "again", images=48, seed=0)) == content(folder)
    assert demo.draw_findings(folder, images=48, seed=0) == folder
    with pytest.raises(DatasetError, match="new or empty"):
        demo.draw_findings(folder, images=48, seed=1)
    with pytest.raises(DatasetError, match="12 to 20000"):
        demo.draw_findings(tmp_path / "bad", images=11)


@pytest.mark.parametrize("count", [12, 13, 601])
def test_exactly_so_many_pictures_of_whole_patients(count: int) -> None:
    plan = patients(count, 0)
    assert len({shot.file for shot in plan}) == len(plan) == count
    for person in {shot.person for shot in plan}:
        assert len({(shot.age, shot.sex, shot.source) for shot in plan if shot.person == person}) == 1
    studies = pd.DataFrame([{"study": (s.patient, s.study), "labels": str(s.labels)} for s in plan])
    assert (studies.groupby("study")["labels"].nunique() == 1).all()


def test_labels_keep_to_what_is_drawn_and_leave_some_open() -> None:
    plan = patients(2000, 0)
    for name in NAMES:
        said = [shot.labels[name] for shot in plan if name in shot.severities]
        assert set(said) <= {1.0, -1.0}
        assert 0.04 < sum(value == -1 for value in said) / len(said) < 0.25
        absent = [shot.labels[name] for shot in plan if name not in shot.severities]
        assert set(absent) == {0.0, -1.0, None}
        assert 0.08 < len(said) / len(plan) < 0.35
    values = np.array([[shot.labels[name] for name in (NONE, *NAMES)] for shot in plan], dtype=np.float32)
    assert not any(found.any for found in contradictions(values, [NONE, *NAMES]))
    both = sum({DEVICES, PNEUMOTHORAX} <= shot.severities.keys() for shot in plan)
    alone = sum(DEVICES in s.severities for s in plan) * sum(PNEUMOTHORAX in s.severities for s in plan) / len(plan)
    assert both > 1.3 * alone
    assert np.mean([shot.age for shot in plan if CARDIOMEGALY in shot.severities]) > np.mean([s.age for s in plan])


@pytest.mark.parametrize("name", NAMES)
def test_each_finding_changes_the_picture_also_beside_another(name: str) -> None:
    healthy = Shot(4, 1, 1, 50, "M", "PA", "drawn-a", {}, {})
    ill = drawing(replace(healthy, severities={name: 0.9}), 0).astype(int)
    plain = drawing(healthy, 0).astype(int)
    assert ill.shape == plain.shape
    assert np.abs(ill - plain).max() > 20
    other = next(other for other in NAMES if other != name)
    both = drawing(replace(healthy, severities={name: 0.9, other: 0.9}), 0).astype(int)
    assert np.abs(both - ill).max() > 20


def test_the_command_line_draws_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", str(tmp_path / "set"), "--images", "12", "--findings"]) == 0
    assert "12 drawings (not X-rays)" in capsys.readouterr().out
    assert (tmp_path / "set" / TABLE).is_file()
    with pytest.raises(SystemExit):
        main(["demo", "--out", str(tmp_path / "other"), "--findings", "--shortcut"])
