"""What a person said of a data set stands beside it in a readable file, and every scan reads by it."""

import json
from pathlib import Path

import pytest

from cxr_core.data.answers import Answers, change, file_of, forget, said
from cxr_core.data.dataset import scan
from cxr_core.data.sets.description import Description
from cxr_core.errors import DatasetError
from cxr_core.settings import data_dir
from tests.data.sets.standins import MAKERS
from tests.images.files import tree, write


def test_a_rule_is_kept_and_every_scan_reads_by_it(tmp_path: Path) -> None:
    standin = MAKERS["CheXpert"](tmp_path / "set")
    change(standin.root, rules={"views": "all"})
    assert len(scan(standin.root).samples) == 2 * len(standin.rows)
    change(standin.root, rules={"missing": "kept"})
    assert said(standin.root).rules == {"views": "all", "missing": "kept"}
    kept = json.loads(file_of(standin.root).read_text(encoding="utf-8"))
    assert kept == {"data": str(standin.root), "rules": {"views": "all", "missing": "kept"}, "description": None}
    assert file_of(standin.root).is_relative_to(data_dir())
    forget(standin.root)
    assert said(standin.root) == Answers()
    assert len(scan(standin.root).samples) == len(standin.rows)


def test_it_is_kept_for_a_data_set_and_not_for_a_name_of_it(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"A": 1, "B": 1})
    (tmp_path / "link").symlink_to(root)
    change(tmp_path / "link", rules={"masks": "kept"})
    assert said(root).rules == {"masks": "kept"}
    assert said(tmp_path / "other" / "set") == Answers()


def test_a_description_reads_a_folder_and_its_table(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for n, name in enumerate("abc"):
        write(root / "pictures" / f"{name}.png", n)
    (root / "t.csv").write_text("scan,oedema,who\na,oui,x\nb,non,y\nc,oui,y\n", encoding="utf-8")
    description = Description(file="scan", labels=("oedema",), patient="who", yes=("oui",), no=("non",))
    change(root, description=description)
    found = scan(root)
    assert (found.task, found.classes, found.origin.tables) == ("findings", ["oedema"], ("t.csv",))
    assert found.values[:, 0].tolist() == [1, 0, 1]
    assert found.samples["patient"].tolist() == ["x", "y", "y"]
    assert found.origin.description is not None
    assert Description.model_validate(found.origin.description) == description
    by_table = scan(root / "t.csv", answers=Answers(description=description))
    assert by_table.digest == found.digest


def test_a_description_of_no_table_says_so(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"A": 1, "B": 1})
    change(root, description=Description(file="scan", labels=("oedema",)))
    with pytest.raises(DatasetError, match=r"expected one table with the columns oedema, scan .* got none"):
        scan(root)


def test_a_rule_that_the_data_set_does_not_have(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"A": 1, "B": 1})
    with pytest.raises(DatasetError, match="has no choice 'all' for the rule 'views'"):
        scan(root, answers=Answers(rules={"views": "all"}))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"rules": {}, "description": {"file": 3}}', '{"rules": 1}'])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    root = tree(tmp_path / "set", {"A": 1, "B": 1})
    path = file_of(root)
    path.parent.mkdir(parents=True)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DatasetError, match="is damaged"):
        scan(root)
