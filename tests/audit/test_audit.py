"""What an audit says of data sets made to have, or not to have, each fault."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxr_core import demo
from cxr_core.audit import sources
from cxr_core.audit.audit import audit, leaks
from cxr_core.audit.composition import widest_intervals
from cxr_core.audit.fixing import places
from cxr_core.audit.kinds import KEEP_ONE, LEAVE_OUT, SAME_SPLIT, SPLIT_BY_PATIENT
from cxr_core.audit.result import Audit
from cxr_core.audit.sources import source_issues
from cxr_core.config import TrainConfig
from cxr_core.data import fixes
from cxr_core.data.dataset import scan
from cxr_core.errors import ConfigError, DatasetError
from cxr_core.runs.creation import create_run
from cxr_core.runs.run import Run
from cxr_core.settings import runs_dir


def kinds(found: Audit) -> dict[str, str]:
    return {issue.kind: issue.severity for issue in found.issues}


@pytest.fixture
def leaking(tiny_dataset: Path, tmp_path: Path) -> Path:
    """The drawn data set with one training picture in its test, and no mark that it is drawn."""
    root = shutil.copytree(tiny_dataset, tmp_path / "leaking")
    (root / ".demo.json").unlink()
    first = min(root.glob("train/NORMAL/*.png"))
    Image.open(first).save(root / "test" / "NORMAL" / "again.jpg", quality=90)
    return root


def test_demo_without_a_shortcut_claims_none_and_with_one_does(tmp_path: Path) -> None:
    plain = audit(scan(demo.draw(tmp_path / "plain", images=240, seed=3)))
    assert not plain.facts["shortcut"]["claimed"]
    assert kinds(plain)["shortcut"] == "informs"
    assert not plain.blocks
    drawn = audit(scan(demo.draw(tmp_path / "short", images=240, seed=3, shortcut=True)))
    assert drawn.facts["shortcut"]["claimed"]
    assert kinds(drawn)["shortcut"] == "warns"
    assert drawn.facts["shortcut"]["macro_f1"] > drawn.facts["shortcut"]["chance_macro_f1"] + 0.4
    assert drawn.facts["source_only"]["macro_f1"] == 1
    assert drawn.facts["cramers_v"] == pytest.approx(1)


def test_an_audit_is_kept_and_survives_json(tiny_dataset: Path, tmp_path: Path) -> None:
    dataset = scan(tiny_dataset)
    first = audit(dataset)
    assert Audit.from_json(json.loads(json.dumps(first.as_json()))).as_json() == first.as_json()
    shutil.rmtree(tmp_path / "cache" / "looks")
    assert audit(dataset).as_json() == first.as_json()
    assert not (tmp_path / "cache" / "looks").exists()
    for kept in (tmp_path / "cache" / "audits").iterdir():
        kept.write_text("{")
    assert audit(dataset).as_json() == first.as_json()


@pytest.mark.parametrize("fix", [KEEP_ONE, SAME_SPLIT])
def test_a_leak_blocks_until_it_is_fixed_and_again_when_that_is_undone(leaking: Path, fix: str) -> None:
    dataset = scan(leaking)
    config = TrainConfig.create(backbone="small-cnn", epochs=1)
    issue = next(issue for issue in audit(dataset).issues if issue.kind == "leak")
    assert issue.severity == "blocks"
    assert "test/NORMAL/again.jpg" in issue.files
    with pytest.raises(DatasetError, match="train anyway"):
        create_run(dataset, config, runs_dir())

    chosen = fixes.move(runs_dir(), dataset, places(dataset, issue, fix), issue.kind)
    fixed = fixes.applied(dataset, fixes.read(runs_dir()))
    assert not leaks(fixed)
    run = create_run(dataset, config, runs_dir())
    assert any("moved or left out" in warning for warning in run.warnings)
    split = dict(run.split[["file", "split"]].itertuples(index=False))
    if fix == KEEP_ONE:
        assert split["test/NORMAL/again.jpg"] == "test"
        assert split.keys() == set(dataset.samples["file"]) - set(issue.files) | {"test/NORMAL/again.jpg"}
    else:
        assert split["test/NORMAL/again.jpg"] != "test"

    fixes.undo(runs_dir(), chosen)
    assert fixes.applied(dataset, fixes.read(runs_dir())) is dataset
    with pytest.raises(DatasetError, match="Audit page"):
        create_run(dataset, config, runs_dir())
    assert len(list(leaking.rglob("*.png"))) == 36


def test_train_anyway_is_said_with_every_score(leaking: Path) -> None:
    config = TrainConfig.create(backbone="small-cnn", epochs=1, train_anyway=True)
    run = create_run(scan(leaking), config, runs_dir())
    assert any("although the audit found a leak" in warning for warning in run.warnings)


def test_patients_in_two_splits_are_named_and_fixed(leaking: Path) -> None:
    table = pd.read_csv(leaking / "sources.csv", dtype=str)
    both = [*sorted(table["file"][table["file"].str.startswith("test/")])[:1], *sorted(table["file"])[-1:]]
    table.loc[table["file"].isin(both), "patient"] = "somebody"
    table.to_csv(leaking / "sources.csv", index=False)
    dataset = scan(leaking)
    found = audit(dataset)
    assert found.facts["patients_in_two_splits"] == ["somebody"]
    issue = next(issue for issue in found.issues if issue.kind == "patients")
    assert set(issue.files) == set(both)
    fixes.move(runs_dir(), dataset, places(dataset, issue, SAME_SPLIT), "patients")
    assert audit(fixes.applied(dataset, fixes.read(runs_dir()))).facts["patients_in_two_splits"] == []
    by_patient = places(dataset, issue, SPLIT_BY_PATIENT)
    assert set(by_patient.values()) == {fixes.NOT_GIVEN}
    assert len(by_patient) == len(dataset.samples)
    assert set(places(dataset, issue, LEAVE_OUT)) == set(both)
    with pytest.raises(ConfigError, match="same split"):
        places(dataset, issue, KEEP_ONE)


def test_odd_pictures_are_named(tiny_dataset: Path, tmp_path: Path) -> None:
    root = shutil.copytree(tiny_dataset, tmp_path / "odd")
    Image.new("L", (200, 200), 128).save(root / "train/NORMAL/blank.png")
    (root / "train/NORMAL/note.png").write_text("no picture")
    picture = Image.open(min(root.glob("train/COVID19/p*.png")))
    picture.resize((60, 60)).save(root / "train/NORMAL/small.png")
    colours = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(colours).resize((200, 200)).save(root / "train/NORMAL/colour.png")
    picture.save(root / "train/NORMAL/person12_virus_3.jpeg")
    found = {issue.kind: issue for issue in audit(scan(root)).issues}
    assert found["blank"].files == ("train/NORMAL/blank.png",)
    assert found["unreadable"].files == ("train/NORMAL/note.png",)
    assert "truncated" not in found
    assert "train/NORMAL/small.png" in found["tiny"].files
    assert found["colour"].files == ("train/NORMAL/colour.png",)
    assert found["children"].files == ("train/NORMAL/person12_virus_3.jpeg",)


def test_source_figures_on_counted_examples() -> None:
    def samples(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
        return pd.DataFrame(rows, columns=["source", "label", "split"]).assign(patient="")

    apart = samples([("x", "A", "train"), ("y", "B", "train"), ("x", "A", "test"), ("y", "B", "test")])
    assert sources.cramers_v(apart) == pytest.approx(1)
    assert (sources.source_only(apart) or {})["accuracy"] == 1
    mixed = samples([(s, c, p) for s in "xy" for c in "AB" for p in ("train", "test")])
    assert sources.cramers_v(mixed) == pytest.approx(0)
    assert (sources.source_only(mixed) or {})["accuracy"] == 0.5
    assert sources.source_only(samples([("", "A", "train"), ("", "B", "test")])) is None
    assert sources.cramers_v(samples([("x", "A", "train")])) is None


def test_the_interval_of_a_hundred_images_is_ten_points_either_way() -> None:
    samples = pd.DataFrame({"label": ["A"] * 100 + ["B"] * 10_000, "split": "test"})
    widths = widest_intervals(samples)
    assert widths["A"] == pytest.approx(0.0962, abs=1e-3)
    assert widths["B"] == pytest.approx(0.0098, abs=1e-4)


def test_a_fix_that_empties_a_class_or_changes_nothing_is_refused(leaking: Path) -> None:
    dataset = scan(leaking)
    everything = {file: fixes.LEFT_OUT for file in dataset.samples["file"] if "/NORMAL/" in file}
    with pytest.raises(DatasetError, match="without any image of NORMAL"):
        fixes.move(runs_dir(), dataset, everything, "test")
    with pytest.raises(DatasetError, match="got none"):
        fixes.move(runs_dir(), dataset, {}, "test")
    (runs_dir() / fixes.FILE).write_text("file\nx\n")
    with pytest.raises(DatasetError, match="damaged"):
        fixes.read(runs_dir())


def test_the_real_set_is_reported_as_it_is(real_data: Path) -> None:
    found = audit(scan(real_data / "covid-cxr"))
    assert found.facts["images"] == 1072
    assert found.facts["cramers_v"] == pytest.approx(1)
    assert found.facts["source_only"]["accuracy"] == pytest.approx(140 / 220)
    assert len(found.facts["patients_in_two_splits"]) == 5
    assert {(pair["a"], pair["b"]) for pair in found.facts["duplicates"]} == {
        ("train/NORMAL/normal_0042.jpg", "train/NORMAL/normal_0043.jpg"),
        ("train/COVID19/covid19_0115.jpg", "train/COVID19/covid19_0204.jpg"),
    }
    assert found.facts["shortcut"]["claimed"]


def test_copies_stay_together_where_a_split_is_taken(tiny_dataset: Path, tmp_path: Path) -> None:
    for file in tiny_dataset.glob("*/*/*.png"):
        target = tmp_path / "whole" / file.parent.name / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
        Image.open(file).save(target.with_suffix(".jpg"), quality=80)
    config = TrainConfig.create(backbone="small-cnn", epochs=1)
    split = create_run(scan(tmp_path / "whole"), config, runs_dir()).split
    stems = split["file"].str.rsplit(".", n=1).str[0]
    assert set(split["split"]) == {"train", "val", "test"}
    assert split.groupby(stems)["split"].nunique().max() == 1


def test_a_run_carries_the_audit_of_its_own_split(completed_run: Run) -> None:
    carried = completed_run.audit
    assert carried is not None
    assert carried.facts["images"] == len(completed_run.split)
    assert {issue.kind for issue in carried.issues} >= {"drawn", "test size"}
    assert set(carried.facts["widest_interval"]) == set(completed_run.classes)


@pytest.mark.parametrize(
    ("by_shortcut", "best"), [(0.83, "0.83 (size"), (0.41, "0.56 (the source"), (None, "0.56 (the source")]
)
def test_a_score_must_be_beyond_the_best_of_the_shortcuts(by_shortcut: float | None, best: str) -> None:
    source = {"split": "test", "macro_f1": 0.56, "accuracy": 0.64}
    (issue,) = source_issues(source, {"macro_f1": by_shortcut}, border_masked=False)
    assert f"beyond the best that needs no lung, {best}" in issue.message
