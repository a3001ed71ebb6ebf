"""The drawn data set: the same bytes for the same seed, no shortcut to the class, and never over someone's files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxr_core import demo, images
from cxr_core.data.dataset import scan
from cxr_core.demo.phantom import FINDINGS, SOURCES, phantom
from cxr_core.errors import DatasetError


def content(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_it_is_a_data_set_with_patients_and_sources(tiny_dataset: Path) -> None:
    found = scan(tiny_dataset)
    assert (found.layout, found.classes, found.splits) == ("split folders", sorted(FINDINGS), ["train", "test"])
    assert found.unreadable.empty
    assert len(found.samples) == 36
    assert found.counts().min(axis=None) >= 2
    assert found.counts().loc["test"].sum() == pytest.approx(9, abs=1)
    assert (found.samples["patient"] != "").all()
    assert set(found.samples["source"]) <= set(SOURCES)
    patients = found.samples.groupby("patient")
    assert (patients[["split", "label", "source"]].nunique() == 1).all(axis=None)
    assert patients.size().between(1, 3).all()
    assert found.samples["digest"].is_unique
    assert found.samples[["width", "height"]].min(axis=None) >= 230
    assert "Drawings, not X-rays" in (tiny_dataset / "ABOUT.md").read_text(encoding="utf-8")


def test_same_seed_same_bytes(tiny_dataset: Path, tmp_path: Path) -> None:
    assert content(demo.draw(tmp_path / "again", images=36, seed=0)) == content(tiny_dataset)
    other = content(demo.draw(tmp_path / "other", images=36, seed=1))
    assert not set(other.values()) & {data for name, data in content(tiny_dataset).items() if name.endswith(".png")}


@pytest.mark.parametrize("count", [12, 13, 29])
def test_exactly_so_many_images(tmp_path: Path, count: int) -> None:
    seen: list[tuple[int, int]] = []
    found = scan(demo.draw(tmp_path / "set", images=count, progress=lambda done, total: seen.append((done, total))))
    assert len(found.samples) == count
    assert found.counts().min(axis=None) >= 1
    assert seen[-1] == (count, count)


def test_it_is_drawn_once_and_never_over_other_files(tmp_path: Path) -> None:
    out = demo.draw(tmp_path / "deep" / "set", images=12)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert demo.draw(out, images=12) == out
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    with pytest.raises(DatasetError, match="new or empty folder"):
        demo.draw(out, images=12, seed=5)
    next(out.glob("train/*/*.png")).unlink()
    with pytest.raises(DatasetError, match="expected the 12 drawn images, found 11"):
        demo.draw(out, images=12)
    (tmp_path / "empty").mkdir()
    assert demo.draw(tmp_path / "empty", images=12) == tmp_path / "empty"
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(DatasetError, match="something else"):
        demo.draw(tmp_path / "file", images=12)
    with pytest.raises(DatasetError, match="cannot be written"):
        demo.draw(tmp_path / "file" / "below", images=12)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"
    for count, seed in ((11, 0), (20_001, 0), (12, -1)):
        with pytest.raises(DatasetError, match="12 to 20000"):
            demo.draw(tmp_path / "bad", images=count, seed=seed)


def test_a_stopped_drawing_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.draw(tmp_path / "set", images=30, progress=stop)
    assert not [path for path in tmp_path.iterdir() if "set" in path.name]


def test_brightness_does_not_tell_the_class(tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    found = scan(demo.draw(tmp_path / "set", images=240, seed=3))
    pictures = [np.asarray(images.decode(found.path(file).read_bytes(), file)) for file in found.samples["file"]]
    brightness = np.array([[picture.mean() / 255, picture.std() / 255] for picture in pictures])
    train = (found.samples["split"] == "train").to_numpy()
    labels = found.samples["label"].to_numpy()
    model = LogisticRegression().fit(brightness[train], labels[train])
    majority = pd.Series(labels[~train]).value_counts(normalize=True).iloc[0]
    assert model.score(brightness[~train], labels[~train]) < majority + 0.15
    # Nor does the source: every class comes from each of them.
    assert (pd.crosstab(found.samples["label"], found.samples["source"]) > 0).all(axis=None)


@pytest.mark.parametrize("source", SOURCES)
def test_the_same_patient_differs_by_finding_only_in_the_lungs(source: str) -> None:
    drawn = {finding: phantom(4, 0, finding, source, 0).astype(int) for finding in FINDINGS}
    assert drawn["NORMAL"].shape == drawn["COVID19"].shape == drawn["PNEUMONIA"].shape
    assert np.array_equal(drawn["NORMAL"], phantom(4, 0, "NORMAL", source, 0))
    normal = drawn["NORMAL"]
    height, width = normal.shape
    for finding in ("COVID19", "PNEUMONIA"):
        haze = drawn[finding] - normal
        lungs = haze[height // 5 : 4 * height // 5, width // 8 : 7 * width // 8]
        assert np.abs(haze).max() > 20
        assert lungs.std() > 1.5 * haze[-height // 10 :].std()


def test_shots_of_one_patient_differ() -> None:
    assert not np.array_equal(
        phantom(1, 0, "NORMAL", "drawn-a", 0)[:200, :200], phantom(1, 1, "NORMAL", "drawn-a", 0)[:200, :200]
    )
