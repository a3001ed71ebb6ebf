"""Numbers as text, in one hand: on pages, in charts and reports, in messages and on the command line.

    of(171, 220)                            # "171 of 220": a count with what it was counted on
    counted(3, "image")                     # "3 images"
    percent(57, 80)                         # "71 %"
    compact(0.712, (0.601, 0.811))          # "0.712 (0.601–0.811)": tables, charts and reports
    spelled(-0.24, (-0.34, -0.14), 2)       # "−0.24 (−0.34 to −0.14)": sentences, and what may be below 0
    signed(0.024)                           # "+0.024": a difference

Plain text: nothing here is escaped, for a page or for HTML. ``ends`` are those of a 95 % interval; what has none is
written alone, or with ``lacking`` in its place.
"""

from collections.abc import Sequence

UNDEFINED = "–"
NOT_DEFINED = "not defined"
NO_INTERVAL = "(no interval)"

Ends = Sequence[float] | None


def of(part: int, whole: int) -> str:
    """``171 of 220``."""
    return f"{part:,} of {whole:,}"


def counted(count: int, one: str, more: str | None = None) -> str:
    """``1 image``, ``1,200 images``; ``more`` where the plural is not the word with an s."""
    return f"1 {one}" if count == 1 else f"{count:,} {more or one + 's'}"


def percent(part: float, whole: float = 1.0, digits: int = 0) -> str:
    """``71 %``; a dash where there is nothing to divide by."""
    return f"{100 * part / whole:.{digits}f} %" if whole else UNDEFINED


def number(value: float, digits: int = 3) -> str:
    """``0.712``, with a minus sign where it is below 0."""
    return f"{value:.{digits}f}".replace("-", "−")


def signed(value: float, digits: int = 3) -> str:
    """``+0.024`` or ``−0.024``: by how much something differs."""
    return f"{value:+.{digits}f}".replace("-", "−")


def interval(ends: Sequence[float], digits: int = 3) -> str:
    """``0.601 to 0.811``."""
    return f"{number(ends[0], digits)} to {number(ends[1], digits)}"


def likely(value: float) -> str:
    """``62 %`` of a probability; ``over 99 %`` and ``under 1 %`` where rounding would make it sure."""
    if value > 0.99:
        return "over 99 %"
    return "under 1 %" if value < 0.01 else percent(value)


def spelled(value: float, ends: Ends = None, digits: int = 3, lacking: str = "") -> str:
    """``0.712 (0.601 to 0.811)``."""
    return _beside(number(value, digits), f"({interval(ends, digits)})" if ends else lacking)


def compact(value: float | None, ends: Ends = None, digits: int = 3, lacking: str = "") -> str:
    """``0.712 (0.601–0.811)``, for figures from 0 to 1; a dash where the figure is not defined."""
    if value is None:
        return UNDEFINED
    around = f"({ends[0]:.{digits}f}–{ends[1]:.{digits}f})" if ends else lacking
    return _beside(f"{value:.{digits}f}", around)


def _beside(figure: str, around: str) -> str:
    return f"{figure} {around}" if around else figure
