"""Whatever a decoder or a parser raises on a file is that file's own error, and hides no other file."""

import contextlib
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from cxr_core import images
from cxr_core.data.dataset import scan
from cxr_core.errors import ImageError
from cxr_core.images import dicom
from tests.images.files import radiograph, tree, unreadable

WHOLE = radiograph()
# The two letters that say how (7FE0,0010) is stored.
VR = WHOLE.index(b"\xe0\x7f\x10\x00") + 4


def flipped(at: int, bit: int) -> bytes:
    content = bytearray(WHOLE)
    content[at] ^= 1 << bit
    return bytes(content)


def test_a_dicom_with_one_flipped_bit_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    root = tree(tmp_path / "set", {"A": 3, "B": 3})
    for at in (VR, VR + 1):
        for bit in range(8):
            (root / "A" / f"{at - VR}{bit}.dcm").write_bytes(flipped(at, bit))
    found = scan(root)
    assert found.counts().to_numpy().ravel().tolist()[1] == 3
    # "OV" is another storage of the same bytes, and can be read.
    assert len(found.samples) + len(found.unreadable) == 6 + 16
    assert len(found.unreadable) >= 8
    for file, reason in unreadable(root).items():
        assert file.startswith("A/"), file
        assert "damaged" in reason or "cut short" in reason, reason


def test_any_damage_to_a_kind_of_value_is_the_files_own_error() -> None:
    parsed = pydicom.dcmread(BytesIO(WHOLE))
    tags = [element.tag for element in parsed if element.tag.group != 2]
    places = [WHOLE.index(tag.group.to_bytes(2, "little") + tag.element.to_bytes(2, "little"), 132) + 4 for tag in tags]
    assert len(places) > 10
    for place in places:
        damaged = [flipped(at, bit) for at in (place, place + 1) for bit in range(8)]
        # Of no kind and no length: the library looks for the value somewhere else.
        damaged += [WHOLE[:place] + kind + b"\0\0" + WHOLE[place + 4 :] for kind in (b"C\0", b"XX", b"\xff\xff")]
        for content in damaged:
            dicom.facts(content)
            for door in (images.inspect, images.decode):
                with contextlib.suppress(ImageError):
                    door(content, "a.dcm")


@pytest.mark.parametrize("error", [NotImplementedError, MemoryError, RecursionError, KeyError, AssertionError])
@pytest.mark.parametrize("door", [images.inspect, images.decode])
def test_any_exception_of_a_parser_is_the_files_own_error_and_quotes_no_dicom(
    door: object, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error("Secret^Name")

    monkeypatch.setattr("cxr_core.images.dicom.files.read", fails)
    assert callable(door)
    with pytest.raises(ImageError, match=r"^a\.dcm: .*damaged") as raised:
        door(WHOLE, "a.dcm")
    assert "Secret" not in str(raised.value)
    assert raised.value.__cause__ is None
