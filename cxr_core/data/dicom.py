"""DICOM files -> 8-bit grey pictures, as a viewer would show them.

``is_dicom(content)`` looks only at the first bytes and costs nothing; ``inspect`` reads header and pixel data;
``decode`` also applies rescale, VOI LUT or window, and inverts MONOCHROME1; ``facts`` are the few facts that may be
shown. Of the patient nothing is read but the age, which ``inspect`` gives and ``facts`` does not
(:mod:`cxr_core.data.elements`).
"""

from typing import Any

import numpy as np
from PIL import Image

from cxr_core.data import codec, limits, terms
from cxr_core.data.ages import years
from cxr_core.data.display import displayed
from cxr_core.data.elements import ends_early, read
from cxr_core.data.elements import is_dicom as is_dicom
from cxr_core.data.limits import ImageInfo
from cxr_core.errors import CutShortError, ImageError


def inspect(content: bytes, name: str) -> ImageInfo:
    """Facts of a DICOM image that can be decoded; raises ImageError as :func:`decode` does, CutShortError where the
    end of the pixels is missing.
    """
    dataset = read(content, name)
    if ends_early(content, dataset):
        raise CutShortError(f"{name}: this DICOM file is cut short. Copy it again from where it came from.")
    info = _header(dataset, name)
    # One row shows whether rescale and window can be applied.
    _displayed(dataset, _stored(dataset, content, info, name)[:1], name)
    return info


def decode(content: bytes, name: str) -> Image.Image:
    """The picture in mode "L", white is dense: see :func:`cxr_core.data.display.displayed`.

    Raises ImageError where the object is no single grey image, is over a limit, or cannot be decoded.
    """
    dataset = read(content, name)
    info = _header(dataset, name)
    return Image.fromarray(_displayed(dataset, _stored(dataset, content, info, name), name))


def facts(content: bytes) -> dict[str, str]:
    """What may be shown of a DICOM file: modality, view, body_part, laterality and size, each only where it is stated.

    Values are terms of the standard, or ``OTHER`` (:mod:`cxr_core.data.terms`): free text, in which a name may have
    been typed, never gets out. Empty for any other kind of file. Raises nothing.
    """
    try:
        dataset = read(content, "", pixels=False) if is_dicom(content) else {}
        stated = {
            "modality": terms.modality(dataset.get("Modality")),
            "view": terms.view(dataset.get("ViewPosition")),
            "body_part": terms.body_part(dataset.get("BodyPartExamined")),
            "laterality": terms.laterality(dataset.get("ImageLaterality") or dataset.get("Laterality")),
            "size": terms.size(dataset.get("Columns"), dataset.get("Rows")),
        }
    except Exception:  # the library parses here, and raises anything on damage; its message may quote the file
        return {}
    return {name: value for name, value in stated.items() if value}


def _header(dataset: Any, name: str) -> ImageInfo:
    """Facts of a single grey image within the limits; ImageError for everything else."""
    if not any(kind in dataset for kind in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise ImageError(
            f"{name}: this DICOM object holds no image (a report, a presentation state, or a file cut short). "
            "Choose the image object of the study."
        )
    try:
        width, height = int(dataset.Columns), int(dataset.Rows)
        frames, samples = int(dataset.get("NumberOfFrames") or 1), int(dataset.SamplesPerPixel)
        photometric = str(dataset.PhotometricInterpretation)
        bits = int(dataset.get("BitsStored") or dataset.BitsAllocated)
    except Exception:  # the library parses here, and raises anything on damage; its message may quote the file
        raise ImageError(
            f"{name}: the DICOM header lacks rows, columns or the kind of pixels, or is damaged. Export the file again."
        ) from None
    limits.check_size(width, height, name)
    limits.check_frames(frames, name)
    if samples != 1 or photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise ImageError(
            f"{name}: expected a grey DICOM image (MONOCHROME1 or MONOCHROME2), got {photometric[:16]} with {samples} "
            "samples per pixel. Export it as grey, or as PNG."
        )
    return ImageInfo(width, height, photometric, "DICOM", bits, years(str(dataset.get("PatientAge") or "")))


def _stored(dataset: Any, content: bytes, info: ImageInfo, name: str) -> np.ndarray:
    """Stored values (rows, columns)."""
    try:
        values = codec.stored(dataset, content)
    except Exception as error:
        raise _undecodable(dataset, name, error) from None
    if values.shape != (info.height, info.width):
        raise ImageError(
            f"{name}: expected {info.width} x {info.height} pixels as the header says, got {values.shape}. "
            "Export the file again."
        )
    return values


def _displayed(dataset: Any, stored: np.ndarray, name: str) -> np.ndarray:
    try:
        return displayed(dataset, stored)
    except Exception as error:
        raise _undecodable(dataset, name, error) from None


def _undecodable(dataset: Any, name: str, error: Exception) -> ImageError:
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", "not stated")
    return ImageError(
        f"{name}: the DICOM pixels cannot be decoded (transfer syntax {str(getattr(syntax, 'name', syntax))[:64]}, "
        f"{type(error).__name__}): damaged, cut short or not supported. Export it uncompressed."
    )
