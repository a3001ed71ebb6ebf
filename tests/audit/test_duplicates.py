"""Copies are found whatever was done to them; strangers are not."""

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from cxr_core.audit.alignment import agreement
from cxr_core.audit.auditing import leaks
from cxr_core.audit.duplicates import RADIUS, Pair, duplicates, search
from cxr_core.audit.traits import traits_of
from cxr_core.data.dataset import scan
from tests.runs_support import noise

CHANGES = {
    "resized": lambda picture: picture.resize((picture.width * 2 // 3, picture.height * 2 // 3)),
    "re-encoded": lambda picture: picture,
    "cropped": lambda picture: picture.crop(
        (picture.width // 25, 0, picture.width - picture.width // 50, picture.height - picture.height // 30)
    ),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.2),
    "harder": lambda picture: ImageEnhance.Contrast(picture).enhance(0.75),
    "mirrored": ImageOps.mirror,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_across_splits_is_found(change: str, tiny_dataset: Path, tmp_path: Path) -> None:
    files = sorted(tiny_dataset.glob("train/*/*.png"))
    for file in files:
        target = tmp_path / "train" / file.parent.name / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    original = files[3]
    other = "NORMAL" if original.parent.name != "NORMAL" else "COVID19"
    (tmp_path / "test" / other).mkdir(parents=True)
    CHANGES[change](Image.open(original)).save(tmp_path / "test" / other / "copy.jpg", quality=80)
    dataset = scan(tmp_path)
    pairs = [pair for pair in duplicates(dataset.samples, traits_of(dataset)) if "test" in pair.splits]
    # Shots of one drawn patient are as alike as copies; nobody else's is.
    patient = original.name.split("_")[0]
    assert original.relative_to(tiny_dataset).as_posix() in {file for pair in pairs for file in (pair.a, pair.b)}
    assert all(Path(file).name.startswith((patient, "copy")) for pair in pairs for file in (pair.a, pair.b))
    assert (pairs[0].kind, pairs[0].relation, pairs[0].leaks) == ("near", "label-conflict", True)
    assert pairs[0].mirrored == (change == "mirrored")


def test_exact_copies_have_distance_zero(tmp_path: Path, tiny_dataset: Path) -> None:
    content = next(tiny_dataset.glob("train/NORMAL/*.png")).read_bytes()
    for place in ("A/1.png", "A/2.png", "B/3.png"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_bytes(content)
    dataset = scan(tmp_path)
    pairs = duplicates(dataset.samples, traits_of(dataset))
    assert [(pair.a, pair.b, pair.kind, pair.relation, pair.distance) for pair in pairs] == [
        ("A/1.png", "B/3.png", "exact", "label-conflict", 0),
        ("A/1.png", "A/2.png", "exact", "same-class", 0),
    ]
    assert not any(pair.leaks for pair in pairs)


def test_a_search_finds_what_comparing_all_finds() -> None:
    random = np.random.default_rng(0)
    hashes = random.integers(0, 2**63, 300, dtype=np.uint64) & np.uint64(0xFFFF)
    pairs, distances, _ = search(hashes, hashes, 3)
    expected = {
        (a, b): (int(hashes[a]) ^ int(hashes[b])).bit_count()
        for a in range(300)
        for b in range(a + 1, 300)
        if (int(hashes[a]) ^ int(hashes[b])).bit_count() <= 3
    }
    assert {(int(a), int(b)): int(d) for (a, b), d in zip(pairs, distances, strict=True)} == expected


def test_twenty_thousand_hashes_take_seconds() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**63, 20_000, dtype=np.uint64)
    hashes[777] = hashes[19_000] ^ np.uint64(0b1011)
    started = time.monotonic()
    pairs, distances, _ = search(hashes, hashes, 8)
    assert [777, 19_000] in pairs.tolist()
    assert distances[pairs.tolist().index([777, 19_000])] == 3
    assert time.monotonic() - started < 20
    assert RADIUS < 32


def test_agreement_knows_a_picture_from_its_noise() -> None:
    random = np.random.default_rng(0)
    a = np.stack([np.asarray(Image.fromarray(random.integers(0, 256, (24, 24), np.uint8)).resize((64, 64)))] * 3)
    b = np.stack([a[0], 255 - a[0], random.integers(0, 256, (64, 64), np.uint8)])
    same, inverse, other = agreement(a, b)
    assert same > 0.99
    assert inverse < 0.5
    assert abs(other) < 0.3
    assert agreement(np.zeros((1, 64, 64), np.uint8), np.zeros((1, 64, 64), np.uint8))[0] == 0


def test_a_second_look_reads_no_picture(tmp_path: Path, tiny_dataset: Path) -> None:
    dataset = scan(tiny_dataset)
    first = traits_of(dataset)
    counted: list[tuple[int, int]] = []
    second = traits_of(dataset, lambda done, total: counted.append((done, total)))
    assert not counted
    assert (first.hashes == second.hashes).all()
    assert (first.small == second.small).all()
    for kept in (tmp_path / "cache" / "looks").glob("*.npy"):
        kept.write_bytes(b"damaged")
    assert (traits_of(dataset).hashes == first.hashes).all()


@pytest.mark.parametrize("one", ["train", "val", "test", ""])
@pytest.mark.parametrize("other", ["train", "val", "test", ""])
def test_a_leak_is_a_picture_of_the_test_that_is_learnt_from_or_chosen_by(one: str, other: str, tmp_path: Path) -> None:
    """Validation beside test is a leak too: the epoch and the thresholds are chosen on that very picture."""
    expected = "test" in (one, other) and bool({"train", "val"} & {one, other})
    assert Pair("a", "b", "exact", "same-class", (one, other), 0, 1.0, False).leaks == expected
    if "" in (one, other):
        return
    noise(tmp_path / one / "A" / "1.png", 1)
    noise(tmp_path / other / "A" / "2.png", 1)
    noise(tmp_path / other / "B" / "3.png", 2)
    assert bool(leaks(scan(tmp_path))) == expected
