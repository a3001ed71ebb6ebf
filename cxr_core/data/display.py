"""Stored values of a DICOM image -> 8-bit grey, in the standard's order (PS3.3 C.11): modality, then VOI."""

from typing import Any

import numpy as np

from cxr_core.data import grey

# Further out than any stored value: what a window makes of them is its black and its white.
_EXTREMES = np.array([-1e12, 1e12])


def displayed(dataset: Any, stored: np.ndarray) -> np.ndarray:
    """uint8 of the shape of ``stored``: modality LUT or rescale, VOI LUT or window, MONOCHROME1 inverted.

    Without either, the stored values are scaled as in a PNG of the same depth. May raise anything on a hostile header.
    """
    picture = _windowed(dataset, _rescaled(dataset, stored))
    return 255 - picture if dataset.PhotometricInterpretation == "MONOCHROME1" else picture


def _rescaled(dataset: Any, stored: np.ndarray) -> np.ndarray:
    from pydicom.pixels import apply_rescale

    if dataset.get("ModalityLUTSequence"):
        return _looked_up(stored, dataset.ModalityLUTSequence[0])
    if (float(dataset.get("RescaleSlope") or 1), float(dataset.get("RescaleIntercept") or 0)) == (1.0, 0.0):
        return stored
    return apply_rescale(stored, dataset)


def _windowed(dataset: Any, values: np.ndarray) -> np.ndarray:
    from pydicom.pixels import apply_windowing

    if dataset.get("VOILUTSequence"):
        table = dataset.VOILUTSequence[0]
        return grey.from_range(_looked_up(values, table), 0, 2 ** int(table.LUTDescriptor[2]) - 1)
    if _has_window(dataset):
        with np.errstate(over="ignore"):
            low, high = apply_windowing(_EXTREMES, dataset)
        return grey.from_range(apply_windowing(values, dataset), low, high)
    return grey.from_numbers(values)


def _has_window(dataset: Any) -> bool:
    """A width below 1, an empty or a missing value is common in exports, and says nothing."""
    center, width = dataset.get("WindowCenter"), dataset.get("WindowWidth")
    if center is None or width is None:
        return False
    first = width[0] if hasattr(width, "__len__") else width
    return float(first) > 1


def _looked_up(values: np.ndarray, item: Any) -> np.ndarray:
    """Apply a modality or VOI LUT (PS3.3 C.11.1.1): values before the first and after the last entry take its ends."""
    entries, first = int(item.LUTDescriptor[0]) or 2**16, int(item.LUTDescriptor[1])
    data = item.LUTData
    table = np.frombuffer(data, "<u2") if isinstance(data, bytes) else np.asarray(data)
    table = table[:entries].astype(np.uint16)
    return table[np.clip(np.round(values).astype(np.int64) - first, 0, len(table) - 1)]
