"""The report on one image: a single page, made in memory.

    document = image_report(run, Answered(...))
    html.render(document), pdf.render(document)

It names the uploaded file, for the person who uploaded it, and nothing else that may name a patient: similar cases
are told by label, distance, source and the beginning of their digest, and of a DICOM file only ``facts`` are shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cxr_core import __version__
from cxr_core.bars import OF_ANY_KIND, bars
from cxr_core.config import NAMED_WEIGHTS
from cxr_core.errors import RunError
from cxr_core.figures import compact, of
from cxr_core.inference import Neighbour
from cxr_core.names import friendly, network
from cxr_core.reports import findings, known, scored
from cxr_core.reports.document import Block, Bullets, Document, Heading, Picture, Pictures, Table, Text
from cxr_core.reports.verdict import verdict
from cxr_core.runs import Decision, Run, files, title
from cxr_core.runs.decision import by_whom, calibrated_on, rule_sentence
from cxr_core.runs.measured import measured

HEAT_SENTENCE = "A heat map shows what moved the score, not that the score is right."
EMPTY = "The map is empty: nothing in this picture speaks for {label}."
NO_FINDING_NEAR = "none with a finding"
FORCED = "Shown on request although the answer is withheld."
_FULL, _SMALL = 68, 24


@dataclass(frozen=True)
class Heat:
    """A heat map laid over the picture, as a JPEG: of which label, at which opacity (0 to 1), whether it is empty, and
    in words how much of it lies in the lungs.
    """

    label: str
    opacity: float
    jpeg: bytes
    is_empty: bool
    lungs: str = ""


@dataclass(frozen=True)
class Similar:
    """The nearest training images; ``among`` how many (25 at most) each label has which share (images, of those where
    it is known), and the distance that is usual.
    """

    nearest: Sequence[Neighbour]
    among: int
    shares: Mapping[str, tuple[int, int]]
    limit: float
    # JPEGs of ``nearest``, None for a file that is no longer there.
    pictures: Sequence[bytes | None]


@dataclass(frozen=True)
class Answered:
    """What a run said to one image. ``label`` and ``probabilities`` are calibrated and always there; where the answer
    is ``withheld`` (the reason) they are printed only if ``forced``.
    """

    file: str
    digest: str
    picture: bytes
    label: str
    probabilities: Mapping[str, float]
    withheld: str | None = None
    forced: bool = False
    heat: Heat | None = None
    similar: Similar | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    # Where in the run's own pictures this one is, in a sentence.
    seen: str | None = None
    # Of findings those that are there; None where classes exclude each other.
    present: tuple[str, ...] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the answer may be printed."""
        return self.withheld is None or self.forced


def image_report(run: Run, answered: Answered, now: datetime | None = None) -> Document:
    """The page. Raises RunError where the run's files are damaged."""
    decision = Decision.load(run)
    date = (now or datetime.now(UTC)).astimezone(UTC)
    found = verdict(run)
    said = Text(known.line(found.against))
    blocks: list[Block] = [_pictures(answered), Heading("Answer"), said, *_answer(run, answered, decision)]
    if answered.is_open and answered.similar:
        blocks += _similar(answered.similar)
    blocks += [Heading("How good this run is on its internal test split"), *_figures(run)]
    blocks += [Heading("What this score is worth"), Text(found.sentence), Bullets(found.details)]
    return Document(
        "Chest X-ray report",
        f"{answered.file} · {date:%Y-%m-%d %H:%M} UTC · run {title(run)}",
        tuple(blocks),
        _foot(run, answered, decision),
    )


def _pictures(answered: Answered) -> Block:
    facts = " · ".join(f"{name}: {value}" for name, value in answered.facts.items())
    shown = [Picture(answered.picture, f"{answered.file}. {facts}" if facts else answered.file)]
    if answered.heat and answered.is_open:
        heat = answered.heat
        text = f"Heat map of {heat.label} (Grad-CAM, opacity {heat.opacity:.2f}). {HEAT_SENTENCE}"
        more = EMPTY.format(label=heat.label) if heat.is_empty else heat.lungs
        shown.append(Picture(heat.jpeg, f"{text} {more}".rstrip()))
    return Pictures(tuple(shown), _FULL)


def _answer(run: Run, answered: Answered, decision: Decision) -> list[Block]:
    said: list[Block] = [Text(answered.seen, strong=True)] if answered.seen else []
    if answered.withheld is not None:
        said.append(Text("Withheld", strong=True))
        said.append(Text(f"{answered.withheld} {FORCED}" if answered.forced else answered.withheld))
    if not answered.is_open:
        return said
    if answered.present is not None:
        return [*said, *findings.answer(run, answered.present, answered.probabilities, answered.withheld, decision)]
    label = f"Decision, marked as withheld: {answered.label}" if answered.withheld else f"Decision: {answered.label}"
    shown = bars(answered.probabilities, answered.label, run.classes, run.implied, decision.thresholds)
    limits = {part.name: part for part in shown.against}
    rows = []
    for name, value in {**shown.values, **shown.whole}.items():
        part = limits.get(name.removesuffix(OF_ANY_KIND))
        reached = "" if part is None else "reaches it" if part.reaches else "below it"
        rows.append([name, compact(value), compact(part.threshold if part else None), reached])
    thresholds = f" Thresholds: {by_whom(run, decision)}." if shown.against else ""
    rule = rule_sentence(run, decision.thresholds)
    said += [
        Text(label, strong=True),
        *([Text(shown.reason)] if shown.reason else []),
        Table(("Label", "Probability, calibrated", "Threshold", "Against it"), rows, (1, 2)),
        Text(
            f"Rule: {rule}{thresholds} Calibrated with temperature {decision.temperature:.3f} ({calibrated_on(run)})."
        ),
    ]
    return said


def _similar(similar: Similar) -> list[Block]:
    tiles = []
    for neighbour, jpeg in zip(similar.nearest, similar.pictures, strict=True):
        source = f" · {neighbour.source}" if neighbour.source else ""
        text = f"{neighbour.label} · distance {neighbour.distance:.3g}{source} · {neighbour.digest[:8]}"
        tiles.append(Picture(jpeg, text))
    shares = ", ".join(f"{name} {of(*counts)}" for name, counts in similar.shares.items()) or NO_FINDING_NEAR
    mean = sum(neighbour.distance for neighbour in similar.nearest) / max(1, len(tiles))
    return [
        Heading("Nearest training images"),
        Pictures(tuple(tiles), _SMALL),
        Text(
            f"Among the nearest {similar.among}: {shares}. Mean distance to the nearest {len(tiles)}: {mean:.3g}; "
            f"95 % of the validation images are nearer than {similar.limit:.3g}. 0 is the same direction in feature "
            "space, 1 nothing in common."
        ),
    ]


def _figures(run: Run) -> list[Block]:
    if run.metrics("test") is None:
        return [Text("There is no test score for this run, so how good its answers are is unknown.")]
    path = run.path / files.metrics("test")
    try:
        return scored.figures(scored.whole(measured(run, "test")[0], path, run.task), run.task)
    except RunError as error:
        return [Text(str(error))]


def _foot(run: Run, answered: Answered, decision: Decision) -> tuple[str, ...]:
    config, info = run.config, run.info
    versions = ", ".join(f"{name} {number}" for name, number in info.versions.items())
    if run.imported:
        origin = f"Run {title(run)}: {run.imported.source} Licence: {run.imported.licence}"
        return origin, f"Image digest {answered.digest} (BLAKE2b). Written by cxr_core {__version__}."
    return (
        f"Run {title(run)}: {network(config)}, weights {_origin(config.weights)}, epoch "
        f"{decision.epoch}; data set {info.dataset_name}, digest {info.data_digest}.",
        f"Image digest {answered.digest} (BLAKE2b). Written by cxr_core {__version__}; trained with {versions}.",
    )


def _origin(weights: str) -> str:
    return friendly("weights", weights) if weights in NAMED_WEIGHTS else "from a file"
