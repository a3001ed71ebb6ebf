"""What closed pages leave behind: their uploads go after a minute, those of open pages never."""

import gc
import weakref
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from starlette.formparsers import MultiPartParser
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from cxr_core.server.tidy import AWAY_SECONDS, Tidier, give_back


@dataclass
class Sessions:
    """As much of Streamlit's runtime as tidying sees: sessions that are open, and those kept for a while."""

    open: set[str]
    away: set[str] = field(default_factory=set)
    uploaded_file_mgr: MemoryUploadedFileManager = field(default_factory=lambda: MemoryUploadedFileManager("/upload"))
    closed: list[str] = field(default_factory=list)

    @property
    def _session_mgr(self) -> Any:
        return self

    def list_sessions(self) -> list[Any]:
        return [SimpleNamespace(session=SimpleNamespace(id=name)) for name in self.open | self.away]

    def is_active_session(self, name: str) -> bool:
        return name in self.open

    def close_session(self, name: str) -> None:
        self.away.discard(name)
        self.closed.append(name)
        self.uploaded_file_mgr.remove_session_files(name)

    def upload(self, name: str, content: bytes = b"x") -> None:
        file = UploadedFileRec(file_id=f"{name}-1", name="a.png", type="image/png", data=content)
        self.uploaded_file_mgr.add_file(name, file)


def tidied(sessions: Any, tidier: Tidier, now: float) -> bool:
    return tidier.tidy(sessions, now)


def test_a_page_that_comes_back_within_a_minute_keeps_its_uploads() -> None:
    sessions, tidier = Sessions({"a"}), Tidier()
    sessions.upload("a")
    assert not tidied(sessions, tidier, 0)
    sessions.open, sessions.away = set(), {"a"}
    assert not tidied(sessions, tidier, 10)
    assert not tidied(sessions, tidier, 10 + AWAY_SECONDS - 1)
    sessions.open, sessions.away = {"a"}, set()
    assert not tidied(sessions, tidier, 1_000)
    # Away again: counted from now.
    sessions.open, sessions.away = set(), {"a"}
    assert not tidied(sessions, tidier, 2_000)
    assert not tidied(sessions, tidier, 2_000 + AWAY_SECONDS - 1)
    assert sessions.uploaded_file_mgr.get_files("a", ["a-1"])
    assert tidied(sessions, tidier, 2_000 + AWAY_SECONDS)
    assert sessions.closed == ["a"]
    assert not sessions.uploaded_file_mgr.file_storage


@given(st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")))
def test_uploads_of_nobody_go_at_once_and_those_of_somebody_stay(known: set[str], uploaders: set[str]) -> None:
    sessions = Sessions(set(known))
    for name in uploaders:
        sessions.upload(name)
    assert tidied(sessions, Tidier(), 0) == bool(uploaders - known)
    assert set(sessions.uploaded_file_mgr.file_storage) == uploaders & known
    assert sessions.closed == []


def test_what_was_held_in_circles_is_collected() -> None:
    class Held:
        pass

    one, two = Held(), Held()
    one.other, two.other = two, one  # type: ignore[attr-defined]
    gone = weakref.ref(one)
    enabled = gc.isenabled()
    gc.disable()
    try:
        del one, two
        assert gone() is not None
        give_back()
        assert gone() is None
    finally:
        if enabled:
            gc.enable()


def test_starlette_still_has_the_limit_above_which_uploads_go_to_disk() -> None:
    assert isinstance(MultiPartParser.spool_max_size, int)
