"""How many planted copies the audit finds, and how many pairs it names that are none.

    python -m benchmarks.duplicates ../shared/data/covid-cxr [--each 300]

Copies of real images are made in a temporary folder, one kind of change at a time; every pair that the audit names and
that joins neither a copy with its original nor images that were copies of each other before is counted as wrong.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from cxr_core import images
from cxr_core.audit.alignment import agreement
from cxr_core.audit.duplicates import ALIKE, RADIUS, SAME, Peculiarities, near, search
from cxr_core.audit.traits import traits_of
from cxr_core.data import scan

Random = np.random.Generator


def _resized(picture: Image.Image, random: Random) -> Image.Image:
    scale = random.uniform(0.5, 1.5)
    return picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BICUBIC)


def _cropped(picture: Image.Image, random: Random) -> Image.Image:
    left, top, right, bottom = random.uniform(0, 0.05, 4)
    return picture.crop(
        (
            round(left * picture.width),
            round(top * picture.height),
            round((1 - right) * picture.width),
            round((1 - bottom) * picture.height),
        )
    )


def _toned(picture: Image.Image, random: Random) -> Image.Image:
    brighter = ImageEnhance.Brightness(picture).enhance(random.uniform(0.7, 1.3))
    return ImageEnhance.Contrast(brighter).enhance(random.uniform(0.7, 1.3))


def _same(picture: Image.Image, random: Random) -> Image.Image:
    return picture


def _mirrored(picture: Image.Image, random: Random) -> Image.Image:
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _all(picture: Image.Image, random: Random) -> Image.Image:
    return _mirrored(_toned(_resized(_cropped(picture, random), random), random), random)


KINDS: dict[str, Callable[[Image.Image, Random], Image.Image]] = {
    "resized to 50-150 %": _resized,
    "re-encoded as JPEG 30-70": _same,
    "cropped by 0-5 % a side": _cropped,
    "brightness and contrast 70-130 %": _toned,
    "mirrored": _mirrored,
    "all of these at once": _all,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--each", type=int, default=300)
    parser.add_argument("--distances", action="store_true", help="also what copies and strangers come to")
    options = parser.parse_args()
    dataset = scan(options.data)
    seen = traits_of(dataset)
    originals = len(dataset.samples)
    started = time.monotonic()
    before = {(a, b) for a, b, *_ in near(seen.hashes, seen.mirrored, seen.small)}
    print(f"{originals} images, {len(before)} pairs among them already, {time.monotonic() - started:.1f} s", flush=True)
    for a, b, bits, agreed, turned in near(seen.hashes, seen.mirrored, seen.small):
        print("  ", dataset.samples["file"][a], dataset.samples["file"][b], bits, f"{agreed:.2f}", turned)
    wrong = copies = 0
    for seed, (name, change) in enumerate(KINDS.items()):
        random = np.random.default_rng(seed)
        chosen = random.choice(originals, min(options.each, originals), replace=False)
        with tempfile.TemporaryDirectory() as folder:
            for place, label in enumerate(("A", "B")):
                (Path(folder) / label).mkdir()
                for row in chosen[place::2]:
                    path = dataset.path(dataset.samples["file"][row])
                    picture = change(images.decode(images.read_bytes(path), path.name), random)
                    quality = int(random.integers(30, 71)) if change is _same else 90
                    picture.save(Path(folder) / label / f"{row:05d}.jpg", quality=quality)
            planted = scan(folder)
            found = traits_of(planted)
        rows = [int(Path(file).stem) for file in planted.samples["file"]]
        hashes, mirrored, small = (
            np.concatenate([getattr(seen, part), getattr(found, part)]) for part in ("hashes", "mirrored", "small")
        )
        alike = {frozenset(pair) for pair in before}
        hit, false = set(), 0
        for a, b, *_ in near(hashes, mirrored, small):
            one, other = (rows[k - originals] if k >= originals else k for k in (a, b))
            if one == other:
                hit.add(one)
            elif frozenset((one, other)) not in alike:
                false += 1
        wrong, copies = wrong + false, copies + len(rows)
        print(
            f"{name:34} found {len(hit)} of {len(rows)} ({len(hit) / len(rows):.1%}), {false} wrong pairs", flush=True
        )
        if options.distances:
            at = np.array(rows)
            bits = np.minimum(
                np.bitwise_count(found.hashes ^ seen.hashes[at]), np.bitwise_count(found.mirrored ^ seen.hashes[at])
            )
            turned = change in (_mirrored, _all)
            came = agreement(found.small[:, :, ::-1] if turned else found.small, seen.small[at])
            print("   bits that differ", np.quantile(bits, [0.5, 0.9, 0.95, 0.99, 1]), end="  ")
            print("agreement", np.quantile(came, [0, 0.01, 0.05, 0.1, 0.5]).round(3))
    if options.distances:
        peculiar = Peculiarities(seen.small)(seen.small)
        pairs, _, _ = search(seen.hashes, seen.hashes, RADIUS, peculiar, peculiar, ALIKE)
        highest = agreement(seen.small[pairs[:, 0]], seen.small[pairs[:, 1]])
        print(f"{len(pairs)} candidates; highest agreements {np.sort(highest)[-40:].round(2)}")
    print(f"wrong pairs: {wrong} in {copies} planted and {originals} real images, agreement of at least {SAME}")


if __name__ == "__main__":
    main()
