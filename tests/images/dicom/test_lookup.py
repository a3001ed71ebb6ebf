"""DICOM's tables: VOI LUT, modality LUT. Against pydicom where it reads them, and against the curve as written."""

from io import BytesIO
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence

from cxr_core import images
from tests.images.files import VALUES, radiograph


def table(entries: np.ndarray | None, count: int, first: int, bits: int, vr: str = "OW", **tags: Any) -> Sequence:
    """A sequence of one table. ``vr`` is that of the data."""
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [count, first, bits])
    if entries is not None:
        item.add_new("LUTData", vr, entries.tobytes() if vr == "OW" else [int(entry) for entry in entries])
    for tag, value in tags.items():
        setattr(item, tag, value)
    return Sequence([item])


def shown(values: np.ndarray = VALUES, bits: int = 12, **tags: Any) -> np.ndarray:
    return np.asarray(images.decode(radiograph(values, bits, **tags), "x.dcm")).astype(float)


def by_pydicom(values: np.ndarray = VALUES, bits: int = 12, **tags: Any) -> np.ndarray:
    dataset = pydicom.dcmread(BytesIO(radiograph(values, bits, **tags)))
    return np.asarray(apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset), float)


def curve(count: int, top: int) -> np.ndarray:
    """Rising, bent, from 0 to ``top``."""
    return np.round(np.linspace(0, 1, count) ** 1.2 * top).astype(np.uint16)


@pytest.mark.parametrize("first", [0, 1, 700, 2000, 3000])
@pytest.mark.parametrize("vr", ["OW", "US"])
def test_the_first_value_of_a_table_counts(first: int, vr: str) -> None:
    tags: dict[str, Any] = {"VOILUTSequence": table(curve(1500, 4095), 1500, first, 12, vr)}
    expected = by_pydicom(**tags) / 4095 * 255
    assert np.abs(shown(**tags) - expected).max() <= 0.5
    # Said by hand as well: what is below the first takes the first entry.
    position = np.clip(VALUES.astype(int) - first, 0, 1499)
    assert np.abs(shown(**tags) - curve(1500, 4095)[position] / 4095 * 255).max() <= 0.5


@pytest.mark.parametrize("first", [-2048, -1000, -1])
@pytest.mark.parametrize("unsigned", [False, True])
def test_a_negative_first_value_is_one_with_and_without_its_sign(first: int, unsigned: bool) -> None:
    values = VALUES.astype(np.int16) - 2048
    tables = table(curve(3000, 65535), 3000, first, 16)
    if unsigned:
        tables[0].add_new("LUTDescriptor", "US", [3000, first + 2**16, 16])
    expected = curve(3000, 65535)[np.clip(values.astype(int) - first, 0, 2999)] / 65535 * 255
    assert np.abs(shown(values, 16, VOILUTSequence=tables) - expected).max() <= 0.5


def test_the_same_after_a_rescale_to_below_zero() -> None:
    tables = table(curve(2000, 65535), 2000, -900, 16)
    tables[0].add_new("LUTDescriptor", "US", [2000, 2**16 - 900, 16])
    expected = curve(2000, 65535)[np.clip(VALUES.astype(int) - 1000 + 900, 0, 1999)] / 65535 * 255
    picture = shown(VOILUTSequence=tables, RescaleSlope=1, RescaleIntercept=-1000)
    assert np.abs(picture - expected).max() <= 0.5


def test_a_large_first_value_of_unsigned_numbers_is_no_negative_one() -> None:
    values = VALUES.astype(np.uint16) * 16
    expected = curve(20000, 65535)[np.clip(values.astype(int) - 40000, 0, 19999)] / 65535 * 255
    picture = shown(values, 16, VOILUTSequence=table(curve(20000, 65535), 20000, 40000, 16))
    assert np.abs(picture - expected).max() <= 0.5


@pytest.mark.parametrize(("bits", "top"), [(16, 4095), (16, 1023), (16, 255), (12, 300), (8, 4095), (0, 4095)])
def test_white_is_the_largest_entry_where_the_stated_depth_is_another(bits: int, top: int) -> None:
    entries = curve(4096, top)
    picture = shown(VOILUTSequence=table(entries, 4096, 0, bits))
    assert np.abs(picture - entries[VALUES] / top * 255).max() <= 0.5


@pytest.mark.parametrize(("bits", "top"), [(16, 60000), (12, 3700), (10, 1023), (14, 14000)])
def test_white_is_the_depths_where_the_entries_use_it(bits: int, top: int) -> None:
    entries = curve(4096, top)
    picture = shown(VOILUTSequence=table(entries, 4096, 0, bits))
    assert np.abs(picture - entries[VALUES] / (2**bits - 1) * 255).max() <= 0.5


@pytest.mark.parametrize("count", [4096, 3999])
@pytest.mark.parametrize("stated", [8, 16])
def test_a_table_of_one_byte_each(count: int, stated: int) -> None:
    entries = curve(count, 255).astype(np.uint8)
    written = np.append(entries, np.zeros(count % 2, np.uint8))
    picture = shown(VOILUTSequence=table(written, count, 0, stated))
    assert np.array_equal(picture, entries[np.clip(VALUES, 0, count - 1)])


def test_a_table_of_all_65536_values_says_0_of_them() -> None:
    entries = curve(2**16, 65535)
    values = VALUES * 16
    picture = shown(values, 16, VOILUTSequence=table(entries, 0, 0, 16))
    assert np.abs(picture - entries[values] / 65535 * 255).max() <= 0.5


WINDOW: dict[str, Any] = {"WindowCenter": 1800, "WindowWidth": 2000}
UNUSABLE = {
    "no data": table(None, 4096, 0, 16),
    "empty": table(np.zeros(0, np.uint16), 4096, 0, 16),
    "fewer entries than it says": table(curve(500, 4095), 4096, 0, 16),
    "one single value": table(np.full(4096, 77, np.uint16), 4096, 0, 16),
    "one single grey for every pixel": table(curve(500, 4095), 500, 5000, 16),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_an_unusable_table_gives_way_to_the_window_and_without_one_to_the_depth(kind: str) -> None:
    assert np.array_equal(shown(VOILUTSequence=UNUSABLE[kind], **WINDOW), shown(**WINDOW))
    assert np.array_equal(shown(VOILUTSequence=UNUSABLE[kind]), shown())
    assert not np.array_equal(shown(), shown(**WINDOW))


def test_a_descriptor_of_one_value_is_unusable_too() -> None:
    tables = table(curve(4096, 4095), 4096, 0, 16)
    tables[0].add_new("LUTDescriptor", "US", 4096)
    assert np.array_equal(shown(VOILUTSequence=tables, **WINDOW), shown(**WINDOW))


def test_of_several_tables_the_first_that_can_be_used() -> None:
    good, other = table(curve(4096, 4095), 4096, 0, 12), table(curve(4096, 4095)[::-1].copy(), 4096, 0, 12)
    for first in ([UNUSABLE["no data"][0]], []):
        both = Sequence([*first, good[0], other[0]])
        assert np.array_equal(shown(VOILUTSequence=both, **WINDOW), shown(VOILUTSequence=good))


@pytest.mark.parametrize("bits", [12, 16])
def test_a_modality_table_comes_before_the_window(bits: int) -> None:
    tags: dict[str, Any] = {"ModalityLUTSequence": table(curve(4096, 4095), 4096, 0, bits, ModalityLUTType="OD")}
    assert np.abs(shown(**tags) - curve(4096, 4095)[VALUES] / 4095 * 255).max() <= 0.5
    if bits == 16:  # pydicom knows 8 and 16 bits only here
        assert np.array_equal(by_pydicom(**tags), curve(4096, 4095)[VALUES])
    windowed = np.clip((curve(4096, 4095)[VALUES] - 1799.5) / 1999 + 0.5, 0, 1) * 255
    assert np.abs(shown(**tags, **WINDOW) - windowed).max() <= 0.5
    # A table stands in the place of slope and intercept.
    assert np.array_equal(shown(**tags, **WINDOW, RescaleSlope=3, RescaleIntercept=1), shown(**tags, **WINDOW))


def test_an_unusable_modality_table_gives_way_to_the_rescale() -> None:
    tags: dict[str, Any] = {"RescaleSlope": 2, "RescaleIntercept": -1000, **WINDOW}
    unusable = table(None, 4096, 0, 16, ModalityLUTType="OD")
    assert np.array_equal(shown(ModalityLUTSequence=unusable, **tags), shown(**tags))


@pytest.mark.parametrize("bits", [8, 12])
def test_both_ends_of_a_table_count_and_nothing_behind_them(bits: int) -> None:
    entries = np.array([200, 0, 90, 30, 255], np.uint16)
    behind = np.append(entries, np.array([7, 7], np.uint16))
    values = np.repeat(np.arange(8, 18, dtype=np.uint16), 120).reshape(30, 40)
    expected = entries[np.clip(values.astype(int) - 10, 0, 4)]
    assert np.array_equal(shown(values, VOILUTSequence=table(behind, 5, 10, bits)), expected)


def test_a_table_of_two_neighbouring_numbers_is_one() -> None:
    entries = (np.arange(4096) >= 2000).astype(np.uint16)
    assert np.array_equal(shown(VOILUTSequence=table(entries, 4096, 0, 16)), np.where(VALUES >= 2000, 255, 0))
