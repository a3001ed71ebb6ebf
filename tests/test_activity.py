"""Who did what: the line of each action, from the command line, from Python and from pages."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit import config

from cxr_core import activity
from cxr_core.__main__ import main
from cxr_core.activity import ACTIONS, FILE, Actor, record
from cxr_core.data import fixes, marks
from cxr_core.data.dataset import scan
from cxr_core.runs.decision import clear_operating_point, save_operating_point
from cxr_core.runs.run import Run
from cxr_core.settings import remember_dataset, runs_dir
from tests import ROOT
from tests.pages.support import open_page, texts, tiny_dataset, tiny_run

KEYS = ["time", "user", "via", "action", "what", "run", "data", "counts"]


def lines(runs: Path | None = None) -> list[dict[str, Any]]:
    file = (runs or runs_dir()) / FILE
    return [json.loads(line) for line in file.read_text(encoding="ascii").splitlines() if line] if file.exists() else []


def said(runs: Path | None = None) -> list[tuple[str, str, str]]:
    return [(line["action"], line["what"], line["via"]) for line in lines(runs)]


@pytest.fixture(autouse=True)
def anna(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The account is Anna's, and no page of another test is asked who acts."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "anna")
    before = list(activity._pages)
    activity._pages.clear()
    yield
    activity._pages[:] = before


def test_a_line_has_the_same_keys_whatever_the_action() -> None:
    for action in ACTIONS:
        record(action)
    assert [list(line) for line in lines()] == [KEYS] * len(ACTIONS)
    assert {line["user"] for line in lines()} == {"anna"}
    assert {line["via"] for line in lines()} == {"python"}


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_the_file_is_for_this_account_alone() -> None:
    record("opened")
    assert stat.S_IMODE((runs_dir() / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(runs_dir().stat().st_mode) == 0o700


def test_what_is_there_is_never_changed() -> None:
    record("opened", data="a\nb")
    before = (runs_dir() / FILE).read_bytes()
    record("deleted", run="x")
    assert (runs_dir() / FILE).read_bytes().startswith(before)
    assert len(lines()) == 2


def test_lines_of_many_at_once_do_not_mix(tmp_path: Path) -> None:
    """Threads here, and other processes beside them."""
    code = "from cxr_core.activity import record\nfor n in range(200): record('opened', data='process' * 20)"
    others = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: record("opened", data="thread" * 20), range(400)))
    assert [other.wait(60) for other in others] == [0, 0]
    assert sorted(line["data"][:6] for line in lines()) == ["proces"] * 400 + ["thread"] * 400


def test_after_a_line_that_was_cut_short_the_next_one_is_whole() -> None:
    record("opened")
    file = runs_dir() / FILE
    file.write_bytes(file.read_bytes() + b'{"time": "2026')
    record("deleted", run="x")
    assert json.loads(file.read_text().splitlines()[-1])["run"] == "x"
    assert len(file.read_text().splitlines()) == 3


def test_a_log_that_cannot_be_written_is_said_and_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    (runs_dir() / FILE).mkdir(parents=True)
    marks.add(runs_dir(), "d1", "a.png", "A", marks.LEAVE_OUT)
    assert len(marks.read(runs_dir())) == 1
    warned = capsys.readouterr().err
    assert warned.startswith("warning: ")
    assert FILE in warned
    assert "(fixed) is not in it" in warned


def test_a_page_says_that_nothing_can_be_recorded() -> None:
    (runs_dir() / FILE).mkdir(parents=True)
    at = open_page("pages/1_Dataset.py")
    assert not at.exception
    assert "Who does what cannot be recorded" in texts(at)


def test_a_link_is_not_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs_dir().mkdir(parents=True)
    other = tmp_path / "other.txt"
    other.write_text("mine")
    (runs_dir() / FILE).symlink_to(other)
    record("opened")
    assert other.read_text() == "mine"
    assert "warning" in capsys.readouterr().err


def test_marks_and_fixes_are_fixed_and_taken_back_without_their_reasons(tmp_path: Path) -> None:
    dataset = scan(tiny_dataset(tmp_path / "xrays"))
    file, digest = dataset.samples.iloc[0][["file", "digest"]]
    marks.add(runs_dir(), digest, file, "NORMAL", marks.LABEL_WRONG, "Mrs Miller, born 1950")
    marks.undo(runs_dir(), digest, marks.LABEL_WRONG)
    marks.undo(runs_dir(), digest, marks.LABEL_WRONG)
    name = fixes.move(runs_dir(), dataset, {file: fixes.LEFT_OUT}, "leak: leave out")
    fixes.undo(runs_dir(), name)
    assert [line["what"] for line in lines()] == [
        *("marked: label looks wrong", "mark taken back", "leak: leave out", "fix taken back")
    ]
    assert all(line["counts"] == {"images": 1} for line in lines())
    written = (runs_dir() / FILE).read_text()
    assert "Miller" not in written
    assert Path(file).name not in written


def test_the_command_line(completed_run: Run, tiny_dataset: Path, tmp_path: Path) -> None:
    """One line for each action of a person, in the order they were done."""
    runs = tmp_path / "mine"
    run = Run(_copied(completed_run, runs))
    picture = str(next(tiny_dataset.rglob("*.png")))
    broken = tmp_path / "Miller_Anna.png"
    broken.write_bytes(b"no image")
    for arguments in (
        ["audit", "--data", str(tiny_dataset), "--runs", str(runs)],
        ["predict", str(run.path), picture, str(broken)],
        ["report", str(run.path), "--out", str(tmp_path / "card.md")],
        ["explain", str(run.path), picture, "--class", run.classes[0], "--out", str(tmp_path / "heat.png")],
        ["evaluate", str(run.path), "--data", str(_other(tmp_path))],
        ["runs", "--runs", str(runs)],
    ):
        main(arguments)
    run.delete()
    assert said(runs) == [
        ("opened", "", "command line"),
        ("predicted", "", "command line"),
        ("exported", "model card", "command line"),
        ("predicted", "", "command line"),
        ("exported", "heat map", "command line"),
        ("evaluated", "other collection", "command line"),
        ("deleted", "run", "python"),
    ]
    counted = lines(runs)[1]["counts"]
    assert counted["images"] == 2
    assert counted["unreadable"] == 1
    assert counted["answered"] + counted["withheld"] == 1
    assert lines(runs)[0]["data"] == tiny_dataset.name
    assert {line["run"] for line in lines(runs)[1:]} == {run.id}
    written = (runs / FILE).read_text()
    assert "Miller" not in written
    assert Path(picture).name not in written


def _copied(run: Run, runs: Path) -> Path:
    import shutil

    return Path(shutil.copytree(run.path, runs / run.id))


def _other(tmp_path: Path) -> Path:
    from cxr_core import demo

    return demo.draw(tmp_path / "hospital", images=12, seed=9)


def test_a_worker_adds_nothing_to_what_its_start_has_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(activity.RECORDED, "1")
    record("trained", "started")
    assert lines() == []


def test_a_data_set_is_opened_once_a_visit(tmp_path: Path) -> None:
    root = tiny_dataset(tmp_path / "xrays")
    remember_dataset(root)
    at = open_page("pages/1_Dataset.py", data=str(root))
    assert not at.exception
    at.run()
    assert said() == [("opened", "", "page")]
    assert lines()[0] | {"time": ""} == {
        "time": "",
        "user": "anna",
        "via": "page",
        "action": "opened",
        "what": "",
        "run": None,
        "data": "xrays",
        "counts": {"images": 24, "unreadable": 0},
    }


def test_on_an_open_page_nobody_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account that runs the server is not who looks at its pages from elsewhere."""
    monkeypatch.setenv("CXR_HOSTS", "xray.example.org")
    monkeypatch.setenv("CXR_OPEN", "yes")
    monkeypatch.setenv("CXR_ROOTS", str(tmp_path))
    root = tiny_dataset(tmp_path / "xrays")
    remember_dataset(root)
    open_page("pages/1_Dataset.py", data=str(root))
    assert lines()[0]["user"] == "-"


def test_deleting_and_stopping_from_the_pages(tmp_path: Path) -> None:
    root = tiny_dataset(tmp_path / "xrays")
    run = tiny_run(runs_dir(), root, "completed")
    at = open_page("pages/4_Runs.py", run=run.id)
    at.checkbox(key=f"sure-{run.id}").check().run()
    at.button(key=f"delete-{run.id}").click().run()
    assert not at.exception
    assert said()[-1] == ("deleted", "run", "page")
    assert lines()[-1]["run"] == run.id


def test_a_download_is_recorded_when_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit makes the file on the click, in a thread that knows no page: who asked is known from before."""
    from cxr_core.ui import downloads

    made: list[Any] = []
    monkeypatch.setattr(st, "download_button", lambda label, data, *rest, **options: made.append(data))
    activity.from_pages(lambda: Actor("clara@example.org", "page"), lambda sentence: False)
    downloads.download("Weights", lambda: b"weights", "x.safetensors", None, "weights", run="r1")
    assert lines() == []
    activity.from_pages(lambda: None, lambda sentence: False)
    assert made[0]() == b"weights"
    assert [lines()[0][key] for key in ("user", "via", "action", "what", "run")] == [
        *("clara@example.org", "page", "exported", "weights", "r1")
    ]


def test_no_page_hands_out_a_file_past_the_record() -> None:
    sources = [*(ROOT / "cxr_core" / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
    past = [file.name for file in sources if "st.download_button(" in file.read_text() and file.name != "downloads.py"]
    assert past == []


def test_whom_a_proxy_has_let_through_is_named(tmp_path: Path) -> None:
    """The test of a page has the visitor test@example.com; it counts where the owner said to trust such a header."""
    root = tiny_dataset(tmp_path / "xrays")
    remember_dataset(root)
    before = config.get_option("server.trustedUserHeaders")
    config.set_option("server.trustedUserHeaders", {"X-Forwarded-Email": "email"})
    open_page("pages/1_Dataset.py", data=str(root))
    config.set_option("server.trustedUserHeaders", before)
    assert lines()[0]["user"] == "test@example.com"


def test_thresholds_and_the_cache(tmp_path: Path) -> None:
    run = tiny_run(runs_dir(), tiny_dataset(tmp_path / "xrays"), "completed")
    save_operating_point(run, {run.classes[0]: 0.3})
    clear_operating_point(run)
    main(["cache", "--clear", "--runs", str(runs_dir())])
    assert [row[:2] for row in said()[1:]] == [
        *(("fixed", "thresholds"), ("fixed", "thresholds taken back"), ("deleted", "cache"))
    ]


def test_a_training_with_pseudonyms_does_not_name_its_data_set(tmp_path: Path) -> None:
    run = tiny_run(runs_dir(), tiny_dataset(tmp_path / "Miller_Anna"), "queued", pseudonyms=True)
    assert said() == [("trained", "started", "python")]
    assert lines()[0]["data"] == run.info.dataset_name
    assert "Miller" not in (runs_dir() / FILE).read_text()
