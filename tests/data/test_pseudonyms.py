"""A run trained with pseudonyms: no name of a person is left in it, and everything works as with names."""

import json
import shutil
from pathlib import Path

import pytest

from cxr_core.__main__ import main
from cxr_core.data.pseudonyms import Pseudonyms
from cxr_core.errors import DatasetError, ImageError
from cxr_core.images.reading import content_digest
from cxr_core.settings import data_dir, runs_dir
from cxr_core.training.companion_worker import measure_controls, measure_left_out
from tests.pages.support import open_page
from tests.runs_support import new_run, noise

NAMES = ("Kowalski", "Fitzgerald", "Novakova", "Zuzanna", "Marybeth", "Ludmilla", "1961-0")
CLASSES = ("COVID19", "NORMAL")


def persons(root: Path, start: int = 0) -> Path:
    """Ten persons of each class with two images each, in a folder of their own, from two sources."""
    rows = ["file,patient,source"]
    for k, label in enumerate(CLASSES):
        for number in range(10):
            last, first = NAMES[number % 3], NAMES[3 + number % 3]
            for image in range(2):
                folder = f"{label}/{last.upper()}^{first.upper()}"
                file = f"{folder}/{last}_{first}_1961-0{1 + number % 9}-12_{number}{image}.png"
                noise(root / file, start + 100 * k + 10 * number + image, low=80 * k, high=80 * k + 120)
                rows.append(f"{file},{last}^{first}{label}{number},site{number % 2}")
    (root / "sources.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return root


def told(folder: Path) -> list[str]:
    """Every file and folder below that holds a name, in its content or its own name."""
    return [
        f"{path.relative_to(folder)}: {name}"
        for path in folder.rglob("*")
        for name in NAMES
        if name.lower() in path.name.lower()
        or (path.is_file() and path.suffix != ".safetensors" and name.lower().encode() in path.read_bytes().lower())
    ]


def test_no_name_is_left_and_all_of_it_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = persons(tmp_path / "Dr Novakova")
    plain = new_run(root, tmp_path / "plain", image_size=32, val_fraction=0.4, train_anyway=True).split
    # A file that is damaged after the scan is named in the run: by its hash.
    run = new_run(root, runs_dir(), epochs=2, image_size=32, val_fraction=0.4, pseudonyms=True, train_anyway=True)
    victim = run.picture(run.split.query("split == 'test'")["file"].iloc[0])
    victim.write_bytes(b"no picture")
    assert main(["resume", run.id]) == 0
    assert run.unreadable["file"].tolist()[0].startswith("f-")
    assert measure_controls(run)
    assert measure_left_out(run)
    other = persons(tmp_path / "of Fitzgerald", start=5000)
    assert main(["evaluate", run.id, "--data", str(other)]) == 0
    assert main(["evaluate", run.id, "--split", "train"]) == 0
    assert main(["evaluate", run.id, "--by-source"]) == 0
    assert main(["report", run.id, "--out", str(run.path / "card.md")]) == 0
    capsys.readouterr()
    assert told(run.path) == []
    assert run.audit is not None
    assert json.dumps(run.audit.as_json()).count("f-") > 0

    # The images are found, and are those that were learnt.
    found = run.pictures(run.split["file"])
    digests = dict(zip(run.split["file"], run.split["digest"], strict=True))
    for file, path in found.items():
        assert path == victim or content_digest(path.read_bytes()) == digests[file]
    assert sorted(found.values()) == sorted(root.glob("*/*/*.png"))
    for page in ("3_Train", "4_Runs", "5_Evaluate", "6_Predict"):
        at = open_page(f"pages/{page}.py", run=run.id)
        assert not at.exception
        assert not at.error

    # The same images are in the same splits as with names, and patients stay whole.
    by_digest = [dict(zip(split["digest"], split["split"], strict=True)) for split in (run.split, plain)]
    assert by_digest[0] == by_digest[1]
    assert run.split.groupby("patient").size().tolist() == [2] * 20
    assert run.split.groupby("patient")["split"].nunique().max() == 1
    assert run.split["file"].is_monotonic_increasing


def test_what_fails_tells_no_name_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = persons(tmp_path / "Zuzanna Kowalski")
    run = new_run(root, runs_dir(), image_size=32, pseudonyms=True)
    shutil.move(root, tmp_path / "elsewhere")
    assert main(["resume", run.id]) == 1
    assert "The data set data-" in capsys.readouterr().err
    assert run.state == "failed"
    assert told(run.path) == []
    with pytest.raises(ImageError, match="renamed, moved or deleted"):
        run.picture(run.split["file"].iloc[0])
    shutil.move(tmp_path / "elsewhere", root)
    assert main(["resume", run.id]) == 0
    assert run.state == "completed"


def test_without_the_key_nothing_is_found_and_it_is_said(tmp_path: Path) -> None:
    root = persons(tmp_path / "set")
    run = new_run(root, runs_dir(), pseudonyms=True)
    file = run.split["file"].iloc[0]
    assert run.picture(file).is_file()
    key = data_dir() / "pseudonyms.json"
    assert key.stat().st_mode & 0o077 == 0
    assert json.loads(key.read_text())["key"] not in "".join(path.read_text() for path in run.path.glob("*.*"))
    key.rename(key.with_name("kept"))
    with pytest.raises(ImageError, match="made with a key that is not here"):
        run.picture(file)
    new_run(root, runs_dir(), pseudonyms=True)  # makes another key
    with pytest.raises(ImageError, match="made with a key that is not here"):
        run.picture(file)
    key.write_text("{}")
    with pytest.raises(DatasetError, match=r"pseudonyms.json is damaged"):
        Pseudonyms.here()


def test_hashes_are_keyed_and_the_same_in_every_run() -> None:
    one, other = Pseudonyms(b"1" * 32), Pseudonyms(b"2" * 32)
    names = ["A/Doe.png", "A/doe.png", "a/Doe.png", "A/Doe.PNG"]
    assert len({one.file(name) for name in names}) == len(names)
    assert one.file("A/Doe.png") == Pseudonyms(b"1" * 32).file("A/Doe.png") != other.file("A/Doe.png")
    assert one.file("A/1.smith").count(".") == 0
    assert one.patient("") == ""
    assert one.patient("Doe") != one.file("Doe")
    assert one.id != other.id


def test_a_run_with_names_keeps_them(tmp_path: Path) -> None:
    run = new_run(persons(tmp_path / "set"), runs_dir())
    assert run.split["file"].str.contains("Kowalski").any()
    assert any("names of persons" in warning for warning in run.warnings)
    assert run.picture(run.split["file"].iloc[0]).is_file()
