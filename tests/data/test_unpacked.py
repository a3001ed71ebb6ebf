"""Unpacked zips are listed with their size and deleted whole; what killed processes leave is gone the next time."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cxr_core.data.archive import unpack
from cxr_core.data.dataset import scan
from cxr_core.data.unpacked import Unpacked, find, holding, unpacked_dir, unpacked_zips, workplace
from cxr_core.errors import DatasetError
from tests.images.files import encoded, noise
from tests.mutants import zipped

PICTURE = encoded(noise(1), "PNG")


def unpacked(name: str, images: int = 2) -> Unpacked:
    root = unpack(
        zipped(0, {f"{label}/{n}.png": PICTURE + name.encode() for label in "AB" for n in range(images)}), name
    )
    upload = holding(root)
    assert upload is not None
    return upload


def test_they_are_listed_with_what_they_take(isolated: Path) -> None:
    assert unpacked_zips() == []
    first = unpacked("first.zip")
    os.utime(first.path, (1_700_000_000, 1_700_000_000))
    second = unpacked("second.zip", 3)
    assert [upload.path for upload in unpacked_zips()] == [second.path, first.path]
    assert (first.files, first.bytes) == (4, 4 * len(PICTURE + b"first.zip"))
    assert f"{first.time:%Y-%m-%d %H:%M:%S}" == "2023-11-14 22:13:20"


def test_one_is_found_by_its_name_and_never_by_a_path(isolated: Path) -> None:
    first, second = unpacked("set a.zip"), unpacked("set b.zip")
    assert find(first.name) == first
    assert find("set-b") == second
    (isolated / "data" / "mine").mkdir()
    for name in ("set", "", "none", "../mine", str(first.path), ".", "*"):
        with pytest.raises(DatasetError, match=r"fits 2|There is no unpacked zip"):
            find(name)


def test_one_is_deleted_whole_and_can_come_back(isolated: Path) -> None:
    first, second = unpacked("a.zip"), unpacked("b.zip")
    first.delete()
    assert unpacked_zips() == [second]
    assert os.listdir(unpacked_dir()) == [second.name]
    with pytest.raises(DatasetError, match="cannot be deleted"):
        first.delete()
    with pytest.raises(DatasetError, match=r"no such folder\. Upload the zip again"):
        scan(first.path)
    assert unpacked("a.zip") == first
    assert len(scan(first.path).samples) == 4


def test_what_a_path_lies_in(isolated: Path) -> None:
    first = unpacked("a.zip")
    assert holding(first.path / "A" / "0.png") == first
    assert holding(first.path) == first
    for other in (unpacked_dir(), isolated, unpacked_dir() / "x" / ".." / ".." / "demo", Path("/")):
        assert holding(other) is None
    first.delete()
    assert holding(first.path) == first


def test_a_killed_process_leaves_nothing_for_long_and_a_living_one_is_let_be(isolated: Path) -> None:
    wait = "from cxr_core.data.unpacked import workplace\nimport time\nwith workplace() as w:\n"
    wait += "    (w / 'half.png').write_text('x'); print('ready', flush=True); time.sleep(60)"
    half = [
        subprocess.Popen([sys.executable, "-c", wait], stdout=subprocess.PIPE, env=dict(os.environ), text=True)
        for _ in range(2)
    ]
    try:
        for process in half:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        # As an older version left them, and a deletion that was cut short.
        (unpacked_dir() / ".unpacking-old" / "content").mkdir(parents=True)
        (unpacked_dir() / ".deleted-old" / "A").mkdir(parents=True)
        half[0].send_signal(signal.SIGKILL)
        half[0].wait()
        kept = unpacked("a.zip")
        left = [name for name in os.listdir(unpacked_dir()) if name != kept.name]
        assert len(left) == 1
        assert (unpacked_dir() / left[0] / "content" / "half.png").exists()
        assert unpacked_zips() == [kept], "half an archive is no data set"
    finally:
        for process in half:
            process.kill()
            process.communicate()
    with workplace():
        assert len(os.listdir(unpacked_dir())) == 2
    assert os.listdir(unpacked_dir()) == [kept.name]


def test_two_at_once_do_not_wait_for_each_other(isolated: Path) -> None:
    started = time.monotonic()
    with workplace() as one, workplace() as other:
        assert one != other
        assert unpacked("a.zip").files == 4
    assert time.monotonic() - started < 5
