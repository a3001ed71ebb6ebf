"""The detector of lung boxes: fitted and measured, for docs/where-it-looks.md.

    python -m benchmarks.lungs --data ../shared/data/covid-cxr [--fit]

``lung_boxes.csv``: boxes drawn by eye by one of the authors, who is no radiologist, in images of the training split, as
shares of the square that the network sees; ``part`` says which are for fitting and which for judging (no patient is in
both), and ``unclear`` are those where the author could not tell both lungs. Drawn chests, whose lungs are known, are
added to the fit. ``--fit`` writes the coefficients.
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.not_chest import not_chest
from cxr_core.demo.anatomy import SIDES, Anatomy, chest
from cxr_core.demo.phantom import exposed, grid
from cxr_core.images import lungs as detector
from cxr_core.images import pixels

BOXES = Path(__file__).with_name("lung_boxes.csv")
MOVED, PHANTOMS, PENALTY = 40, 12, 300.0


def labelled(data: Path) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Part, square and edges (8,) of each labelled image."""
    rows = pd.read_csv(BOXES)
    squares = [pixels((data / name).read_bytes(), name) for name in rows["file"]]
    return list(zip(rows["part"], squares, rows.iloc[:, 2:].to_numpy(float), strict=True))


def drawn(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A drawn chest, and the edges of its lungs as they were drawn."""
    random = np.random.default_rng([5, number])
    place = chest(Anatomy.draw(random), *grid(224, 224, random))
    edges = []
    for side in SIDES:
        rows, columns = (np.flatnonzero((place.lungs[side] > 0.5).any(axis=axis)) for axis in (1, 0))
        edges += [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    return exposed(place.attenuation.astype(np.float32), random, 1.0, 0.5, 0.02, 0.0), np.array(edges) / 224


def moved(square: np.ndarray, edges: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Features and edges of a window that lies a little elsewhere, every other one mirrored."""
    side = random.uniform(0.82, 1.2)
    left, top = (1 - side) / 2 + random.uniform(-0.1, 0.1, 2)
    view, inside = detector.window(square, left, top, side), (edges - np.tile([left, top], 4)) / side
    if random.random() < 0.5:
        view, inside = view[:, ::-1], inside[[6, 5, 4, 7, 2, 1, 0, 3]]
        inside[[0, 2, 4, 6]] = 1 - inside[[0, 2, 4, 6]]
    return detector.features(view), inside


def fit(examples: list[tuple[np.ndarray, np.ndarray]], copies: int = MOVED, penalty: float = PENALTY) -> None:
    """Ridge regression of the edges on the features, written as the detector reads it."""
    random = np.random.default_rng(0)
    rows = [moved(square, edges, random) for square, edges in examples for _ in range(copies)]
    x, y = (np.stack(part) for part in zip(*rows, strict=True))
    centre, mean = x.mean(axis=0), y.mean(axis=0)
    x = x - centre
    weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ (y - mean))
    np.savez_compressed(
        detector.COEFFICIENTS, weights=weights.astype(np.float16), mean=(mean - centre @ weights).astype(np.float32)
    )


def measure(examples: list[tuple[str, np.ndarray, np.ndarray]], data: Path) -> None:
    """Print how well the held out boxes are found, and how often lungs are found where there is no upright chest."""
    held = [(square, edges) for part, square, edges in examples if part == "held out"]
    overlaps, sure = [], []
    for square, edges in held:
        guess = detector.guessed(square).edges
        overlaps += [overlap(guess[at : at + 4], edges[at : at + 4]) for at in (0, 4)]
        sure += [detector.lungs(square) is not None] * 2
    every, told = np.array(overlaps), np.array(overlaps)[sure]
    print(f"held out: {len(held)} images, {len(every)} lungs; not sure of {sure.count(False) // 2} images")
    print(f"told, IoU >= 0.5: {(told >= 0.5).sum()} of {len(told)} lungs; median IoU {np.median(told):.2f}")
    print(f"were it always sure: {(every >= 0.5).sum()} of {len(every)}, median IoU {np.median(every):.2f}")
    usual = np.mean([edges for part, _, edges in examples if part == "fit"], axis=0)
    same = np.array([overlap(usual[at : at + 4], edges[at : at + 4]) for _, edges in held for at in (0, 4)])
    print(f"the mean of the fitted boxes in every picture: {(same >= 0.5).sum()} of {len(same)}, {np.median(same):.2f}")
    unclear = [detector.lungs(square) is not None for part, square, _ in examples if part == "unclear"]
    print(f"unclear to the author: told in {sum(unclear)} of {len(unclear)}")
    boxes = [np.array(found.boxes).ravel() for square, _ in held if (found := detector.lungs(square))]
    print(f"area of the boxes: mean {np.mean([_area(edges) for edges in boxes]):.2f} of the square")
    names = sorted((data / "train").rglob("*.jpg"))[:: max(1, 852 // 24)]
    told_of, of = Counter[str](), Counter[str]()
    for example in not_chest([name.read_bytes() for name in names]):
        of[example.kind] += 1
        told_of[example.kind] += detector.lungs(pixels(example.content, example.name)) is not None
    for kind, count in of.items():
        print(f"{kind}: lungs told in {told_of[kind]} of {count}")
    every_square = [pixels(name.read_bytes(), name.name) for name in sorted((data / "train").rglob("*.jpg"))[::6]]
    told_in = sum(detector.lungs(square) is not None for square in every_square)
    print(f"every sixth image of train: lungs told in {told_in} of {len(every_square)}")


def _area(edges: np.ndarray) -> float:
    return float((edges[2] - edges[0]) * (edges[3] - edges[1]) + (edges[6] - edges[4]) * (edges[7] - edges[5]))


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    both = np.clip(high - low, 0, None).prod()
    return float(both / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - both))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with train/CLASS/FILE")
    parser.add_argument("--fit", action="store_true", help="fit the coefficients anew first")
    options = parser.parse_args()
    examples = labelled(options.data)
    if options.fit:
        known = [(square, edges) for part, square, edges in examples if part == "fit"]
        fit(known + [drawn(number) for number in range(PHANTOMS)])
    measure(examples, options.data)


if __name__ == "__main__":
    main()
