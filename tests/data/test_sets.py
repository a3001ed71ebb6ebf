"""Every public set, as it is downloaded: recognised, and read exactly."""

from pathlib import Path

import pandas as pd
import pytest

from cxr_core.data.sets import registry as sets
from tests.data.sets.standins import CHEXPERT_NAMES, MAKERS, Standin, nih


@pytest.fixture(params=list(MAKERS))
def standin(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Standin]:
    return request.param, MAKERS[request.param](tmp_path / "set", rounds=2)


def expected(made: Standin, columns: list[str]) -> pd.DataFrame:
    rows = {row.file: row.labels for row in made.rows if isinstance(row.labels, dict)}
    return pd.DataFrame(
        [[labels.get(name, made.otherwise) for name in columns] for labels in rows.values()],
        index=list(rows),
        columns=columns,
        dtype="float32",
    )


def test_reads_exactly(standin: tuple[str, Standin]) -> None:
    name, made = standin
    reader = sets.recognise(made.root)
    assert reader is not None
    assert reader.name == name
    record = sets.read(made.root)
    assert record.set == name
    assert record.attribution
    assert record.rule.endswith(".")
    columns = ["file", "patient", "age", "sex", "view", "source", "split"]
    truth = pd.DataFrame([vars(row) for row in made.rows])
    found = record.images.sort_values("file", ignore_index=True)
    wanted = truth.sort_values("file", ignore_index=True)
    pd.testing.assert_frame_equal(found[columns], wanted[columns], check_dtype=False)
    assert dict(record.left_out) == made.left_out
    if record.task == "exclusive":
        assert found["label"].tolist() == wanted["labels"].tolist()
        assert record.labels.shape == (len(made.rows), 0)
    else:
        labels = record.labels.set_axis(record.images["file"]).rename_axis(None)
        assert (record.labels.dtypes == "float32").all()
        assert set().union(*(row.labels for row in made.rows)) <= set(labels.columns)
        columns = list(labels.columns)
        pd.testing.assert_frame_equal(
            labels.sort_index(), expected(made, columns).sort_index(), check_index_type=False, check_column_type=False
        )


def test_the_files_are_there(standin: tuple[str, Standin]) -> None:
    _, made = standin
    assert all((made.root / file).is_file() for file in sets.read(made.root).images["file"])


def test_a_rule_can_be_switched_off(standin: tuple[str, Standin]) -> None:
    _, made = standin
    reader = sets.recognise(made.root)
    assert reader is not None
    usual = sets.read(made.root)
    counted = dict(usual.left_out)
    off = {rule: choices[1] for rule, choices in reader.choices.items() if rule in counted}
    for rule, choice in off.items():
        other = sets.read(made.root, {rule: choice})
        assert dict(other.left_out).get(rule, 0) == 0
        assert other.rules == {**usual.rules, rule: choice}
    everything = sets.read(made.root, off)
    assert len(everything.images) == len(usual.images) + sum(counted[rule] for rule in off)


def test_overlaps_are_said_both_ways() -> None:
    names = {reader.name for reader in sets.READERS}
    assert len(names) == len(sets.READERS) == len(MAKERS)
    for reader in sets.READERS:
        for other, why in reader.overlaps.items():
            assert other in names
            assert why
            assert sets.overlap(other, reader.name)
    assert sets.overlap("NIH ChestX-ray14", "RSNA Pneumonia 2018") == "all images of RSNA are NIH images"
    assert sets.overlap("NIH ChestX-ray14", "PadChest") == ""


def test_none_of_them(tmp_path: Path) -> None:
    made = Standin(tmp_path, ("a",))
    for split in ("train", "test"):
        for name in ("NORMAL", "PNEUMONIA", "COVID19"):
            made.draw(f"{split}/{name}/{name}{split}.png")
    made.table("sources.csv", "file,patient", ["train/NORMAL/x.png,1"])
    assert sets.recognise(tmp_path) is None


def test_boxes_come_with_their_images(tmp_path: Path) -> None:
    record = sets.read(nih(tmp_path).root)
    assert record.boxes is not None
    assert record.boxes["finding"].tolist() == ["Cardiomegaly"]
    assert record.images["file"][record.boxes["image"][0]] == "images_001/images/00000001_000.png"
    vin = sets.read(MAKERS["VinBigData"](tmp_path / "vin").root)
    assert vin.boxes is not None
    assert len(vin.boxes) == 12
    assert (vin.boxes["width"] > 0).all()


@pytest.mark.parametrize(("rule", "doubted"), [("any", 1.0), ("majority", 0.0), ("share", 1 / 3)])
def test_readers_are_reduced_by_a_named_rule(tmp_path: Path, rule: str, doubted: float) -> None:
    record = sets.read(MAKERS["VinDr-CXR"](tmp_path).root, {"readers": rule})
    assert record.agreement is not None
    row = int((record.images["split"] == "train").to_numpy().argmax())
    first = record.labels.iloc[row]
    assert first["ILD"] == pytest.approx(doubted)
    assert first["Cardiomegaly"] == pytest.approx(2 / 3 if rule == "share" else 1.0)
    assert record.agreement.iloc[row]["ILD"] == pytest.approx(1 / 3)
    assert record.counts().loc["ILD", "blank"] == 0


def test_a_table_by_its_path_is_that_table_alone(tmp_path: Path) -> None:
    made = MAKERS["CheXpert"](tmp_path)
    record = sets.read(made.root / "valid.csv")
    assert set(record.images["split"]) == {"val"}
    assert record.tables == ("valid.csv",)
    listed = MAKERS["COVIDx"](tmp_path / "covidx")
    alone = sets.read(listed.root / "labels" / "test_COVIDx9A.txt")
    assert alone.root == listed.root
    assert set(alone.images["split"]) == {"test"}


def test_the_test_labels_of_chexpert_have_a_path_and_labels_alone(tmp_path: Path) -> None:
    made = Standin(tmp_path, CHEXPERT_NAMES)
    below = "test/patient64741/study1"
    for view in ("view1_frontal", "view2_lateral"):
        made.draw(f"{below}/{view}.jpg")
    lines = [f"CheXpert/{below}/{view}.jpg,{','.join('01' * 7)}" for view in ("view1_frontal", "view2_lateral")]
    made.table("test_labels.csv", f"Path,{','.join(CHEXPERT_NAMES)}", lines)
    record = sets.read(tmp_path)
    assert record.images.loc[0, ["file", "patient", "view", "split"]].tolist() == [
        f"{below}/view1_frontal.jpg",
        "patient64741",
        "frontal",
        "test",
    ]
    assert record.left_out == [("views", 1), ("missing", 0)]


def test_a_view_that_is_not_known_is_said(tmp_path: Path) -> None:
    made = MAKERS["covid-chestxray-dataset"](tmp_path)
    path = made.root / "metadata.csv"
    path.write_text(path.read_text().replace(",AP,", ",Sideways,"))
    record = sets.read(made.root)
    assert len(record.images) == len(made.rows)
    assert record.problems == ["1 of 5 images have a view that is not known (Sideways): they count as frontal."]


def test_other_choices(tmp_path: Path) -> None:
    classes = sets.read(MAKERS["RSNA Pneumonia 2018"](tmp_path / "a").root, {"labels": "class"})
    assert classes.task == "exclusive"
    assert set(classes.images["label"]) == {"Lung Opacity", "Normal", "No Lung Opacity / Not Normal"}
    causes = sets.read(MAKERS["Kermany"](tmp_path / "b").root, {"pneumonia": "by cause"})
    assert set(causes.images["label"]) == {"NORMAL", "PNEUMONIA bacteria", "PNEUMONIA virus"}
    kinds = sets.read(MAKERS["TBX11K"](tmp_path / "c", rounds=2).root, {"tuberculosis": "by kind"})
    assert "Active tuberculosis" in set(kinds.images["label"])
    negbio = sets.read(MAKERS["MIMIC-CXR-JPG"](tmp_path / "d").root, {"labeller": "negbio"})
    assert dict(negbio.left_out)["no label"] == 15


def test_counts_tell_uncertain_from_blank(tmp_path: Path) -> None:
    counts = sets.read(MAKERS["CheXpert"](tmp_path).root).counts()
    assert counts.loc["Edema"].to_dict() == {"yes": 0, "no": 0, "uncertain": 1, "blank": 5}
    assert counts.loc["Cardiomegaly"].to_dict() == {"yes": 2, "no": 1, "uncertain": 0, "blank": 3}


def test_kermany_says_what_is_not_documented(tmp_path: Path) -> None:
    problems = " ".join(sets.read(MAKERS["Kermany"](tmp_path).root).problems)
    assert "occur in several splits" in problems


def test_an_age_that_is_none_is_counted(tmp_path: Path) -> None:
    record = sets.read(nih(tmp_path).root)
    assert any(problem.startswith("1 of 7") and "no age" in problem for problem in record.problems)
    assert pd.isna(record.images["age"][0])
