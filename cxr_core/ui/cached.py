"""Cached wrappers: a scan, a predictor, a picture is made once and served to every session."""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from cxr_core import images, reach
from cxr_core.data import Dataset, scan
from cxr_core.data.answers import file_of
from cxr_core.errors import DatasetError
from cxr_core.figures import of
from cxr_core.images import Mask, jpeg
from cxr_core.paths import given
from cxr_core.runs import Run, files, profiles
from cxr_core.settings import Stamp, stamp
from cxr_core.ui.frame import duration

if TYPE_CHECKING:
    from cxr_core.inference import Predictor

SCAN_SECONDS_VALID = 60
# In the session: the scans that the person stopped, by path, and how far each was.
STOPPED = "scans-stopped"
THUMBNAIL_SIDE = 256
FULL_SIDE = 2048


def cached_scan(root: Path | str, known: tuple[str, ...] = ()) -> Dataset:
    """The data set at ``root``. Held for a minute, so that turning a page need not visit every file; a bar shows how
    far the first scan is, with a button that stops it. Raises DatasetError, also for one that was stopped.
    ``forget_scans()`` looks again. ``known``: names that are classes for certain, as those of a run are.
    """
    path = given(root)
    reach.check(path)
    # What is said of how to read it, in whatever session or command, makes another data set of it.
    held = _held(os.path.realpath(path), stamp(file_of(path)), known)
    if "dataset" not in held:
        stopped = st.session_state.setdefault(STOPPED, {})
        if str(path) in stopped:
            raise DatasetError(
                f"{path}: the scan was stopped after {_far(*stopped[str(path)])}. Nothing was opened. “Look again” on "
                "the Dataset page reads it from there."
            )
        at = [0, 0]
        bar = progress_bar("Reading the data set", "files", partial(stopped.__setitem__, str(path), at))
        with bar as report:

            def far(done: int, total: int) -> None:
                at[:] = done, total
                report(done, total)

            held["dataset"] = scan(path, far, known_classes=known) if known else scan(path, far)
    dataset: Dataset = held["dataset"]
    return dataset


def _far(done: int, total: int) -> str:
    return f"{of(done, total)} files" if total else f"{done:,} files were found"


@st.cache_resource(ttl=SCAN_SECONDS_VALID, max_entries=8, show_spinner=False)
def _held(root: str, answers: Stamp, known: tuple[str, ...]) -> dict[str, Any]:
    # A place to put the scan: a cached function cannot draw a bar that was made outside of it.
    return {}


def forget_scans() -> None:
    """Make the next ``cached_scan`` look at the disk again, also for what was stopped."""
    _held.clear()
    st.session_state.pop(STOPPED, None)


class progress_bar:
    """A bar that says how far, how fast and how long, and vanishes at the end: ``with progress_bar(...) as report``.

    ``report(done, total)``: a total of 0 says that nobody knows it yet. ``stop``: what a click on Stop does, before
    the page is run anew, which ends the work.
    """

    def __init__(self, text: str, unit: str, stop: Callable[[], None] | None = None) -> None:
        self._text, self._unit, self._stop = text, unit, stop
        self._place = st.empty()
        self._bar: DeltaGenerator | None = None
        self._started = self._shown = time.monotonic()

    def __enter__(self) -> Callable[[int, int], None]:
        return self._report

    def __exit__(self, *_: object) -> None:
        self._place.empty()

    def _report(self, done: int, total: int) -> None:
        if 0 < total <= done:
            # What follows is not counted, and a bar that stands still near its end would lie.
            self._place.empty()
            self._bar = None
            return
        now = time.monotonic()
        # Each message costs the browser a redraw.
        if now - self._shown < 0.2:
            return
        self._shown = now
        rate = done / (now - self._started)
        if total:
            left = f", about {duration((total - done) / rate)} left" if rate else ""
            text = f"{self._text}: {of(done, total)} {self._unit}, {rate:,.0f} a second{left}"
        else:
            text = f"{self._text}: {done:,} {self._unit} found so far, {rate:,.0f} a second"
        self._drawn().progress(min(1.0, done / total) if total else 0.0, text)

    def _drawn(self) -> DeltaGenerator:
        """The place of the bar, with the button beside it; neither is there before there is something to say."""
        if self._bar is None:
            with self._place.container(horizontal=True, vertical_alignment="center"):
                self._bar = st.empty()
                if self._stop:
                    st.button("Stop", icon=":material/stop_circle:", key=f"stop-{id(self)}", on_click=self._stop)
        return self._bar


def cached_predictor(run: Run) -> "Predictor":
    """The run's predictor, loaded once for all sessions, and again when its weights or its thresholds change."""
    return _predictor(str(run.path), run.profile, rule_stamps(run))


def rule_stamps(run: Run) -> tuple[Stamp, ...]:
    """When what the run answers by was last changed: weights, thresholds, the site profile that it is used by."""
    return stamp(run.weights_file), stamp(run.path / files.OPERATING_POINT), profiles.stamp_of(run)


@st.cache_resource(max_entries=3, show_spinner="Loading the network")
def _predictor(path: str, profile: str, changed: tuple[Stamp, ...]) -> "Predictor":
    # Imports torch, 4 to 6 seconds the first time.
    from cxr_core.inference import Predictor

    return Predictor.load(Run(Path(path), profile))


def thumbnail(path: Path, side: int = THUMBNAIL_SIDE, colour: bool = False) -> bytes:
    """A JPEG of the image as a network sees it, grey, or with ``colour`` as it was stored; its longer side at most
    ``side`` px. Raises ImageError.
    """
    return _picture(str(path), stamp(path), side, colour)


def full_picture(path: Path) -> bytes:
    """A JPEG of the whole image, as far as a screen can show it (2048 px). Raises ImageError."""
    return thumbnail(path, FULL_SIDE)


@st.cache_data(max_entries=2000, show_spinner=False)
def _picture(path: str, changed: Stamp, side: int, colour: bool) -> bytes:
    picture = images.decode(images.read_bytes(Path(path)), Path(path).name, side=side, colour=colour)
    return jpeg(picture, side)


@st.cache_data(max_entries=200, show_spinner=False)
def cached_pixels(content: bytes, name: str, size: int, view: int, mask: Mask = "none") -> NDArray[np.uint8]:
    """What a network sees of the image, uint8 (size, size). Raises ImageError."""
    return images.pixels(content, name, size, view, mask)
