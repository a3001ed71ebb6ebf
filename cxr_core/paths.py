"""A path as somebody names it (typed, in a link, in a flag, in the environment) -> one to ask the system for.

``given("~/xrays")`` looks at the text alone and touches no disk; what cannot be a path is a CxrError that says why.
``shown(path)`` is how a message or a page writes a path that came from outside. ``kind_of`` says what lies there.
"""

import os
import stat
from functools import cache
from pathlib import Path

from cxr_core.errors import CxrError, DatasetError

# What file systems allow, in bytes: of one name, and of a path (Linux).
MAX_NAME, MAX_PATH = 255, 4096
_SHOWN = 300
# Their files are made by the system when they are read, and some of them never end.
_VIRTUAL = ("/proc", "/sys")


def given(text: str | Path, kind: type[CxrError] = DatasetError) -> Path:
    """The absolute path that ``text`` names, ``~`` and ``..`` written out, links kept. Raises ``kind``."""
    named = str(text)
    if not named.strip():
        raise kind("Expected the path of a folder or a file, got an empty one.")
    if "\0" in named:
        raise kind(f"{shown(named)}: there is no such folder or file, for no path holds the sign NUL. Check the path.")
    try:
        length = len(named.encode("utf-8"))
    except UnicodeEncodeError:
        raise kind(
            f"{shown(named)}: its name is no valid text (UTF-8), so it cannot be written down. Rename it, or give the "
            "path of a link to it."
        ) from None
    if length > MAX_PATH or any(len(part.encode("utf-8")) > MAX_NAME for part in Path(named).parts):
        raise kind(
            f"{shown(named)}: there is no such folder or file, for a path has at most {MAX_PATH:,} bytes and each name "
            f"in it {MAX_NAME}; this one has {length:,}. Check the path."
        )
    try:
        return Path(os.path.abspath(Path(named).expanduser()))
    except RuntimeError:
        raise kind(f"{shown(named)}: there is no user of this name on this machine. Write the path out.") from None


def printable(text: str) -> str:
    """``text`` with the signs replaced that do not print, or that turn the direction in which it is read."""
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def shown(path: str | Path) -> str:
    """A path to be read by a person, printable, a long one cut in its middle."""
    text = printable(str(path))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]} … {text[-_SHOWN // 2 :]}"


def kind_of(about: os.stat_result) -> str:
    """What a path is, in words: a folder, a file, or what has no content of its own."""
    if is_virtual(about):
        return "something that the operating system makes when it is read"
    kinds = {stat.S_ISREG: "a file", stat.S_ISDIR: "a folder", stat.S_ISFIFO: "a pipe", stat.S_ISSOCK: "a socket"}
    return next((word for holds, word in kinds.items() if holds(about.st_mode)), "a device")


def is_virtual(about: os.stat_result) -> bool:
    """Whether a path lies in a file system that the operating system makes up."""
    return about.st_dev in _virtual_devices()


@cache
def _virtual_devices() -> frozenset[int]:
    return frozenset(os.stat(path).st_dev for path in _VIRTUAL if os.path.ismount(path))
