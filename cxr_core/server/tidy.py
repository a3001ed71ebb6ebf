"""What a closed page leaves behind is given up soon: its session, its uploads, and the memory that they took.

``dashboard.py`` hands :func:`lifespan` to ``st.App``. Streamlit keeps the session of a closed page for two minutes, so
that a page whose network failed for a moment finds itself again, and then only forgets it: the uploads stay until the
next garbage collection, which nothing on an idle server brings about, and glibc keeps what was freed. So here, every
few seconds: sessions that are away for a minute are shut down, uploads that belong to no session are dropped, and where
something was given up the memory goes back to the system.
"""

import asyncio
import ctypes
import gc
import logging
import platform
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import streamlit as st
from starlette.formparsers import MultiPartParser
from streamlit.runtime import Runtime, get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

LOGGER = logging.getLogger(__name__)

AWAY_SECONDS = 60
EVERY_SECONDS = 10


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncGenerator[None]:
    """Tidy up as long as the server runs."""
    # What is uploaded stays in memory, as the pages say: above 1 MB Starlette would write it to a temporary file.
    MultiPartParser.spool_max_size = (int(st.get_option("server.maxUploadSize")) + 1) << 20
    task = asyncio.create_task(_keep_tidy(), name="tidy")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _keep_tidy() -> None:
    tidier = Tidier()
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            if tidier.tidy(get_instance(), time.monotonic()):
                # Beside the server's loop: collecting takes a tenth of a second or two.
                await asyncio.to_thread(give_back)
        except Exception:
            LOGGER.exception("What closed pages left behind could not be given up.")


class Tidier:
    """Knows since when which session is away."""

    def __init__(self) -> None:
        self._away: dict[str, float] = {}

    def tidy(self, runtime: Runtime, now: float) -> bool:
        """Shut down the sessions that are away for long, drop uploads that are nobody's; whether there were any."""
        manager = runtime._session_mgr
        sessions = {info.session.id for info in manager.list_sessions()}
        away = {name for name in sessions if not manager.is_active_session(name)}
        self._away = {name: self._away.get(name, now) for name in away}
        gone = [name for name, since in self._away.items() if now - since >= AWAY_SECONDS]
        for name in gone:
            runtime.close_session(name)
        uploads = runtime.uploaded_file_mgr
        assert isinstance(uploads, MemoryUploadedFileManager)
        orphaned = [name for name in list(uploads.file_storage) if name not in sessions]
        for name in orphaned:
            uploads.remove_session_files(name)
        return bool(gone or orphaned)


def give_back() -> None:
    """Collect what a session held in circles, and return free memory to the system where glibc keeps it."""
    gc.collect()
    if platform.system() == "Linux" and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL("libc.so.6").malloc_trim(0)
