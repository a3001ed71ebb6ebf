"""Values of DICOM elements as exporters write them: a number with a decimal comma, text padded with NUL, US for SS.

``integer(dataset, "Rows")``, ``numbers(dataset, "WindowCenter")``, ``text(dataset, "PresentationLUTShape")``. What is
missing or makes no sense is ``None`` (or an empty list, or ""), never an exception: what to do then is the reader's
decision. Nothing here looks at an element that was not asked for.
"""

from typing import Any

import numpy as np

_WORDS = {"US": "u2", "SS": "i2", "OW": "u2", "UL": "u4", "SL": "i4", "FL": "f4", "FD": "f8"}
_TEXTS = ("CS", "DS", "IS", "LO", "SH", "ST", "AS", "UI", "UT", "LT", "UC")


def integer(dataset: Any, keyword: str, signed: bool = False) -> int | None:
    """A whole number; ``signed``: how to take 16 bits that the standard leaves open ("US or SS")."""
    found = integers(dataset, keyword, signed)
    return found[0] if found else None


def integers(dataset: Any, keyword: str, signed: bool = False) -> list[int]:
    """All whole numbers of an element, [] where one of them is none."""
    vr, value, order = _raw(dataset, keyword)
    if vr in _TEXTS:
        found = numbers(dataset, keyword)
        return [int(number) for number in found if number is not None] if None not in found else []
    if vr in ("US", "SS", "US or SS", "OW"):
        kind = f"{order}i2" if signed else f"{order}u2"
        return [int(number) for number in np.frombuffer(value[: len(value) // 2 * 2], kind)]
    if vr in ("UL", "SL"):
        return [int(number) for number in np.frombuffer(value[: len(value) // 4 * 4], order + _WORDS[vr])]
    return []


def numbers(dataset: Any, keyword: str) -> list[float | None]:
    """Each value of an element as a finite number, with a decimal point or a comma; None for what is none."""
    vr, value, order = _raw(dataset, keyword)
    if vr in _TEXTS:
        return [_number(part) for part in _decoded(value).split("\\")] if value.strip(b" \0") else []
    if vr not in _WORDS:
        return []
    kind = np.dtype(order + _WORDS[vr])
    whole = np.frombuffer(value[: len(value) // kind.itemsize * kind.itemsize], kind)
    return [float(number) if np.isfinite(number) else None for number in whole]


def text(dataset: Any, keyword: str) -> str:
    """The first value of a text, upper case, without padding."""
    vr, value, _ = _raw(dataset, keyword)
    return _decoded(value).split("\\")[0].strip(" \0").upper() if vr in _TEXTS else ""


def data(dataset: Any, keyword: str) -> tuple[bytes, str]:
    """The bytes of an element and their order, ``<`` or ``>``; empty where it is missing."""
    _, value, order = _raw(dataset, keyword)
    return value, order


def items(dataset: Any, keyword: str) -> list[Any]:
    """The items of a sequence; [] where it is missing or cannot be parsed."""
    try:
        return list(dataset.get(keyword) or [])
    except Exception:  # the library parses here, and raises anything on damage
        return []


def _raw(dataset: Any, keyword: str) -> tuple[str, bytes, str]:
    """Kind of value (VR), bytes and byte order of an element; "", b"" and "<" where it is missing."""
    from pydicom.datadict import dictionary_VR
    from pydicom.dataelem import RawDataElement

    element = dataset.get_item(keyword)
    if element is None:
        return "", b"", "<"
    if isinstance(element, RawDataElement):
        vr = element.VR if element.VR not in (None, "UN") else dictionary_VR(element.tag)
        return str(vr), bytes(element.value or b""), "<" if element.is_little_endian else ">"
    return str(element.VR), _as_bytes(str(element.VR), element.value), "<"


def _as_bytes(vr: str, value: Any) -> bytes:
    """A value that was parsed already, as it would stand in a file."""
    if isinstance(value, bytes) or value is None:
        return value or b""
    parts = list(value) if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue" else [value]
    if vr in _TEXTS:
        return "\\".join(str(part) for part in parts).encode("ascii", "replace")
    return np.asarray(parts).astype("<" + _WORDS.get(vr, "u2")).tobytes()


def _decoded(value: bytes) -> str:
    return value.decode("ascii", "replace")


def _number(part: str) -> float | None:
    try:
        number = float(part.strip(" \0").replace(",", "."))
    except ValueError:
        return None
    return number if np.isfinite(number) else None
