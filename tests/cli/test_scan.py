"""``scan`` as a script uses it: what was recognised, the rules and their change, questions and descriptions."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cxr_core.__main__ import main
from cxr_core.data.answers import change
from tests.data.sets.standins import MAKERS
from tests.images.files import tree, write

Call = Callable[..., tuple[int, str, str]]
KEYS = {
    *("classes", "splits", "unreadable", "cautions", "images", "set", "rule", "task", "labels", "patients", "views"),
    *("sources", "left_out", "question"),
}


@pytest.fixture
def scan(capsys: pytest.CaptureFixture[str]) -> Call:
    """``scan(folder, *flags)``: exit status, standard output, standard error."""

    def run(folder: Path, *rest: object) -> tuple[int, str, str]:
        try:
            status = main(["scan", "--data", str(folder), *map(str, rest)])
        except SystemExit as wrong:
            status = int(str(wrong.code))
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def test_what_was_recognised_is_printed(tmp_path: Path, scan: Call) -> None:
    standin = MAKERS["CheXpert"](tmp_path / "set")
    status, out, _ = scan(standin.root, "--json")
    found = json.loads(out)
    assert status == 0
    assert set(found) == KEYS
    assert (found["set"], found["task"], found["images"]) == ("CheXpert", "findings", len(standin.rows))
    assert found["labels"]["Edema"] == {"yes": 0, "no": 0, "uncertain": 1, "blank": 5}
    assert found["patients"] == len({row.patient for row in standin.rows})
    assert found["views"] == {"AP": 3, "PA": 3}
    assert found["left_out"] == [{"rule": "views", "n": 6}, {"rule": "missing", "n": 1}]
    assert found["question"] is None
    out = scan(standin.root)[1]
    for part in ("set: CheXpert (Irvin", "rule views: frontal (or all)", "left out by the rule views: 6 images"):
        assert part in out


def test_a_rule_holds_from_then_on(tmp_path: Path, scan: Call, capsys: pytest.CaptureFixture[str]) -> None:
    standin = MAKERS["CheXpert"](tmp_path / "set")
    status, out, err = scan(standin.root, "--json", "--rule", "views=all")
    assert (status, json.loads(out)["images"]) == (0, 2 * len(standin.rows))
    assert "Kept in" in err
    assert json.loads(scan(standin.root, "--json")[1])["images"] == 2 * len(standin.rows)
    assert main(["audit", "--data", str(standin.root), "--rule", "views=frontal", "--fixes"]) == 0
    capsys.readouterr()
    assert json.loads(scan(standin.root, "--json")[1])["images"] == len(standin.rows)


def test_a_rule_that_cannot_be_is_not_kept(tmp_path: Path, scan: Call) -> None:
    standin = MAKERS["CheXpert"](tmp_path / "set")
    status, _, err = scan(standin.root, "--rule", "views=some")
    assert status == 1
    assert "no choice 'some' for the rule 'views'" in err
    assert scan(standin.root)[0] == 0
    assert scan(standin.root, "--rule", "views")[0] == 2
    assert scan(standin.root, "--rule", "validation=none")[0] == 1


def test_a_question_is_printed_and_exits_1(tmp_path: Path, scan: Call) -> None:
    root = tree(tmp_path / "set", {"patient1/NORMAL": 2, "patient2/COVID19": 2})
    status, out, err = scan(root, "--json")
    found = json.loads(out)
    assert (status, err) == (1, "")
    assert set(found) == KEYS
    assert found["question"]["asks"] == "Which folder is the class of an image?"
    assert "patient1, patient2 seem to say where images lie" in found["question"]["because"]
    assert found["question"]["proposal"] == {"rules": {"classes": "nearest"}}
    status, out, err = scan(root)
    assert (status, out) == (1, "")
    assert "--rule classes=nearest" in err
    status, out, _ = scan(root, "--json", "--rule", "classes=nearest")
    assert (status, json.loads(out)["classes"]) == (0, ["COVID19", "NORMAL"])


def test_a_table_is_described_with_what_was_proposed(tmp_path: Path, scan: Call) -> None:
    root = tmp_path / "set"
    for n in range(3):
        write(root / "pictures" / f"{n}x.png", n)
    (root / "t.csv").write_text("scan,label,who\n0x,1,a\n1x,0,b\n2x,1,b\n", encoding="utf-8")
    status, out, _ = scan(root, "--json")
    assert status == 1
    assert json.loads(out)["question"]["proposal"]["description"]["labels"] == ["label"]
    told = tmp_path / "told.json"
    status, out, err = scan(root, "--propose", told)
    assert (status, out) == (0, "")
    assert "t.csv has the columns scan, label, who" in err
    assert "To be said: What do the values of label mean?" in err
    assert scan(root, "--propose", told)[0] == 1
    description = json.loads(told.read_text(encoding="utf-8"))
    told.write_text(json.dumps({**description, "patient": "who", "task": "findings"}), encoding="utf-8")
    status, out, _ = scan(root, "--json", "--describe", told)
    found = json.loads(out)
    assert (status, found["task"], found["patients"]) == (0, "findings", 2)
    assert found["labels"] == {"label": {"yes": 2, "no": 1, "uncertain": 0, "blank": 0}}


def test_where_nothing_can_be_proposed_it_is_to_be_filled_in(tmp_path: Path, scan: Call) -> None:
    root = tree(tmp_path / "set", {".": 2})
    (root / "t.csv").write_text("a,b\nx,y\n", encoding="utf-8")
    status, out, err = scan(root, "--propose")
    assert (status, json.loads(out)) == (0, {"file": "", "labels": [], "task": "findings"})
    assert "Which column names the image file?" in err
    told = tmp_path / "told.json"
    told.write_text(out, encoding="utf-8")
    status, _, err = scan(root, "--describe", told)
    assert status == 1
    assert "file: String should have at least 1 character" in err


def test_a_tiny_validation_split_is_said_with_the_offer(tmp_path: Path, scan: Call) -> None:
    root = MAKERS["Kermany"](tmp_path / "set", rounds=3).root
    out = scan(root)[1]
    assert "The validation split has 12 images" in out
    assert "validation = from train" in out
    found = json.loads(scan(root, "--json", "--rule", "validation=from train")[1])
    assert set(found["splits"]) == {"train", "test"}
    assert not [note for note in found["cautions"] if "validation" in note]


def test_what_was_said_is_forgotten(tmp_path: Path, scan: Call) -> None:
    root = tree(tmp_path / "set", {"NORMAL": 2, "COVID19": 2})
    change(root, rules={"views": "all"})
    status, _, err = scan(root)
    assert (status, "no choice 'all'" in err) == (1, True)
    assert scan(root, "--forget")[0] == 0
    assert scan(root)[0] == 0
