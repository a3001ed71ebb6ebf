"""Marks on images: written once, undone, never lost to a second writer; honoured at training, never in the test."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from cxr_core.data.marks import FILE, LABEL_WRONG, LEAVE_OUT, add, leave_out, read, undo
from cxr_core.errors import ConfigError, DatasetError
from tests.runs_support import new_run


def samples() -> pd.DataFrame:
    rows = [
        {"digest": f"{part}{label}{k}", "label": label, "split": part, "file": f"{part}/{label}/{k}.png"}
        for part, many in (("train", 3), ("val", 2), ("test", 2))
        for label in ("A", "B")
        for k in range(many)
    ]
    return pd.DataFrame(rows)


def marks(folder: Path, *digests: str) -> pd.DataFrame:
    for digest in digests:
        add(folder, digest, f"{digest}.png", "A", LEAVE_OUT)
    return read(folder)


def test_no_table_is_an_empty_one(tmp_path: Path) -> None:
    assert read(tmp_path / "nowhere").empty
    undo(tmp_path, "x", LEAVE_OUT)
    assert not (tmp_path / FILE).exists()


def test_a_mark_is_read_back_replaced_and_undone(tmp_path: Path) -> None:
    add(tmp_path, "0012", 'a, "b".png', "1", LABEL_WRONG, "  an effusion,\n on the left ")
    add(tmp_path, "0012", 'a, "b".png', "1", LEAVE_OUT)
    row = read(tmp_path).iloc[0]
    assert (row["digest"], row["file"], row["label"], row["action"]) == ("0012", 'a, "b".png', "1", LABEL_WRONG)
    assert row["reason"] == "an effusion, on the left"
    assert pd.Timestamp(row["time"]).tzinfo is not None
    add(tmp_path, "0012", 'a, "b".png', "1", LABEL_WRONG, "no, on the right")
    assert sorted(read(tmp_path)["reason"]) == ["", "no, on the right"]
    undo(tmp_path, "0012", LABEL_WRONG)
    undo(tmp_path, "0012", LABEL_WRONG)
    assert read(tmp_path)["action"].tolist() == [LEAVE_OUT]


def test_the_right_label_is_kept_and_tables_of_before_are_read(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(
        "digest,file,label,action,reason,time\na,a.png,A,leave-out,,2026-01-01T00:00:00+00:00\n"
    )
    assert read(tmp_path)["right"].tolist() == [""]
    add(tmp_path, "b", "b.png", "A", LABEL_WRONG, right="B")
    assert read(tmp_path)["right"].tolist() == ["", "B"]
    for action, right in ((LEAVE_OUT, "B"), (LABEL_WRONG, "A")):
        with pytest.raises(ConfigError, match="expected another label than A"):
            add(tmp_path, "c", "c.png", "A", action, right=right)
    assert len(read(tmp_path)) == 2


def test_writers_do_not_lose_each_others_marks(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda k: add(tmp_path, str(k), f"{k}.png", "A", LEAVE_OUT), range(40)))
    assert sorted(read(tmp_path)["digest"].astype(int)) == list(range(40))


@pytest.mark.parametrize(
    "content", ["", "digest,file\n", "\x00\x01", "digest,file,label,action,reason,time\na,b,c,d,e,f"]
)
def test_a_damaged_table_says_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    for call in (lambda: read(tmp_path), lambda: add(tmp_path, "a", "b", "c", LEAVE_OUT)):
        with pytest.raises(DatasetError, match="Restore it"):
            call()
    assert (tmp_path / FILE).read_text() == content


def test_wrong_marks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected label-wrong or leave-out"):
        add(tmp_path, "a", "b", "c", "delete")
    with pytest.raises(ConfigError, match="at most 300 characters, got 301"):
        add(tmp_path, "a", "b", "c", LEAVE_OUT, "x" * 301)


def test_marked_images_leave_train_and_a_taken_validation_but_never_the_test(tmp_path: Path) -> None:
    table = marks(tmp_path, "trainA0", "valB1", "testA0", "elsewhere")
    kept, said = leave_out(samples(), table, keep_val=False)
    assert set(samples()["digest"]) - set(kept["digest"]) == {"trainA0", "valB1"}
    assert "1 of 6 from training and 1 of 4 from validation" in said[0]
    assert "1 marked image is in the test split" in said[1]
    kept, said = leave_out(samples(), table, keep_val=True)
    assert set(samples()["digest"]) - set(kept["digest"]) == {"trainA0"}
    assert "2 marked images are in the test or the given validation split" in said[1]


def test_nothing_marked_changes_nothing(tmp_path: Path) -> None:
    kept, said = leave_out(samples(), read(tmp_path), keep_val=False)
    pd.testing.assert_frame_equal(kept, samples())
    assert said == []


def test_a_class_or_a_split_without_an_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="All training images of A are marked"):
        leave_out(samples(), marks(tmp_path, "trainA0", "trainA1", "trainA2"), keep_val=False)
    with pytest.raises(DatasetError, match="All validation images are marked"):
        leave_out(samples(), marks(tmp_path / "b", "valA0", "valA1", "valB0", "valB1"), keep_val=False)


def test_a_run_honours_marks_only_where_asked(tiny_dataset: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    plain = new_run(tiny_dataset, runs)
    chosen = {part: plain.split.query("split == @part").iloc[0] for part in ("train", "val", "test")}
    for row in chosen.values():
        add(runs, row["digest"], row["file"], row["label"], LABEL_WRONG)
    pd.testing.assert_frame_equal(new_run(tiny_dataset, runs).split, plain.split)

    run = new_run(tiny_dataset, runs, corrections=True)
    expected = plain.split[~plain.split["digest"].isin([chosen["train"]["digest"], chosen["val"]["digest"]])]
    pd.testing.assert_frame_equal(run.split, expected.reset_index(drop=True))
    assert sum(run.info.counts["train"].values()) == sum(plain.info.counts["train"].values()) - 1
    assert run.info.counts["test"] == plain.info.counts["test"]
    assert any("marked as wrong or to be left out were taken out: 1 of" in warning for warning in run.warnings)
    assert any("1 marked image is in the test split" in warning for warning in run.warnings)
