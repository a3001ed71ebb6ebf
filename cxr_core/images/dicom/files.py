"""DICOM files -> 8-bit grey pictures, as a viewer would show them.

``is_dicom(content)`` looks only at the first bytes and costs nothing; ``inspect`` reads header and pixel data;
``decode`` gives the picture, and ``decoded`` with it the steps that led to it: the header put right (``header``), the
numbers taken out of their containers (``bits``), colours that are greys (``uncoloured``), rescale, VOI LUT or window,
MONOCHROME1 (``display``).
``facts`` are the few facts that may be shown. Of the patient nothing is given but age, sex and a code of the ID, by
``inspect`` and not by ``facts`` (:mod:`cxr_core.images.dicom.elements`).
"""

from typing import Any

import numpy as np
from PIL import Image

from cxr_core.errors import CutShortError, ImageError
from cxr_core.images.ages import years
from cxr_core.images.dicom import codec, terms, values
from cxr_core.images.dicom.bits import unpacked
from cxr_core.images.dicom.display import displayed, levelled
from cxr_core.images.dicom.elements import ends_early, read
from cxr_core.images.dicom.elements import is_dicom as is_dicom
from cxr_core.images.dicom.header import PALETTE, Header, header_of
from cxr_core.images.dicom.uncoloured import from_channels, from_palette
from cxr_core.images.levels import Levels
from cxr_core.images.limits import ImageInfo
from cxr_core.images.steps import Decoded, Step

_SAID = (
    *("Modality", "ViewPosition", "BodyPartExamined", "ImageLaterality", "Laterality"),
    *("PhotometricInterpretation", "PresentationLUTShape"),
)


def inspect(content: bytes, name: str) -> ImageInfo:
    """Facts of a DICOM image that can be decoded; raises ImageError as :func:`decode` does, CutShortError where the
    end of the pixels is missing.
    """
    dataset, header = _opened(content, name)
    grey, bits, _ = _grey(dataset, content, header, name)
    # One row shows whether rescale and window can be applied.
    _displayed(dataset, header, grey[:1], bits, name)
    age = years(values.text(dataset, "PatientAge"))
    sex, view = terms.sex(values.text(dataset, "PatientSex")), terms.view(values.text(dataset, "ViewPosition"))
    patient = terms.code(values.text(dataset, "PatientID"))
    return ImageInfo(header.columns, header.rows, header.photometric, "DICOM", bits, age, sex, view, patient)


def decode(content: bytes, name: str) -> Image.Image:
    """The picture in mode "L", white is dense.

    Raises ImageError where the object is no single grey image, is over a limit, cut short, or cannot be decoded.
    """
    return decoded(content, name).picture


def decoded(content: bytes, name: str) -> Decoded:
    """The picture as :func:`decode` gives it, and how it came about."""
    dataset, header = _opened(content, name)
    grey, bits, steps = _grey(dataset, content, header, name)
    picture, further = _displayed(dataset, header, grey, bits, name)
    first = Step("file", f"DICOM, {_syntax(header.syntax)}, {header.columns} x {header.rows}, {header.photometric}.")
    return Decoded(Image.fromarray(picture), (first, *header.steps, *steps, *further))


def levels_of(content: bytes, name: str) -> Levels:
    """The picture of :func:`decode` in the numbers of its file; raises as that."""
    dataset, header = _opened(content, name)
    grey, bits, _ = _grey(dataset, content, header, name)
    try:
        return levelled(dataset, header, grey, bits)
    except Exception as error:
        raise _undecodable(header, name, error) from None


def facts(content: bytes) -> dict[str, str]:
    """What may be shown of a DICOM file: modality, view, body_part, laterality and size, each only where it is stated;
    and polarity, where the header contradicts itself on whether the picture is inverted.

    Values are terms of the standard, or ``OTHER`` (``terms``): free text, in which a name may have been typed, never
    gets out. Empty for any other kind of file. Raises nothing.
    """
    try:
        stated = _stated(read(content, "", pixels=False)) if is_dicom(content) else {}
    except Exception:  # the library parses here, and raises anything on damage; its message may quote the file
        return {}
    return {name: value for name, value in stated.items() if value}


def _stated(dataset: Any) -> dict[str, str]:
    said = {keyword: values.text(dataset, keyword) for keyword in _SAID}
    return {
        "modality": terms.modality(said["Modality"]),
        "view": terms.view(said["ViewPosition"]),
        "body_part": terms.body_part(said["BodyPartExamined"]),
        "laterality": terms.laterality(said["ImageLaterality"] or said["Laterality"]),
        "size": terms.size(values.integer(dataset, "Columns"), values.integer(dataset, "Rows")),
        "polarity": terms.polarity(said["PhotometricInterpretation"], said["PresentationLUTShape"]),
    }


def _opened(content: bytes, name: str) -> tuple[Any, Header]:
    """The elements and the header of one picture whose pixels are all there."""
    dataset = read(content, name)
    if ends_early(content, dataset):
        raise CutShortError(f"{name}: this DICOM file is cut short. Copy it again from where it came from.")
    return dataset, header_of(dataset, name)


def _grey(dataset: Any, content: bytes, header: Header, name: str) -> tuple[np.ndarray, int, list[Step]]:
    """Grey numbers (rows, columns), their depth in bits, and how they came about."""
    try:
        stored = codec.stored(dataset, content, header)
    except Exception as error:
        raise _undecodable(header, name, error) from None
    if stored.shape[:2] != (header.rows, header.columns) or stored.ndim != 2 + (header.samples > 1):
        raise ImageError(
            f"{name}: expected {header.columns} x {header.rows} pixels as the header says, got {stored.shape}. "
            "Export the file again."
        )
    if header.floating:
        return stored, header.allocated, []
    numbers, bits, steps = unpacked(stored, header)
    if header.samples > 1:
        grey, step = from_channels(numbers, bits, name)
        return grey, bits, [*steps, step]
    if header.photometric == PALETTE:
        grey, step = from_palette(dataset, numbers, header.signed, name)
        return grey, 8, [*steps, step]
    return numbers, bits, steps


def _displayed(dataset: Any, header: Header, grey: np.ndarray, bits: int, name: str) -> tuple[np.ndarray, list[Step]]:
    try:
        return displayed(dataset, header, grey, bits)
    except Exception as error:
        raise _undecodable(header, name, error) from None


def _undecodable(header: Header, name: str, error: Exception) -> ImageError:
    return ImageError(
        f"{name}: the DICOM pixels cannot be decoded (transfer syntax {_syntax(header.syntax)}, "
        f"{type(error).__name__}): damaged, cut short or not supported. Export it uncompressed."
    )


def _syntax(uid: str) -> str:
    """A transfer syntax by the standard's name, and only if it is one: a file may state anything."""
    from pydicom.uid import UID_dictionary

    return UID_dictionary[uid][0] if uid in UID_dictionary else "not known"
