"""A data set with every fault that an audit speaks of, drawn and then spoilt; nothing in it is a real X-ray.

root = faulty_set(tmp_path / "faulty")
"""

import csv
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from cxr_core import demo
from tests.images.files import radiograph

# So few COVID19 images stay that NORMAL has more than three times as many.
_FEW = {"train": 14, "test": 4}


def faulty_set(root: Path, images: int = 160) -> Path:
    """Draw about ``images`` pictures into ``root``, each class with a source of its own, and spoil them."""
    demo.draw(root, images=images, seed=5, shortcut=True)
    with (root / "sources.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    for split, few in _FEW.items():
        # Those of other patients first: the shortcut is looked for by patient.
        for path in sorted((root / split / "COVID19").glob("*.png"), key=lambda path: path.stem[::-1])[few:]:
            path.unlink()
    train = sorted((root / "train" / "NORMAL").glob("*.png"))
    pneumonia = sorted((root / "train" / "PNEUMONIA").glob("*.png"))

    def put(file: str, content: bytes) -> None:
        (root / file).write_bytes(content)

    # Copies: across train and test (exact, and near: smaller and brighter), across classes, within a class.
    put("test/NORMAL/leak_exact.png", train[0].read_bytes())
    brighter = _open(train[1]).resize((210, 214)).point(lambda grey: min(255, round(1.15 * grey)))
    put("test/NORMAL/leak_near.jpg", _jpeg(brighter))
    put("train/PNEUMONIA/conflict.png", train[2].read_bytes())
    put("train/NORMAL/twin.jpg", _jpeg(ImageOps.mirror(_open(train[3]))))
    # Files that cannot be read.
    put("train/NORMAL/unreadable.png", b"This is no picture.")
    put("train/NORMAL/truncated.png", train[4].read_bytes()[:900])
    # Odd pictures.
    put("train/NORMAL/tiny.png", _png(_open(train[5]).resize((90, 92))))
    put("train/NORMAL/blank.png", _png(Image.new("L", (220, 230), 118)))
    put("train/NORMAL/inverted.png", _png(ImageOps.invert(_open(train[6]))))
    put("train/NORMAL/turned.png", _png(ImageOps.flip(_open(train[7]))))
    put("train/NORMAL/colour.png", _png(_colourful()))
    put("train/NORMAL/lateral.dcm", radiograph(np.asarray(_open(train[8])), 8, Modality="DX", ViewPosition="LL"))
    put("train/NORMAL/texture.png", _png(_texture()))
    for path in pneumonia[:6]:
        path.write_bytes(_png(_lettered(_open(path))))
    # Names of the Kermany set's children.
    for number, path in enumerate(pneumonia[6:9], start=1):
        _rename(rows, path, f"person{number}_virus_{number}.png")
    # A patient in train and in test.
    in_test = sorted((root / "test" / "PNEUMONIA").glob("*.png"))[0]
    shared = rows[_file(root, in_test)]["patient"]
    for path in pneumonia[9:11]:
        rows[_file(root, path)]["patient"] = shared
    # Ages: a child, and one that cannot be.
    ages = dict(zip((_file(root, path) for path in pneumonia[11:13]), ("6", "411"), strict=True))
    with (root / "sources.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["file", "patient", "source", "age"])
        table.writeheader()
        table.writerows(
            {**row, "age": ages.get(row["file"], "")} for row in rows.values() if (root / row["file"]).exists()
        )
    return root


def _file(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _rename(rows: dict[str, dict[str, str]], path: Path, name: str) -> None:
    split, label = path.parts[-3:-1]
    renamed = path.rename(path.with_name(name))
    row = rows.pop(f"{split}/{label}/{path.name}")
    rows[f"{split}/{label}/{name}"] = {**row, "file": f"{split}/{label}/{renamed.name}"}


def _open(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("L")


def _png(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _jpeg(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _colourful() -> Image.Image:
    tiles = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    return Image.fromarray(tiles).resize((220, 220))


def _texture() -> Image.Image:
    """Hills and valleys that are no chest in any direction."""
    hills = np.random.default_rng(0).integers(0, 256, (12, 12), np.uint8)
    return Image.fromarray(hills).resize((230, 230), Image.Resampling.BICUBIC)


def _lettered(picture: Image.Image) -> Image.Image:
    ImageDraw.Draw(picture).text((8, 6), "R SIDE", fill=255, font_size=26)
    return picture
