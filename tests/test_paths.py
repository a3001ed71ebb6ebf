"""A path that somebody names: what it means, and what is said of one that cannot be."""

import os
from pathlib import Path

import pytest

from cxr_core.errors import CxrError, DatasetError, WeightsError
from cxr_core.paths import given, printable, shown

# What no system call takes, or takes badly; each page and each command that takes a path is given all of them.
IMPOSSIBLE = {
    "": "got an empty one",
    "  ": "got an empty one",
    "~nobody-of-this-name/x": "no user of this name",
    "bad\0name": "NUL",
    "/" + "x" * 3000: "each name in it 255",
    "/x" * 3000: "at most 4,096 bytes",
    "/srv/\udcff\udcfe": "no valid text",
}


@pytest.mark.parametrize(("text", "why"), IMPOSSIBLE.items())
def test_what_cannot_be_a_path_says_why(text: str, why: str) -> None:
    with pytest.raises(DatasetError) as raised:
        given(text)
    assert why in str(raised.value)
    assert len(str(raised.value)) < 600
    str(raised.value).encode("utf-8")


def test_the_kind_of_error_is_the_callers() -> None:
    with pytest.raises(WeightsError):
        given("a\0b", WeightsError)
    assert issubclass(WeightsError, CxrError)


def test_home_and_dots_are_written_out_and_links_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path)
    assert given("~/x") == Path.home() / "x"
    assert given("a/../link") == tmp_path / "link"
    assert str(given("/x" * 2000)) == os.path.abspath("/x" * 2000)


def test_no_disk_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object, **__: object) -> None:
        raise AssertionError("the path was looked up")

    for name in ("stat", "lstat", "scandir", "readlink"):
        monkeypatch.setattr(os, name, asked)
    assert str(given("/nowhere/at/all")) == "/nowhere/at/all"


def test_signs_that_turn_the_reading_are_not_shown() -> None:
    assert printable("/data/\u202egnp.x") == "/data/�gnp.x"
    assert shown("/" + "a" * 5000 + "/end").endswith("/end")
    assert len(shown("a" * 5000)) < 310
