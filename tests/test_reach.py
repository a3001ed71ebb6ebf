"""What is out of reach is neither opened nor listed, and nobody learns whether it exists."""

import os
import shutil
from pathlib import Path

import pytest

from cxr_core import reach
from cxr_core.config import TrainConfig
from cxr_core.data.dataset import scan
from cxr_core.errors import ConfigError, DatasetError, ImageError
from cxr_core.images.reading import read_bytes
from cxr_core.runs.creation import create_run
from cxr_core.settings import allowed_roots, data_dir
from tests.images.files import tree, write


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """``inside`` is in reach, ``outside`` is not."""
    tree(tmp_path / "inside" / "set", {"A": 2, "B": 2})
    tree(tmp_path / "outside" / "set", {"A": 1, "C": 1}, start=50)
    reach.confine([tmp_path / "inside"])
    return tmp_path


def test_below_a_root_is_opened_and_beside_it_not(place: Path) -> None:
    assert len(scan(place / "inside" / "set").samples) == 4
    said = set()
    shutil.copytree(place / "outside" / "set", place / "inside-too" / "set")
    for path in (
        place / "outside" / "set",
        place / "nothing",
        place / "inside-too",
        place / "inside" / ".." / "outside",
    ):
        with pytest.raises(DatasetError, match="lies outside of the folders") as raised:
            scan(path)
        said.add(str(raised.value).split("lies outside")[1])
    # What exists and what does not get the same words.
    assert len(said) == 1


def test_links_lead_nowhere_out(place: Path) -> None:
    root = place / "inside" / "set"
    (root / "C").symlink_to(place / "outside" / "set" / "C")
    (root / "A" / "more").symlink_to(place / "outside" / "set" / "A")
    (root / "A" / "one.png").symlink_to(next((place / "outside" / "set" / "A").iterdir()))
    (root / "A" / "again.png").symlink_to(root / "A" / "000.png")
    found = scan(root)
    # The link that stays inside is followed.
    assert found.counts().loc[""].to_dict() == {"A": 3, "B": 2}
    assert set(found.unreadable["file"]) == {"C", "A/more", "A/one.png"}
    assert found.unreadable["reason"].str.contains("leads outside").all()
    with pytest.raises(ImageError, match="outside of the folders"):
        read_bytes(root / "A" / "one.png")
    (place / "inside" / "door").symlink_to(place / "outside" / "set")
    with pytest.raises(DatasetError, match="lies outside"):
        scan(place / "inside" / "door")
    (place / "inside" / "loop").symlink_to(place / "inside" / "loop")
    with pytest.raises(DatasetError):
        scan(place / "inside" / "loop")


def test_a_table_names_nothing_outside(place: Path) -> None:
    other = next((place / "outside" / "set" / "A").iterdir())
    rows = "".join(f"{file},{label}\n" for file, label in (("A/000.png", "A"), ("B/000.png", "B"), (other, "A")))
    table = place / "inside" / "set" / "table.csv"
    table.write_text(f"file,label\n{rows}../../outside/none.png,A\n", encoding="utf-8")
    found = scan(table)
    assert len(found.samples) == 2
    assert found.unreadable["reason"].tolist() == [reach.OUTSIDE] * 2
    table.unlink()
    write(place / "outside" / "x.csv", 1)
    table.symlink_to(place / "outside" / "x.csv")
    assert "table.csv" in set(scan(table.parent).unreadable["file"])


def test_weights_of_a_training_lie_in_reach_too(place: Path) -> None:
    dataset = scan(place / "inside" / "set")
    config = TrainConfig.create(backbone="small-cnn", weights=str(place / "outside" / "x.pt"))
    with pytest.raises(DatasetError, match="lies outside"):
        create_run(dataset, config, place / "runs")
    assert not (place / "runs").exists()


def test_without_roots_only_what_the_software_made(place: Path) -> None:
    reach.confine([])
    with pytest.raises(DatasetError, match="the demo data set and uploaded zips alone"):
        scan(place / "inside" / "set")
    own = tree(data_dir() / "uploads" / "mine-1", {"A": 1, "B": 1})
    assert len(scan(own).samples) == 2
    assert reach.roots() == [data_dir() / "uploads"]
    assert not reach.reachable(data_dir() / "recent.json")
    assert not reach.reachable(data_dir())


def test_roots_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert allowed_roots() is None
    monkeypatch.setenv("CXR_ROOTS", os.pathsep.join([str(tmp_path / "a"), "~/b", ""]))
    assert allowed_roots() == [tmp_path / "a", Path.home() / "b"]
    for wrong in ("xrays", "~nobody-of-this-name/x", "/" + "x" * 300):
        monkeypatch.setenv("CXR_ROOTS", wrong)
        with pytest.raises(ConfigError, match="CXR_ROOTS"):
            allowed_roots()
