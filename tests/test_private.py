"""Other accounts of the machine see nothing of runs, caches and uploads, unless the owner lets the group in."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cxr_core.__main__ import main
from cxr_core.data.archive import unpack
from cxr_core.data.marks import LEAVE_OUT, add
from cxr_core.errors import ConfigError
from cxr_core.private import make_folder, open_private, private_lock
from cxr_core.settings import cache_dir, close_to_others, data_dir, remember_dataset, replacing, runs_dir, write_atomic
from tests.data.test_archive import data_set, packed
from tests.runs_support import new_run, train

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no modes of files")


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def all_in(*roots: Path) -> list[Path]:
    return [path for root in roots for path in [root, *root.rglob("*")] if not path.is_symlink()]


def wrong(folder: int, file: int, *roots: Path) -> list[str]:
    """What has another mode than it should."""
    return [f"{path} {mode(path):o}" for path in all_in(*roots) if mode(path) != (folder if path.is_dir() else file)]


def test_all_that_is_kept_is_for_this_account_alone(tiny_dataset: Path) -> None:
    run = train(tiny_dataset, runs_dir(), backbone="resnet18", weights="none", hidden=(8,))
    add(runs_dir(), "0" * 32, "a.png", "NORMAL", LEAVE_OUT)
    run.rename("a name")
    remember_dataset(tiny_dataset)
    unpack(packed(data_set()), "set.zip")
    assert main(["evaluate", run.id, "--data", str(tiny_dataset), "--split", "train"]) == 0
    assert main(["audit", "--data", str(tiny_dataset)]) == 0
    assert {path.name for path in cache_dir().iterdir()} == {"features", "scans", "audits", "looks", "speeds.json"}
    assert wrong(0o700, 0o600, runs_dir(), cache_dir(), data_dir()) == []


def test_the_owner_can_let_the_group_in(tiny_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_SHARED", "group")
    new_run(tiny_dataset, runs_dir())
    assert wrong(0o2770, 0o660, runs_dir(), cache_dir()) == []


def test_another_word_for_the_group_is_an_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setenv("CXR_SHARED", "everyone")
    with pytest.raises(ConfigError, match="CXR_SHARED: expected group"):
        write_atomic(runs_dir() / "a", "a")
    assert main(["runs"]) == 1
    assert "CXR_SHARED: expected group" in capsys.readouterr().err


def test_what_a_person_asks_for_elsewhere_is_hers_to_share(tmp_path: Path) -> None:
    write_atomic(tmp_path / "out" / "report.html", "a", private=False)
    assert mode(tmp_path / "out" / "report.html") == 0o644
    assert mode(tmp_path / "out") == 0o755


def test_a_file_is_private_while_it_is_written(tmp_path: Path) -> None:
    with replacing(tmp_path / "a" / "b") as temporary:
        assert mode(temporary) == 0o600
        temporary.write_text("secret")
    with open_private(tmp_path / "a" / "log", "a") as file:
        file.write("secret")
    with private_lock(tmp_path / "a" / ".lock"):
        pass
    assert wrong(0o700, 0o600, tmp_path / "a") == []


def older(root: Path, *names: str) -> Path:
    """What an older version left: folders that anybody can look into."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("{}")
    return root


def test_what_an_older_version_left_is_closed() -> None:
    roots = [
        older(runs_dir(), "20260101-1/run.json", "20260101-1/external/a.csv", "corrections.csv"),
        older(cache_dir(), "scans/a.json", "speeds.json"),
        older(data_dir(), "uploads/set/A/1.png", "demo-600-0/train/A/1.png", "recent.json"),
    ]
    assert len(wrong(0o755, 0o644, *roots)) == 0
    close_to_others()
    assert wrong(0o700, 0o600, *roots) == []


def test_the_group_keeps_what_it_had_where_it_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    root = older(runs_dir(), "20260101-1/run.json")
    monkeypatch.setenv("CXR_SHARED", "group")
    close_to_others()
    assert wrong(0o750, 0o640, root) == []


def test_a_folder_that_serves_for_other_things_stays_open(tmp_path: Path) -> None:
    """The runs may lie in a person's home, or beside data sets that others read."""
    root = older(runs_dir(), "20260101-1/run.json", "Documents/letter.txt", "note.txt")
    (root / "link").symlink_to(older(tmp_path / "elsewhere", "a.txt"))
    close_to_others()
    assert wrong(0o700, 0o600, root / "20260101-1") == []
    assert wrong(0o755, 0o644, root / "Documents", tmp_path / "elsewhere") == []
    assert (mode(root), mode(root / "note.txt")) == (0o755, 0o644)


def test_a_folder_that_is_there_stays_as_its_owner_made_it(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    make_folder(tmp_path / "mine" / "a" / "b")
    assert [mode(tmp_path / name) for name in ("mine", "mine/a", "mine/a/b")] == [0o755, 0o700, 0o700]
