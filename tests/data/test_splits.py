"""Splits: whole by patient, in proportion by class, the same for the same seed; what is given stays."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxr_core.data.dataset import scan, split
from cxr_core.data.splits import assign
from cxr_core.errors import ConfigError, DatasetError
from tests.images.files import tree


def table(counts: dict[str, int], split: str = "", patients: int = 0, seed: int = 0) -> pd.DataFrame:
    """Samples without files: ``patients`` > 0 shares them out among so many patients of each class."""
    random = np.random.default_rng(seed)
    rows = [
        {
            "file": f"{label}/{index:04d}.png",
            "label": label,
            "split": split,
            "patient": f"{label}-{random.integers(patients)}" if patients else "",
            "digest": f"{label}{index:08x}",
        }
        for label, count in counts.items()
        for index in range(count)
    ]
    return pd.DataFrame(rows)


def shares(samples: pd.DataFrame) -> pd.DataFrame:
    return pd.crosstab(samples["split"], samples["label"])


def test_fractions_are_met_in_every_class() -> None:
    found = shares(assign(table({"A": 100, "B": 60, "C": 13}), 0.2, 0.1, 0))
    assert found.loc["val"].tolist() == [20, 12, 3]
    assert found.loc["test"].tolist() == [10, 6, 1]


def test_given_splits_stay() -> None:
    samples = pd.concat([table({"A": 40, "B": 40}, "train"), table({"A": 10, "B": 10}, "test")], ignore_index=True)
    filled = assign(samples, 0.25, 0.5, 3)
    assert (filled["split"] == "test").equals(samples["split"] == "test")
    assert (filled["split"] == "val").sum() == 20
    everything = pd.concat([samples, table({"A": 5, "B": 5}, "val")], ignore_index=True)
    assert assign(everything, 0.25, 0.25, 3).equals(everything)
    assert samples["split"].isin(["train", "test"]).all()


def test_same_seed_same_split_other_seed_other_split() -> None:
    samples = table({"A": 50, "B": 50})
    assert assign(samples, 0.2, 0.2, 7).equals(assign(samples, 0.2, 0.2, 7))
    assert not assign(samples, 0.2, 0.2, 7).equals(assign(samples, 0.2, 0.2, 8))
    shuffled = assign(samples.sample(frac=1, random_state=1), 0.2, 0.2, 7).sort_index()
    assert shuffled.equals(assign(samples, 0.2, 0.2, 7))


def test_new_images_move_few_of_the_others() -> None:
    before = assign(table({"A": 200, "B": 200}), 0.2, 0.2, 0).set_index("file")["split"]
    after = assign(table({"A": 210, "B": 200}), 0.2, 0.2, 0).set_index("file")["split"]
    assert (after[before.index] != before).mean() < 0.05


@settings(max_examples=60, deadline=None)
@given(
    counts=st.dictionaries(st.sampled_from("ABCD"), st.integers(4, 60), min_size=2),
    patients=st.integers(0, 30),
    seed=st.integers(0, 10**6),
)
def test_no_patient_and_no_copy_on_two_sides(counts: dict[str, int], patients: int, seed: int) -> None:
    samples = table(counts, patients=patients, seed=seed)
    random = np.random.default_rng(seed)
    copies = random.choice(len(samples), 3)
    samples.loc[copies, "digest"] = "copy"
    try:
        filled = assign(samples, 0.2, 0.2, seed)
    except DatasetError:
        # Only where patients are so few that none can be spared.
        assert 0 < patients <= 12
        return
    assert filled.drop(columns="split").equals(samples.drop(columns="split"))
    assert set(filled["split"]) <= {"train", "val", "test"}
    assert set(filled.loc[filled["split"] == "train", "label"]) == set(counts)
    for column in ("patient", "digest"):
        known = filled[filled[column] != ""]
        assert (known.groupby(column)["split"].nunique() == 1).all()


def test_large_groups_still_give_every_class_a_validation_image() -> None:
    samples = table({"A": 40, "B": 40})
    samples["patient"] = [f"{label}{index // 10}" for index, label in enumerate(samples["label"])]
    found = shares(assign(samples, 0.05, 0, 0))
    assert found.loc["val"].tolist() == [10, 10]


def test_what_cannot_be_split_is_said() -> None:
    samples = table({"A": 10, "B": 10})
    for val, test in ((-0.1, 0.2), (0.2, 1.0), (0.5, 0.5)):
        with pytest.raises(ConfigError, match="fractions"):
            assign(samples, val, test, 0)
    with pytest.raises(DatasetError, match="at least two classes, got only A"):
        assign(table({"A": 10}), 0.2, 0.2, 0)
    with pytest.raises(DatasetError, match="got 0 of C"):
        assign(pd.concat([samples, table({"C": 3}, "test")], ignore_index=True), 0.2, 0.2, 0)
    with pytest.raises(DatasetError, match="too few"):
        assign(table({"A": 1, "B": 1}), 0.2, 0.2, 0)
    samples["patient"] = samples["label"]
    with pytest.raises(DatasetError, match="too few patients"):
        assign(samples, 0.2, 0.2, 0)
    with pytest.raises(DatasetError, match="got 0 of"):
        assign(table({"A": 5, "B": 5}, "test"), 0, 0, 0)


def test_split_of_a_scan(tmp_path: Path) -> None:
    found = scan(tree(tmp_path / "set", {"A": 20, "B": 20}))
    assert shares(split(found, 0.2, 0.2, 0)).loc[["train", "val", "test"]].to_numpy().tolist() == [
        [12, 12],
        [4, 4],
        [4, 4],
    ]
    assert set(found.samples["split"]) == {""}


def test_the_real_set_keeps_its_test_split_and_parts_no_patient_of_its_train_split(real_data: Path) -> None:
    found = scan(real_data / "covid-cxr")
    filled = split(found, 0.15, 0.15, 0)
    assert (filled["split"] == "test").equals(found.samples["split"] == "test")
    known = filled[filled["patient"] != ""]
    assert (known[known["split"] != "test"].groupby("patient")["split"].nunique() == 1).all()
    # Five patients stand in both given splits: that is how the data came, and given splits are not changed.
    parted = found.samples[found.samples["patient"] != ""].groupby("patient")["split"].nunique()
    assert (parted > 1).sum() == 5
    assert shares(filled).loc["val"].tolist() == [34, 47, 47]


def test_classes_that_differ_in_case_only_are_said_to_be_two() -> None:
    rows = [("NORMAL", "train"), ("PNEUMONIA", "train"), ("Normal", "test"), ("Pneumonia", "test")]
    table = pd.DataFrame(
        [
            {"file": f"{k}.png", "label": label, "split": part, "patient": "", "source": "", "digest": str(k)}
            for k, (label, part) in enumerate(rows)
        ]
    )
    with pytest.raises(DatasetError, match=r"Normal and NORMAL differ in case only.*name the folders"):
        assign(table, 0, 0, seed=0)


def test_a_class_of_two_images_has_one_on_each_side() -> None:
    found = shares(assign(table({"A": 2, "B": 2}), 0, 0.3, 0))
    assert found.loc["test"].tolist() == [1, 1]


def test_a_class_of_few_patients_gives_its_smallest_ones_to_test_and_val() -> None:
    samples = table({"A": 60, "C": 17})
    # Patients of C with 3, 4 and 10 images: none comes closer to the two images that are wanted.
    samples["patient"] = [
        "" if label == "A" else "xyyyyzzzzzzzzzzww"[k - 60] for k, label in enumerate(samples["label"])
    ]
    samples.loc[samples["patient"].isin(["x", "w"]), "patient"] = "x"
    for seed in range(10):
        found = shares(assign(samples, 0.06, 0.06, seed))
        assert (found.loc["test", "C"], found.loc["val", "C"], found.loc["train", "C"]) == (3, 4, 10)


@pytest.mark.parametrize("shared", [1, 2])
def test_no_class_loses_its_last_training_image_to_a_patient_of_two_classes(shared: int) -> None:
    """A is carried by ``shared`` patients alone, who have many images of B: to take all of them would suit B."""
    samples = table({"A": shared, "B": 100})
    samples["patient"] = [f"a{k}" for k in range(shared)] + [f"a{k % shared}" if k < 10 else "" for k in range(100)]
    for seed in range(20):
        found = shares(assign(samples, 0.2, 0.3, seed))
        assert found.loc["train", "A"] >= 1
