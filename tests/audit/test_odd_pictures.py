"""What the audit says of single pictures: what was left out and why, and children by age or by name."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from cxr_core.audit.auditing import audit
from cxr_core.audit.issues import Issue
from cxr_core.audit.kinds import LEAVE_OUT, QUESTIONED
from cxr_core.data.dataset import Dataset, scan
from cxr_core.images.dicom.files import facts
from cxr_core.images.gate import KINDS, withheld
from cxr_core.images.reading import pixels
from tests.images.files import radiograph


@pytest.fixture
def root(tiny_dataset: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_dataset, tmp_path / "set")


def found_in(dataset: Dataset) -> dict[str, Issue]:
    return {issue.kind: issue for issue in audit(dataset).issues}


def with_ages(root: Path, ages: list[str], column: str = "age") -> list[str]:
    """Write ages into sources.csv, to its first rows; returns their files."""
    table = pd.read_csv(root / "sources.csv", dtype=str, keep_default_na=False).sort_values("file")
    table[column] = [*ages, *[""] * (len(table) - len(ages))]
    table.to_csv(root / "sources.csv", index=False)
    return table["file"].tolist()[: len(ages)]


def test_cut_files_are_named_apart_from_unreadable_ones(root: Path) -> None:
    whole = min(root.glob("train/NORMAL/*.png")).read_bytes()
    (root / "train/NORMAL/cut.png").write_bytes(whole[:900])
    (root / "train/NORMAL/note.png").write_text("no picture")
    for dataset in (scan(root), scan(root)):  # the second one from what was kept
        found = found_in(dataset)
        assert found["truncated"].files == ("train/NORMAL/cut.png",)
        assert "1 of 38 files cut short" in found["truncated"].message
        assert found["unreadable"].files == ("train/NORMAL/note.png",)
        assert "1 of 38 files cannot be read" in found["unreadable"].message
        assert "train/NORMAL/cut.png" not in set(dataset.samples["file"])
    (root / "train/NORMAL/note.png").unlink()
    found = found_in(scan(root))
    assert "unreadable" not in found
    assert "truncated" in found


@pytest.mark.parametrize("column", ["age", "Patient Age"])
def test_children_are_found_by_their_age(root: Path, column: str) -> None:
    files = with_ages(root, ["017Y", "64", "200M", "18"], column)
    dataset = scan(root)
    issue = found_in(dataset)["children"]
    assert issue.files == (files[0], files[2])
    assert issue.severity == "warns"
    assert issue.fixes == (LEAVE_OUT,)
    assert "1 of 10 COVID19, 1 of 13 NORMAL, 0 of 13 PNEUMONIA" in issue.message
    assert "below 18 years; age known for 4 of 36" in issue.message


def test_without_a_child_nothing_is_said_and_the_kept_audit_is_not_used_for_other_ages(root: Path) -> None:
    with_ages(root, ["60"] * 36)
    before = scan(root)
    assert "children" not in found_in(before)
    with_ages(root, ["6"] * 36)
    after = scan(root)
    assert after.digest == before.digest
    issue = found_in(after)["children"]
    assert issue.severity == "informs"
    assert issue.fixes == ()
    assert "the scores are of children" in issue.message


def test_a_known_age_decides_and_the_name_elsewhere(root: Path) -> None:
    first, second, *_ = sorted(path for path in root.glob("train/NORMAL/*.png"))
    first.rename(first.with_name("person1_virus_6.png"))
    second.rename(second.with_name("person2_bacteria_3.png"))
    table = pd.DataFrame({"file": ["train/NORMAL/person1_virus_6.png"], "age": ["40"]})
    table.to_csv(root / "sources.csv", index=False)
    issue = found_in(scan(root))["children"]
    assert issue.files == ("train/NORMAL/person2_bacteria_3.png",)
    assert "named as those of children" in issue.message
    assert "below" not in issue.message


def test_wrong_ages_are_said_once_and_count_as_unknown(root: Path) -> None:
    files = with_ages(root, ["411", "old", "-1", "64", "unknown", "411"])
    dataset = scan(root)
    assert dataset.samples["age"].notna().sum() == 1
    found = found_in(dataset)
    assert set(found["ages"].files) == {files[0], files[1], files[2], files[5]}
    assert "4 of 36 images have an age" in found["ages"].message
    assert "411, old, -1" in found["ages"].message
    assert "children" not in found


def test_what_predict_would_question_is_said_with_the_reason(root: Path) -> None:
    """Each picture that the gate withholds an answer for is in a warning, and in that of its reason alone."""
    source = Image.open(min(root.glob("train/NORMAL/*.png"))).convert("L")
    spoilt = {
        "turned": ImageOps.flip(source),
        "inverted": ImageOps.invert(source),
        "blank": Image.new("L", source.size, 90),
        "few greys": source.point(lambda grey: 255 * (grey > 128) if grey % 64 else 80).quantize(3).convert("L"),
        "fine detail": Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 300), np.uint8)),
        "no detail": source.resize((8, 8)).resize((300, 300), Image.Resampling.BICUBIC),
    }
    for kind, picture in spoilt.items():
        picture.save(root / "train" / "NORMAL" / f"{kind}.png")
    values = np.asarray(source)
    headers: dict[str, dict[str, Any]] = {
        "modality": {"Modality": "CT"},
        "body part": {"Modality": "DX", "BodyPartExamined": "HAND"},
        "lateral": {"Modality": "DX", "ViewPosition": "RLD"},
        "polarity": {"Modality": "DX", "PresentationLUTShape": "INVERSE"},
    }
    for kind, tags in headers.items():
        (root / "train" / "NORMAL" / f"{kind}.dcm").write_bytes(radiograph(values, 8, **tags))
    dataset = scan(root)
    found = found_in(dataset)
    for file in dataset.samples["file"]:
        content = (root / file).read_bytes()
        reason = withheld(content, file, pixels(content, file), 0, 1, facts(content))
        said = [kind for kind in KINDS if kind in found and file in found[kind].files]
        assert bool(said) == bool(reason)
        assert len(said) <= 1
        name = Path(file).stem
        if name in {*spoilt, *KINDS}:
            assert said == [name], file
            assert found[name].severity == "warns"
            assert found[name].fixes == (LEAVE_OUT,)
            assert f"1 of {len(dataset.samples)} images is questioned" in found[name].message


def test_every_reason_has_words(root: Path) -> None:
    assert set(QUESTIONED) == set(KINDS)
    assert all(len(kind) <= 16 for kind in KINDS)
