"""The elements of a DICOM file that this software reads, and no others.

A DICOM file names its patient. Only the elements in ``TAGS`` are ever parsed, of the patient nothing but age, sex and
ID, and no message of the DICOM library is passed on: it could quote one.
"""

import zlib
from io import BytesIO
from typing import Any, Literal

from cxr_core.errors import CutShortError, ImageError
from cxr_core.images import limits

TAGS = [
    *("SOPClassUID", "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PlanarConfiguration", "PixelData"),
    *("FloatPixelData", "DoubleFloatPixelData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths"),
    *("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence"),
    *("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "PresentationLUTShape"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit"),
    *("DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit"),
    *(f"{hue}PaletteColorLookupTable{part}" for hue in ("Red", "Green", "Blue") for part in ("Descriptor", "Data")),
    *("Modality", "ViewPosition", "BodyPartExamined", "ImageLaterality", "Laterality", "PatientAge", "PatientSex"),
    "PatientID",
]
_DEFLATED = b"1.2.840.10008.1.2.1.99"
# Meta information, identification, patient, acquisition, relations, picture.
_FIRST_GROUPS = (0x0002, 0x0008, 0x0010, 0x0018, 0x0020, 0x0028)
# (7FE0,0010), little and big endian.
_PIXEL_DATA = (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")


def is_dicom(content: bytes) -> bool:
    """True for a DICOM file, with its preamble (``DICM`` at byte 128) or without it, and for a bare data set."""
    if content[128:132] == b"DICM":
        return True
    if len(content) <= 128 or not _begins_with_an_element(content) or _DEFLATED in content:
        return False
    dataset = read(content, "", pixels=False)
    # Exporters of bare data sets may leave out the class of the object; a picture has sides.
    return "SOPClassUID" in dataset or ("Rows" in dataset and "Columns" in dataset)


def _begins_with_an_element(content: bytes) -> bool:
    """True where the first bytes are an element of a group that a header begins with: its kind of value is two capital
    letters, or its length lies within the file.
    """
    order: Literal["little", "big"] = "little" if content[1] == 0 else "big"
    if int.from_bytes(content[:2], order) not in _FIRST_GROUPS:
        return False
    explicit = content[4:6].isalpha() and content[4:6].isupper()
    return explicit or int.from_bytes(content[4:8], order) <= len(content) - 8


def read(content: bytes, name: str, pixels: bool = True) -> Any:
    """The elements of ``TAGS``; an empty data set where nothing can be parsed."""
    import pydicom
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    # Checking values against the standard would warn, and quote them.
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    if _DEFLATED in content:
        content = _inflated(content, name)
    try:
        dataset = pydicom.dcmread(BytesIO(content), force=True, specific_tags=list(TAGS), stop_before_pixels=not pixels)
        if "TransferSyntaxUID" not in dataset.file_meta:
            implicit, little = dataset.original_encoding
            explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
            dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
        return dataset
    except Exception:  # it may be anything, and its message may quote the file
        return pydicom.Dataset()


def ends_early(content: bytes, dataset: Any) -> bool:
    """True where the end of the pixels is missing. ``dataset``: the parsed ``content``, its pixels not yet used."""
    raw = dataset.get_item("PixelData")
    if raw is not None:
        # Pixels of undefined length come in fragments: read to their end, or not at all.
        return len(raw.value or b"") < int(getattr(raw, "length", 0)) < 0xFFFFFFFF
    begun = any(tag in content for tag in _PIXEL_DATA)
    return begun and len(dataset) == 0 and "Rows" in read(content, "", pixels=False)


def _inflated(content: bytes, name: str) -> bytes:
    """The data set of a deflated file, without its header. The library would inflate it without a limit."""
    # The group length (0002,0000) at byte 132 says where the header ends and the deflated part starts.
    start = 144 + int.from_bytes(content[140:144], "little")
    damaged = ImageError(f"{name}: the deflated part of this DICOM file is damaged. Export it again.")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        dataset = inflater.decompress(content[start:], limits.MAX_BYTES + 1)
    except zlib.error:
        raise damaged from None
    if len(dataset) <= limits.MAX_BYTES and not inflater.eof:
        raise CutShortError(f"{name}: the deflated part of this DICOM file is cut short. Copy it again.")
    limits.check_bytes(len(dataset), name)
    return dataset
