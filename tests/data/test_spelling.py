"""What the names of classes give away, said in a caution; and what a table's label cannot be."""

from pathlib import Path

import pandas as pd
import pytest

from cxr_core.__main__ import main
from cxr_core.audit.auditing import audit
from cxr_core.data.answers import Answers
from cxr_core.data.cautions import cautions
from cxr_core.data.dataset import scan
from cxr_core.data.spelling import class_names
from cxr_core.errors import DatasetError
from tests.images.files import tree


def kinds(labels: list[str], folder: str = "") -> list[str]:
    files = [f"{folder}{k}.png" for k in range(len(labels))]
    return [kind for kind, _ in class_names(pd.DataFrame({"file": files, "label": labels}))]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["NORMAL", "PNEUMONIA"], []),
        (["COVID19", "COVID-19"], []),
        (["Normal", "NORMAL", "Pneumonia"], ["spelling"]),
        (["No Finding", "NO_FINDING", "no-finding", "Mass"], ["spelling"]),
        (["Größe", "GRÖSSE", "e\u0301", "\u00e9"], ["spelling", "spelling"]),
        (["Normal", "None"], ["missing"]),
        (["nan", "A", "NULL"], ["missing"]),
        (["COVID", "COVID, Effusion"], ["several"]),
        (["COVID", "Mass; COVID", "Effusion|Mass"], ["several"]),
        (["Mild, left", "Mild, right"], []),
        (["a", "b", "c", "d", "e"] * 2, ["folders"]),
        (["a", "b", "c", "d", "e"] * 3, []),
        (["a", "b", "c"], []),
    ],
)
def test_names_of_classes(labels: list[str], expected: list[str]) -> None:
    assert kinds(labels) == expected


def test_the_sentence_counts_the_images_of_each_spelling() -> None:
    table = pd.DataFrame({"file": [str(k) for k in range(5)], "label": ["a b", "A_B", "A_B", "c", "c"]})
    ((_, sentence),) = class_names(table)
    assert sentence.startswith("A_B (2), a b (1) differ in case, spaces or hyphens only and are 2 classes here")


@pytest.mark.parametrize("folder", ["masks", "Lung Mask"])
def test_masks_beside_images_are_no_images(folder: str, tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"A/images": 2, f"A/{folder}": 1, f"B/{folder}": 1, "B": 1})
    found = scan(root)
    assert (len(found.samples), found.origin.left_out) == (3, (("masks", 2),))
    assert not [sentence for sentence in cautions(found.samples, root) if "masks" in sentence]
    kept = scan(root, answers=Answers(rules={"masks": "kept"}))
    assert len(kept.samples) == 5
    assert [sentence.split(" images")[0] for sentence in cautions(kept.samples, root) if "masks" in sentence] == [
        "2 of 5"
    ]


@pytest.mark.parametrize(("folder", "masks"), [("annotations", 2), ("unmasked", 0)])
def test_what_may_be_masks_is_said(folder: str, masks: int, tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"A/images": 2, f"A/{folder}": 1, f"B/{folder}": 1, "B": 1})
    said = [sentence for sentence in cautions(scan(root).samples, root) if "masks" in sentence]
    assert [sentence.split(" images")[0] for sentence in said] == ([f"{masks} of 5"] if masks else [])


def labelled(folder: Path, labels: list[str]) -> Path:
    tree(folder, {"pictures": len(labels)})
    rows = "".join(f'pictures/{k:03d}.png,"{label}"\n' for k, label in enumerate(labels))
    (folder / "labels.csv").write_text(f"file,label\n{rows}", encoding="utf-8")
    return folder


@pytest.mark.parametrize("word", ["nan", "NaN", "NULL", "<NA>", "N/A"])
def test_a_tables_word_for_a_missing_value_is_no_class(word: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"labels.csv, line 3: the label is missing"):
        scan(labelled(tmp_path, ["A", word, "B"]))


@pytest.mark.parametrize("several", ["A|B", "A;B", "A | B"])
def test_a_tables_several_findings_are_findings(tmp_path: Path, several: str) -> None:
    found = scan(labelled(tmp_path, ["A", several, "B"]))
    assert (found.task, found.classes) == ("findings", ["A", "B"])
    assert found.values.tolist() == [[1, 0], [1, 1], [0, 1]]
    assert found.samples["label"].tolist() == ["A", "A | B", "B"]


def test_scan_and_audit_say_it_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = labelled(tmp_path, ["Normal", "NORMAL", "None", "None, Mass"])
    assert main(["scan", "--data", str(root)]) == 0
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Note: ")]
    assert sum("differ in case" in note for note in notes) == 1
    assert {"spelling", "missing", "several"} <= {issue.kind for issue in audit(scan(root)).issues}
