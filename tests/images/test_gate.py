"""When an answer is withheld: every reason, what must not be one, and the shares on drawn and on real images."""

from collections import Counter
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw, ImageOps

from benchmarks.not_chest import EACH, ct_and_mr, not_chest
from cxr_core.audit.traits import look_at
from cxr_core.errors import ImageError
from cxr_core.images.dicom.files import facts
from cxr_core.images.gate import withheld
from cxr_core.images.reading import decode, pixels
from tests.images.files import encoded, radiograph


def reason(content: bytes, said: dict[str, str] | None = None, size: int = 224) -> str | None:
    """What the gate says where the distance says nothing."""
    return withheld(content, "x", pixels(content, "x", size), 0.0, np.inf, said)


@pytest.fixture(scope="module")
def xrays(tiny_dataset: Path) -> list[bytes]:
    """Drawn chest X-rays: shaped like the real ones, and here wherever the tests are."""
    return [file.read_bytes() for file in sorted(tiny_dataset.glob("*/*/*.png"))]


@pytest.fixture(scope="module")
def flower() -> Image.Image:
    """A photograph in colour."""
    from sklearn.datasets import load_sample_image

    return Image.fromarray(load_sample_image("flower.jpg"))


def test_drawn_chests_are_answered(xrays: list[bytes]) -> None:
    for size in (64, 224, 320):
        assert [reason(content, size=size) for content in xrays] == [None] * len(xrays)


def test_far_from_every_training_image(xrays: list[bytes]) -> None:
    image = pixels(xrays[0], "x")
    assert withheld(xrays[0], "x", image, 0.2, 0.2) is None
    for distance in (0.21, float("nan"), np.inf):
        said = withheld(xrays[0], "x", image, distance, 0.2)
        assert said
        assert said.startswith("Too different from the training images")


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"modality": "CT"}, "modality CT"),
        ({"modality": "MR", "body_part": "CHEST"}, "modality MR"),
        ({"modality": "DX", "body_part": "HAND"}, "body part HAND"),
        ({"modality": "CR", "body_part": "CHEST", "view": "LL"}, "view LL"),
        ({"view": "LATERAL"}, "view LATERAL"),
    ],
)
def test_what_dicom_says_against_it(said: dict[str, str], match: str, xrays: list[bytes]) -> None:
    assert match in (reason(xrays[0], said) or "")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"modality": "DX", "body_part": "CHEST", "view": "PA", "laterality": "U", "size": "20 x 20"},
        {"modality": "CR", "view": "AP"},
        {"modality": "OTHER", "body_part": "OTHER", "view": "OTHER"},
    ],
)
def test_what_dicom_says_for_it_or_not_at_all(said: dict[str, str], xrays: list[bytes]) -> None:
    assert reason(xrays[0], said) is None


def test_a_whole_dicom_file(xrays: list[bytes]) -> None:
    values = np.asarray(Image.open(BytesIO(xrays[0])))
    frontal = radiograph(values, 8, Modality="DX", ViewPosition="PA", BodyPartExamined="CHEST")
    lateral = radiograph(values, 8, Modality="DX", ViewPosition="LL", BodyPartExamined="CHEST")
    assert reason(frontal, facts(frontal)) is None
    assert "view LL" in (reason(lateral, facts(lateral)) or "")


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("shape", ["IDENTITY", "INVERSE", "", "OTHER"])
def test_a_header_that_contradicts_itself_on_what_is_white_is_questioned(
    kind: str, shape: str, xrays: list[bytes]
) -> None:
    """PS3.3 C.8.11.3: INVERSE belongs to MONOCHROME1, IDENTITY to MONOCHROME2; the pixels follow the latter word."""
    values = np.asarray(Image.open(BytesIO(xrays[0])))
    stored = 255 - values if kind == "MONOCHROME1" else values
    content = radiograph(stored, 8, PhotometricInterpretation=kind, PresentationLUTShape=shape)
    assert np.array_equal(np.asarray(decode(content, "x.dcm")), values)
    contradicts = (kind, shape) in (("MONOCHROME1", "IDENTITY"), ("MONOCHROME2", "INVERSE"))
    assert ("may be inverted" in (reason(content, facts(content)) or "")) == contradicts
    assert ("polarity" in facts(content)) == contradicts
    # The audit of a data set names it with this reason.
    assert bytes(look_at(content, "x.dcm")["oddity"]).decode() == ("polarity" if contradicts else "")


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "BMP"])
def test_photographs_flower_and_marks_on_a_radiograph(format: str, flower: Image.Image, xrays: list[bytes]) -> None:
    assert "in colour" in (reason(encoded(flower, format)) or "")
    marked = Image.open(BytesIO(xrays[0])).convert("RGB").resize((512, 512))
    drawing = ImageDraw.Draw(marked)
    drawing.ellipse((150, 150, 260, 260), outline=(255, 0, 0), width=8)
    drawing.line((30, 30, 150, 150), fill=(255, 255, 0), width=6)
    drawing.text((20, 480), "PORTABLE", fill=(0, 255, 0))
    sepia = ImageOps.colorize(Image.open(BytesIO(xrays[0])).convert("L"), "#100500", "#fff0d0")
    for picture in (marked, sepia):
        assert reason(encoded(picture, format)) is None


def test_other_modes_of_colour(flower: Image.Image, xrays: list[bytes]) -> None:
    clear = flower.copy()
    clear.putalpha(0)
    assert "in colour" in (reason(encoded(flower.convert("P", palette=Image.Palette.ADAPTIVE), "PNG")) or "")
    assert "in colour" in (reason(encoded(flower.convert("CMYK"), "JPEG")) or "")
    assert "blank" in (reason(encoded(clear, "PNG")) or ""), "colour that cannot be seen is none"
    grey = Image.open(BytesIO(xrays[0])).convert("L")
    for mode in ("RGB", "RGBA", "P", "LA", "L"):
        assert reason(encoded(grey.convert(mode), "PNG")) is None, mode


def test_content_that_is_no_image() -> None:
    with pytest.raises(ImageError, match="cannot be read as an image"):
        withheld(b"nothing", "x.png", np.zeros((64, 64), np.uint8), 0, 1)


def test_the_reason_names_how_a_chest_was_turned(xrays: list[bytes]) -> None:
    changes = {
        "upside down": lambda picture: picture.transpose(Image.Transpose.ROTATE_180),
        "on its side": lambda picture: picture.transpose(Image.Transpose.ROTATE_90),
        "inverted": ImageOps.invert,
    }
    for match, change in changes.items():
        turned = [change(Image.open(BytesIO(content)).convert("L")) for content in xrays]
        said = [reason(encoded(picture, "PNG")) or "" for picture in turned]
        assert sum(match in text for text in said) >= 0.9 * len(said), (match, Counter(said))


def test_mirrored_chests_and_letterboxes_are_answered(xrays: list[bytes]) -> None:
    for content in xrays[:12]:
        picture = Image.open(BytesIO(content)).convert("L")
        assert reason(encoded(ImageOps.mirror(picture), "PNG")) is None
        bars = ImageOps.expand(picture.resize((300, 240)), (0, 40), fill=0)
        assert reason(encoded(bars, "PNG")) is None


def test_ninety_per_cent_of_every_kind_of_other_image_is_questioned(xrays: list[bytes]) -> None:
    asked: Counter[str] = Counter()
    questioned: Counter[str] = Counter()
    for each in not_chest(xrays[:20], seed=1):
        asked[each.kind] += 1
        questioned[each.kind] += reason(each.content, facts(each.content)) is not None
    assert asked.total() >= 200
    assert len(asked) >= 10
    assert asked["noise"] == EACH
    shares = {kind: questioned[kind] / asked[kind] for kind in asked}
    # The distance to the training images, which is left out here, finds more: benchmarks/withholding.py counts them.
    assert questioned.total() / asked.total() >= 0.95, shares
    assert min(shares.values()) >= 0.75, shares
    assert shares["CT and MR, DICOM"] == 1


def test_the_same_seed_draws_the_same_images(xrays: list[bytes]) -> None:
    first, again, other = (list(not_chest(xrays[:1], seed)) for seed in (0, 0, 1))
    assert first == again
    assert [each.kind for each in first] == [each.kind for each in other]
    assert first[0].content != other[0].content
    assert len({name for name, _ in ct_and_mr()}) >= 20


def test_real_chest_xrays_are_answered(real_data: Path) -> None:
    root = real_data / "covid-cxr"
    files = pd.read_csv(root / "sources.csv")["file"].iloc[::4]
    said = {file: reason((root / file).read_bytes()) for file in files}
    questioned = {file: text for file, text in said.items() if text}
    assert len(questioned) <= 0.02 * len(said), questioned


def test_real_chest_xrays_turned_and_inverted_are_not(real_data: Path) -> None:
    files = sorted((real_data / "covid-cxr" / "test").glob("*/*.jpg"))[::8]
    kinds = ("upside-down X-rays", "sideways X-rays", "inverted X-rays")
    made = [each for each in not_chest([file.read_bytes() for file in files]) if each.kind in kinds]
    said = [reason(each.content) for each in made]
    assert len(made) == 3 * len(files)
    assert sum(text is not None for text in said) >= 0.95 * len(said)
