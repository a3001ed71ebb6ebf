"""Similar cases: the training images nearest to a new one in the feature space of the run, and how near they are.

    known = Neighbours.load(run)
    known.nearest(vector)                        # the five nearest, nearest first
    known.shares(vector)                         # {"COVID19": 3, "NORMAL": 20, "PNEUMONIA": 2} among the nearest 25
    known.distance(vector) > known.limit         # unlike everything that the run learnt from

Numpy only. ``embedding.safetensors`` in the run holds the tensors "train" (N, D) and "val" (M, D), float16, unit
length, in the order of split.csv, and as JSON in its metadata: "train" and "val", the images' digests, and "limit".
Distances are cosine distances: 0 for the same direction, 1 for nothing in common, at most 2.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from cxr_core.errors import RunError
from cxr_core.findings import learnt, names_in, values_of
from cxr_core.runs import Run, files
from cxr_core.settings import from_json, replacing

FILE = files.EMBEDDING
NEAREST = 5
AMONG = 25
QUESTIONED = 0.05
# Validation images compared at once: with 20,000 training images that is 40 MB of distances.
_CHUNK = 512
# An image compared alone rounds differently than one of many: the limit lies so much higher.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Neighbour:
    """A training image and its cosine distance to the image asked about. ``patient`` and ``source`` "" if unknown."""

    file: str
    label: str
    patient: str
    source: str
    digest: str
    distance: float


@dataclass(frozen=True)
class Neighbours:
    """The training images of a run: ``vectors`` float32 (N, D) of unit length, a row of ``samples`` for each."""

    vectors: NDArray[np.float32]
    samples: pd.DataFrame
    classes: list[str]
    limit: float

    @property
    def none(self) -> bool:
        """Whether there is no training image to compare with: nothing is near then, and nothing far."""
        return not len(self.vectors)

    @classmethod
    def load(cls, run: Run) -> "Neighbours":
        """Raises RunError where the run has no embedding (unfinished, or older than they are) or a damaged one."""
        path = run.path / FILE
        if not path.exists() and run.imported:
            # It came without its training images: nothing is near, and nothing is far.
            return cls(np.empty((0, 0), np.float32), run.split.iloc[:0], run.classes, float("inf"))
        if not path.exists():
            raise RunError(
                f"Run {run.id} has no similar cases: {FILE} is missing. It is written when a training ends; train anew."
            )
        try:
            with safe_open(path, framework="numpy") as file:
                about = file.metadata() or {}
                vectors = _unit(file.get_tensor("train"))
            digests, limit = from_json(about["train"]), float(about["limit"])
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            raise _damaged(run) from None
        samples = run.split
        samples = samples[(samples["split"] == "train") & samples["digest"].isin(digests)].reset_index(drop=True)
        if vectors.ndim != 2 or samples["digest"].tolist() != digests or len(digests) != len(vectors) or not digests:
            raise _damaged(run)
        return cls(vectors, samples, run.classes, limit)

    def nearest(
        self, vector: NDArray[np.floating], k: int = NEAREST, exclude_digest: str | None = None
    ) -> list[Neighbour]:
        """The ``k`` nearest training images to ``vector`` (D,), nearest first; fewer where there are fewer.

        ``exclude_digest``: content to leave out, that of the image itself where it is a training image.
        """
        chosen, distances = self._ranked(vector, k, exclude_digest)
        rows = self.samples.iloc[chosen]
        texts = [rows[name] if name in rows else [""] * len(rows) for name in ("file", "label", "patient", "source")]
        return [
            Neighbour(file, label, patient, source, digest, float(distance))
            for file, label, patient, source, digest, distance in zip(*texts, rows["digest"], distances, strict=True)
        ]

    def shares(self, vector: NDArray[np.floating], k: int = AMONG, exclude_digest: str | None = None) -> dict[str, int]:
        """How many of the ``k`` nearest training images each class has; the denominator is the sum."""
        chosen, _ = self._ranked(vector, k, exclude_digest)
        labels = self.samples["label"].iloc[chosen].tolist()
        return {name: labels.count(name) for name in self.classes}

    def counted(
        self, vector: NDArray[np.floating], k: int = AMONG, exclude_digest: str | None = None
    ) -> tuple[int, dict[str, tuple[int, int]]]:
        """How many images are compared, at most ``k``, and label -> (images with it, of those where it is known).

        Of classes each one; of findings those that are there in one image at least, the commonest first.
        """
        chosen, _ = self._ranked(vector, k, exclude_digest)
        names = names_in(self.samples)
        if not names:
            shares = self.shares(vector, k, exclude_digest)
            return len(chosen), {name: (count, len(chosen)) for name, count in shares.items()}
        values = values_of(self.samples.iloc[chosen], names)
        with_it, known = (values == 1).sum(axis=0), ((values == 1) | (values == 0)).sum(axis=0)
        places = [place for place in learnt(names) if with_it[place]]
        order = sorted(places, key=lambda place: -with_it[place])
        return len(chosen), {names[place]: (int(with_it[place]), int(known[place])) for place in order}

    def distance(self, vector: NDArray[np.floating], exclude_digest: str | None = None) -> float:
        """Mean distance to the five nearest training images; to be compared with ``limit``. Infinite without any."""
        _, distances = self._ranked(vector, NEAREST, exclude_digest)
        return float(distances.mean()) if len(distances) else float("inf")

    def _ranked(
        self, vector: NDArray[np.floating], k: int, exclude_digest: str | None
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Numbers of the ``k`` nearest rows and their distances; of equal ones the earlier row first."""
        if self.none:
            return np.empty(0, np.intp), np.empty(0, np.float32)
        distances = _distances(_unit(vector[None]), self.vectors)[0]
        allowed = np.flatnonzero(self.samples["digest"].to_numpy() != exclude_digest)
        order = allowed[np.argsort(distances[allowed], kind="stable")[:k]]
        return order, distances[order]


def kept_vector(run: Run, digest: str) -> NDArray[np.float32] | None:
    """The embedding (D,) of a validation image by its content, or None where none is kept. Raises RunError."""
    path = run.path / FILE
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            digests = from_json((file.metadata() or {})["val"])
            return file.get_tensor("val")[digests.index(digest)].astype(np.float32) if digest in digests else None
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, IndexError, AttributeError):
        raise _damaged(run) from None


def limit_of(
    train: NDArray[np.floating], val: NDArray[np.floating], train_patients: Sequence[str], val_patients: Sequence[str]
) -> float:
    """The distance that at most 5 % of the validation images exceed.

    ``train`` (N, D), ``val`` (M, D), unit length. An image's distance is the mean over its five nearest training
    images of another patient ("" is a patient of its own); images of the same patient say nothing about a new one.
    Infinite, so that nothing is questioned, where there is no validation image with a training image to compare it to.
    """
    known, wide = _codes(train_patients, val_patients), _unit(train)
    means = []
    for start in range(0, len(val), _CHUNK):
        distances = _distances(_unit(val[start : start + _CHUNK]), wide)
        own = known[1][start : start + _CHUNK, None]
        distances[(own == known[0][None]) & (own >= 0)] = np.inf
        first = min(NEAREST, distances.shape[1])
        nearest = np.partition(distances, first - 1, axis=1)[:, :first] if first else distances
        there = np.isfinite(nearest)
        compared = there.any(axis=1)
        total = np.where(there, nearest, 0).sum(axis=1)
        means.append(total[compared] / there.sum(axis=1)[compared])
    found = np.concatenate(means) if means else np.empty(0)
    # The smallest of the distances that 95 % of them do not exceed: no interpolation, so the 5 % hold for any M.
    if not len(found):
        return float("inf")
    return float(np.quantile(found, 1 - QUESTIONED, method="inverted_cdf")) + _ROUNDING


def save(
    run: Run,
    train: NDArray[np.float16],
    val: NDArray[np.float16],
    train_digests: Sequence[str],
    val_digests: Sequence[str],
    limit: float,
) -> None:
    """Write the run's embedding, atomically."""
    about = {"train": json.dumps(list(train_digests)), "val": json.dumps(list(val_digests)), "limit": json.dumps(limit)}
    with replacing(run.path / FILE, needed=train.nbytes + val.nbytes) as temporary:
        save_file({"train": np.ascontiguousarray(train), "val": np.ascontiguousarray(val)}, temporary, metadata=about)


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows of length 1 (or 0) in float32: what float16 rounded off the length would show in small distances."""
    wide = np.asarray(vectors, np.float32)
    return np.asarray(wide / np.maximum(np.linalg.norm(wide, axis=-1, keepdims=True), 1e-12))


def _distances(vectors: NDArray[np.float32], train: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosine distances (M, N) of unit vectors; never negative, whatever the rounding."""
    return np.asarray(np.maximum(1 - vectors @ train.T, 0))


def _codes(train: Sequence[str], val: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Patients as numbers, -1 for an unknown one."""
    numbers: dict[str, int] = {}
    codes = [[numbers.setdefault(name, len(numbers)) if name else -1 for name in part] for part in (train, val)]
    return np.array(codes[0], np.int64), np.array(codes[1], np.int64)


def _damaged(run: Run) -> RunError:
    return RunError(f"{run.path / FILE} is damaged: expected the embedding of the run's training images. Train anew.")
