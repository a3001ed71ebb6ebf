"""``python -m benchmarks.withholding RUN [RUN ...] [--odd DIR] [--seed N]``: how often an answer is rightly withheld.

For each run: the share of every kind of image that is no upright frontal chest X-ray (:mod:`benchmarks.not_chest`), and
the share of the run's own train, validation and test images, that is questioned. Turned and inverted X-rays are made
from the test split. No cut-off was chosen on the test split. Prints Markdown.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.not_chest import not_chest
from cxr_core.errors import CxrError, ImageError
from cxr_core.images import pixels, read_bytes
from cxr_core.images.dicom import facts
from cxr_core.images.gate import withheld
from cxr_core.inference import Neighbours, Trained
from cxr_core.inference.embedding import embed_pixels
from cxr_core.runs import find_run
from cxr_core.settings import runs_dir

TURNED = 40
_BATCH = 64


@dataclass
class Count:
    """Images of a kind: how many, how many were questioned, and how many would be without the distance."""

    images: int = 0
    questioned: int = 0
    by_picture: int = 0
    unreadable: int = 0
    reasons: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def row(self, kind: str) -> str:
        left_out = f" ({self.unreadable} cannot be read)" if self.unreadable else ""
        return f"| {kind}{left_out} | {_of(self.questioned, self.images)} | {_of(self.by_picture, self.images)} |"


def measure(trained: Trained, named: Iterable[tuple[str, str, bytes]]) -> dict[str, Count]:
    """Counts per kind of ``(kind, name, content)``; what cannot be read is counted apart."""
    known = Neighbours.load(trained.run)
    counts: dict[str, Count] = defaultdict(Count)
    for group in _groups(named):
        decoded = []
        for kind, name, content in group:
            try:
                decoded.append((kind, name, content, pixels(content, name, trained.run.config.image_size)))
            except ImageError:
                counts[kind].unreadable += 1
        if not decoded:
            continue
        vectors = embed_pixels(trained, np.stack([image for *_, image in decoded]))
        for (kind, name, content, image), vector in zip(decoded, vectors, strict=True):
            said = facts(content)
            reason = withheld(content, name, image, known.distance(vector), known.limit, said)
            count = counts[kind]
            count.images += 1
            count.questioned += reason is not None
            count.by_picture += withheld(content, name, image, 0, np.inf, said) is not None
            if reason:
                count.reasons[reason.split("(")[0]] += 1
    return counts


def main() -> int:
    """Measure every run named; 1 after an error that a person can fix."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.withholding", description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="id or folder of a completed run")
    parser.add_argument("--odd", type=Path, help="a folder of further chest X-rays, each to be answered")
    parser.add_argument("--seed", type=int, default=0, help="of the drawn images (default 0)")
    options = parser.parse_args()
    try:
        for name in options.runs:
            _print(Trained.load(find_run(runs_dir(), name)), options.odd, options.seed)
    except CxrError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _print(trained: Trained, odd: Path | None, seed: int) -> None:
    run = trained.run
    samples = run.split
    contents = {
        split: [(file, read_bytes(run.picture(file))) for file in samples["file"][samples["split"] == split]]
        for split in ("val", "test")
    }
    test = [content for _, content in contents["test"]]
    false = measure(
        trained,
        [
            *((f"chest X-rays, {split}", name, content) for split in contents for name, content in contents[split]),
            *(
                ("chest X-rays, odd files", file.name, read_bytes(file))
                for file in sorted(odd.iterdir() if odd else [])
            ),
        ],
    )
    true = measure(
        trained,
        ((each.kind, each.name, each.content) for each in not_chest(test[:: max(1, len(test) // TURNED)], seed)),
    )
    print(f"## {run.name}: {run.config.backbone}, weights {run.config.weights}, trainable {run.config.trainable}\n")
    print("| images | questioned | by the picture or DICOM alone |\n| --- | --- | --- |")
    for kind, count in [*true.items(), ("**all that are no chest X-ray**", _sum(true)), *false.items()]:
        print(count.row(kind))
    for title, counts in (("no chest X-ray", true), ("chest X-rays", false)):
        print(f"\nReasons, {title}:")
        for reason, number in sorted(_sum(counts).reasons.items(), key=lambda item: -item[1]):
            print(f"- {number}: {reason}")
    print()


def _sum(counts: dict[str, Count]) -> Count:
    total = Count()
    for count in counts.values():
        total.images += count.images
        total.questioned += count.questioned
        total.by_picture += count.by_picture
        for reason, number in count.reasons.items():
            total.reasons[reason] += number
    return total


def _groups(named: Iterable[tuple[str, str, bytes]]) -> Iterable[list[tuple[str, str, bytes]]]:
    group: list[tuple[str, str, bytes]] = []
    for item in named:
        group.append(item)
        if len(group) == _BATCH:
            yield group
            group = []
    if group:
        yield group


def _of(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "none"


if __name__ == "__main__":
    sys.exit(main())
