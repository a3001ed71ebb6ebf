"""Everything the report on one image needs, from a loaded run: pictures, heat map, similar cases, DICOM facts.

    prediction = next(predictor.predict([("a.png", content)]))
    image_report(run, answered(predictor, prediction, content, heat=("COVID19", 0.45)))

torch comes in with the predictor, and with the heat map inside its function.
"""

from typing import TYPE_CHECKING

from PIL import Image

from cxr_core import images
from cxr_core.errors import ImageError
from cxr_core.images import jpeg
from cxr_core.images.dicom import facts
from cxr_core.images.lungs import lungs
from cxr_core.inference import Neighbour
from cxr_core.inference.inside import told
from cxr_core.reports.image import Answered, Heat, Similar
from cxr_core.runs import Run

if TYPE_CHECKING:
    from cxr_core.inference import Prediction, Predictor

FULL_SIDE, SMALL_SIDE = 1000, 180
FACT_NAMES = {
    "modality": "Modality",
    "view": "View",
    "body_part": "Body part",
    "laterality": "Laterality",
    "size": "Size",
    "polarity": "Polarity",
}


def answered(
    predictor: "Predictor",
    prediction: "Prediction",
    content: bytes,
    forced: bool = False,
    heat: tuple[str, float] | None = None,
) -> Answered:
    """What ``predictor`` said to the image ``content``. ``heat``: the label and opacity (0 to 1) of a heat map.

    Raises ImageError where the image cannot be read (its prediction has an ``error``), RunError where a label is not
    the run's or its embedding is damaged.
    """
    if prediction.error is not None or prediction.label is None or prediction.probabilities is None:
        raise ImageError(prediction.error or f"{prediction.file}: there is no prediction to report.")
    open_answer = prediction.withheld is None or forced
    picture = images.decode(content, prediction.file, side=FULL_SIDE)
    return Answered(
        file=prediction.file,
        digest=images.content_digest(content),
        picture=jpeg(picture, FULL_SIDE),
        label=prediction.label,
        probabilities=prediction.probabilities,
        withheld=prediction.withheld,
        forced=forced,
        heat=_heat(predictor, content, prediction.file, picture, *heat) if heat and open_answer else None,
        similar=_similar(predictor, content, prediction.file) if open_answer and not predictor.known.none else None,
        facts=named_facts(content),
        seen=prediction.seen.sentence if prediction.seen else None,
        present=prediction.present,
    )


def named_facts(content: bytes) -> dict[str, str]:
    """What may be shown of a DICOM file, under names to read: ``{"Modality": "CR", "View": "PA"}``; else empty."""
    return {FACT_NAMES[name]: value for name, value in facts(content).items()}


def _heat(predictor: "Predictor", content: bytes, name: str, picture: Image.Image, label: str, opacity: float) -> Heat:
    from cxr_core.inference import overlay

    heat = predictor.heat(name, content, label)
    inside = " ".join(filter(None, told(heat, lungs(images.pixels(content, name, len(heat))))))
    return Heat(label, opacity, jpeg(overlay(picture, heat, opacity), FULL_SIDE), not heat.any(), inside)


def _similar(predictor: "Predictor", content: bytes, name: str) -> Similar:
    run = predictor.trained.run
    vector, digest = predictor.vector(name, content)
    nearest = predictor.known.nearest(vector, exclude_digest=digest)
    among, shares = predictor.known.counted(vector, exclude_digest=digest)
    tiles = [_tile(run, neighbour) for neighbour in nearest]
    return Similar(nearest, among, shares, predictor.known.limit, tiles)


def _tile(run: Run, neighbour: Neighbour) -> bytes | None:
    try:
        path = run.picture(neighbour.file)
        content = images.read_bytes(path)
        # Another image may stand there by now.
        if images.content_digest(content) != neighbour.digest:
            return None
        return jpeg(images.decode(content, path.name, side=SMALL_SIDE), SMALL_SIDE)
    except ImageError:
        # The data set has moved; the label and the distance still stand.
        return None
