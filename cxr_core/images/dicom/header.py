"""What a DICOM header says of the stored numbers, put right where it left something out or contradicts its pixels.

    header = header_of(dataset, name)       # ImageError where it cannot be one picture
    header.stored, header.signed            # as the pixels are to be read
    header.steps                            # what was put right (cxr_core.images.steps)

An attribute that is missing but can have one value only is that value: a picture in grey has one sample per pixel.
What the codestream of a compressed picture says goes before the header (PS3.5, 8.2).
"""

import math
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Any

from cxr_core.errors import ImageError
from cxr_core.images import limits
from cxr_core.images.dicom import codestream, values
from cxr_core.images.steps import Step

GREY = ("MONOCHROME2", "MONOCHROME1")
PALETTE = "PALETTE COLOR"
COLOURED = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT")
_JPEG_BASELINE = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")
_NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")
_RLE = "1.2.840.10008.1.2.5"


@dataclass(frozen=True)
class Header:
    """Sides, kind of picture, and how its numbers are stored: bits ``allocated`` to each by the decoder, of them
    ``stored``, the uppermost at ``high``. ``precision``: bits per sample of a codestream, None where there is none.
    """

    rows: int
    columns: int
    samples: int
    photometric: str
    allocated: int
    stored: int
    high: int
    signed: bool
    planar: int
    syntax: str
    precision: int | None
    steps: tuple[Step, ...]

    @property
    def floating(self) -> bool:
        """True where the pixels are real numbers."""
        return self.high < 0


def header_of(dataset: Any, name: str) -> Header:
    """The header of a data set with one picture; raises ImageError for every other, and where limits are passed."""
    keyword = next((key for key in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if key in dataset), None)
    if keyword is None:
        raise ImageError(
            f"{name}: this DICOM object holds no image (a report, a presentation state, or a file cut short). "
            "Choose the image object of the study."
        )
    rows, columns = (values.integer(dataset, side) or 0 for side in ("Rows", "Columns"))
    if rows <= 0 or columns <= 0:
        raise ImageError(
            f"{name}: the DICOM header lacks rows, columns or the kind of pixels, or is damaged. Export the file again."
        )
    limits.check_size(columns, rows, name)
    return _Reading(dataset, name, keyword, rows, columns).header()


class _Reading:
    """One pass over a header; ``steps`` grows as things are put right."""

    def __init__(self, dataset: Any, name: str, keyword: str, rows: int, columns: int) -> None:
        self.dataset, self.name, self.rows, self.columns = dataset, name, rows, columns
        self.floating = keyword != "PixelData"
        self.syntax = str(dataset.file_meta.TransferSyntaxUID)
        self.data, _ = values.data(dataset, keyword)
        self.native = self.syntax in _NATIVE
        self.fragments = [] if self.native else self._fragments()
        self.stream = codestream.parse(self.fragments[0]) if self.fragments and self.syntax != _RLE else None
        self.steps: list[Step] = []

    def header(self) -> Header:
        samples, photometric = self._kind()
        if self.floating:
            allocated = 32 if "FloatPixelData" in self.dataset else 64
            self._one_frame(samples, allocated, photometric)
            return self._made(samples, photometric, allocated, allocated, -1, True)
        allocated = self._allocated(samples)
        self._one_frame(samples, allocated, photometric)
        stored, high = self._stored(allocated)
        signed = values.integer(self.dataset, "PixelRepresentation")
        if signed not in (0, 1):
            self._correct("The header does not say whether numbers have a sign: read without.")
        return self._made(samples, photometric, allocated, stored, high, signed == 1)

    def _made(self, samples: int, photometric: str, allocated: int, stored: int, high: int, signed: bool) -> Header:
        planar = 1 if values.integer(self.dataset, "PlanarConfiguration") == 1 else 0
        precision = self.stream.precision if self.stream else None
        return Header(
            *(self.rows, self.columns, samples, photometric, allocated, stored, high, signed, planar),
            *(self.syntax, precision, tuple(self.steps)),
        )

    def _correct(self, text: str, kind: Any = "bits", **numbers: float) -> None:
        self.steps.append(Step(kind, text, True, numbers))

    def _kind(self) -> tuple[int, str]:
        """Samples per pixel and photometric interpretation, each from the other where it is missing."""
        photometric = values.text(self.dataset, "PhotometricInterpretation")
        stated = values.integer(self.dataset, "SamplesPerPixel")
        if photometric and photometric not in (*GREY, PALETTE, *COLOURED):
            raise ImageError(
                f"{self.name}: expected a grey DICOM image (MONOCHROME1 or MONOCHROME2), got another photometric "
                "interpretation. Export it as grey, or as PNG."
            )
        samples = stated or (3 if photometric in COLOURED else 1)
        if not stated:
            self._correct(
                f"Samples per Pixel is missing: read as {samples}, as {photometric or 'nothing else'} has.", "colour"
            )
        if self.stream and self.stream.samples in (1, 3) and self.stream.samples != samples:
            samples = self.stream.samples
            self._correct(f"The header counts {stated} samples per pixel, the codestream {samples}: read so.", "colour")
            photometric = photometric if photometric in (COLOURED if samples == 3 else GREY) else ""
        if not photometric:
            coloured = "YBR_FULL_422" if self.syntax in _JPEG_BASELINE else "RGB"
            photometric = coloured if samples == 3 else "MONOCHROME2"
            self._correct(f"Photometric Interpretation is not usable: read as {photometric}.", "colour")
        if samples != (3 if photometric in COLOURED else 1):
            raise ImageError(
                f"{self.name}: expected a grey DICOM image (MONOCHROME1 or MONOCHROME2), got {photometric} with "
                f"{samples} samples per pixel. Export it as grey, or as PNG."
            )
        return samples, photometric

    def _allocated(self, samples: int) -> int:
        """Bits allocated, as the decoder is to be told."""
        stated = values.integer(self.dataset, "BitsAllocated") or 0
        if self.stream:
            allocated = 8 if self.stream.precision <= 8 else 16
            if stated and stated != allocated:
                self._correct(
                    f"The header allocates {stated} bits, the codestream has {self.stream.precision}: read as such.",
                    allocated=stated,
                    precision=self.stream.precision,
                )
            return allocated
        if stated:
            return stated
        # Uncompressed pixels tell it by their length.
        bits, rest = divmod(8 * (len(self.data) & ~1), self.rows * self.columns * samples)
        if bits not in (8, 16, 32) or rest > 8 or not self.native:
            raise ImageError(
                f"{self.name}: the DICOM header lacks Bits Allocated, and the pixels do not tell it. "
                "Export the file again."
            )
        self._correct(f"Bits Allocated is missing: {bits} by the length of the pixels.", allocated=bits)
        return bits

    def _stored(self, allocated: int) -> tuple[int, int]:
        """Bits stored and the uppermost of them."""
        stored, high = (values.integer(self.dataset, key) for key in ("BitsStored", "HighBit"))
        most = self.stream.precision if self.stream else allocated
        if not stored or not 0 < stored <= most:
            guessed = high + 1 if not stored and high is not None and 0 <= high < most else most
            said = f"{stored} of {most}, which cannot be" if stored else "missing"
            self._correct(f"Bits Stored is {said}: read as {guessed}.", stored=guessed)
            stored = guessed
        if high is None or not stored - 1 <= high < most:
            if high is None:
                self._correct(f"High Bit is missing: read as {stored - 1}.", high=stored - 1)
            elif not self.stream:
                self._correct(f"High Bit {high} cannot be with {stored} bits stored: read as {stored - 1}.", high=high)
            high = stored - 1
        return stored, high

    def _one_frame(self, samples: int, allocated: int, photometric: str) -> None:
        """One picture, by the header's count or by the pixels'; ImageError where both speak of more, or disagree."""
        frames = values.integer(self.dataset, "NumberOfFrames") or 1
        bits = self.rows * self.columns * samples * allocated
        size = math.ceil((bits * 2 // 3 if photometric == "YBR_FULL_422" else bits) / 8)
        held = len(self.data) / size if self.native else float(len(self.fragments))
        if frames > 1 and 1 <= held < 2:
            self._correct(
                f"The header counts {frames} pictures, the pixels hold one: read it.", "frames", frames=frames
            )
            return
        if self.native and held < 1:
            return  # cut short, as the decoder will say
        limits.check_frames(frames, self.name)
        if self.native and held >= 2 and len(self.data) % size <= 1:
            raise ImageError(
                f"{self.name}: the pixels are {held:.0f} times as long as the header says (bits allocated or the "
                "number of frames must be wrong). Export the file again."
            )

    def _fragments(self) -> list[bytes]:
        """The pieces of compressed pixels, at most two of them; [] where they are damaged, as the decoder will say."""
        from pydicom.encaps import generate_fragments, parse_basic_offsets

        try:
            buffer = BytesIO(self.data)
            parse_basic_offsets(buffer)
            return list(islice(generate_fragments(buffer), 2))
        except Exception:
            return []
