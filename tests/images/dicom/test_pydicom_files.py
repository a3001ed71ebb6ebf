"""Every DICOM file that pydicom ships: the pixels that pydicom itself shows, or a refusal with its reason."""

import warnings
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_files
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import JPEGExtended12Bit

from cxr_core import images
from cxr_core.errors import ImageError
from cxr_core.images import dicom

# The others that come with it are in colour, of many frames, without pixels, damaged on purpose, or no DICOM.
LEAST_SHOWN = 59


def local_files() -> list[Path]:
    """The files that lie in the installed package; others would be downloaded, which a test does not do."""
    folder = Path(pydicom.__file__).resolve().parent
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {Path(name).resolve() for name in get_testdata_files()}
    return sorted(path for path in found if path.is_relative_to(folder))


FILES = [path for path in local_files() if path.is_file()]


def reference(path: Path) -> np.ndarray | None:
    """What pydicom shows: stored values, modality LUT, VOI LUT; luma of a picture that is stored in colour. What
    pydicom has no decoder for is read by GDCM's own reader of files. None where neither shows anything.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset: Any = pydicom.dcmread(path, force=True)
            if dataset.file_meta.get("TransferSyntaxUID") == JPEGExtended12Bit:
                return read_by_gdcm(path)
            if dataset.SamplesPerPixel == 3:
                return np.asarray(dataset.pixel_array @ (0.299, 0.587, 0.114))
            return np.asarray(apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset), np.float64)
    except Exception:  # it raises whatever it likes on what it cannot show
        return None


def read_by_gdcm(path: Path) -> np.ndarray:
    """The stored values, 16 bits each."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    image = reader.GetImage()
    columns, rows = image.GetDimension(0), image.GetDimension(1)
    return np.frombuffer(image.GetBuffer().encode("utf-8", "surrogateescape"), "<u2").reshape(rows, columns)


def decoded(path: Path) -> tuple[np.ndarray | None, str]:
    """What this software shows, or why it does not."""
    try:
        return np.asarray(images.decode(path.read_bytes(), path.name)), ""
    except ImageError as error:
        return None, str(error)


def unlike(shown: np.ndarray, expected: np.ndarray) -> float:
    """Most grey levels by which ``shown`` is off the straight line through ``expected``; 0.5 is rounding alone."""
    across, down = expected.ravel(), shown.ravel().astype(np.float64)
    slope, offset = np.polyfit(across, down, 1) if np.ptp(across) else (0.0, down.mean())
    return float(np.abs(slope * across + offset - down).max())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_pixels_are_pydicoms_or_refused_with_a_reason(path: Path) -> None:
    facts = dicom.facts(path.read_bytes())
    assert set(facts) <= {"modality", "view", "body_part", "laterality", "size"}
    shown, refusal = decoded(path)
    if shown is None:
        assert path.name in refusal
        assert len(refusal) > len(path.name) + 20
        return
    expected = reference(path)
    assert expected is not None, "shown, although pydicom shows nothing"
    assert shown.shape == expected.shape
    assert unlike(shown, expected) <= 1


@pytest.mark.filterwarnings("ignore")
def test_enough_of_them_are_shown() -> None:
    shown = sum(decoded(path)[0] is not None for path in FILES)
    assert shown >= LEAST_SHOWN, f"{shown} of {len(FILES)}"
