"""Networks that others trained on X-rays and published: where each comes from, what it was trained on, what it answers.

    PUBLISHED["densenet121-res224-all"].sets      # names as cxr_core.data.sets.registry has them, and others
    named("nih-densenet121-d121-tw-lr001-rot45-tr15-sc15-seed0-best.pt")    # by the name of the published file

No weights are here, and nothing is fetched by this module (:mod:`cxr_core.model.fetched` does). An address stands here
and nowhere else. A checksum is given where several public projects state the same one of the published file; where none
is known there is none, and the file is not downloaded: a person brings it, and its SHA-256 is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_RELEASE = "https://github.com/mlmed/torchxrayvision/releases/download/v1/"
_MODELS = "https://huggingface.co/microsoft/rad-dino/resolve/110cbc18d5133582e320b43d53bf5c44e410c936/"

# Before a pickled file is opened: behind "its weights are not here:" or the like.
AGREE = (
    "it is a whole pickled network. Such a file says which code is to be run when it is opened, and may say anything. "
    "Here only its numbers are taken out, by a process of its own that runs none of that code; all the same, open "
    "such a file only if you trust where it comes from"
)

# In the order in which TorchXRayVision's networks answer. A set without one of them leaves its place blank.
_FINDINGS = (
    *("Atelectasis", "Consolidation", "Infiltration", "Pneumothorax", "Edema", "Emphysema", "Fibrosis", "Effusion"),
    *("Pneumonia", "Pleural_Thickening", "Cardiomegaly", "Nodule", "Mass", "Hernia", "Lung Lesion", "Fracture"),
    *("Lung Opacity", "Enlarged Cardiomediastinum"),
)
_NIH, _NIH_2019, _RSNA = "NIH ChestX-ray14", "NIH radiologists 2019", "RSNA Pneumonia 2018"
_CHEXPERT, _MIMIC, _PADCHEST = "CheXpert", "MIMIC-CXR-JPG", "PadChest"


@dataclass(frozen=True)
class Published:
    """A published network. ``backbone``: that of ours which has its form. ``file``: what it is called where it is kept,
    and on a mirror. ``address`` and ``sha256`` are "" where it can only be brought as a file. ``pickled``: a whole
    module, which code would have to make; we take the tensors out of it. ``sets``: what it was trained on.
    ``places``: finding -> its place among the outputs; ``points``: finding -> its published operating point.
    """

    name: str
    title: str
    backbone: str
    file: str
    sets: tuple[str, ...]
    licence: str
    citation: str
    address: str = ""
    sha256: str = ""
    bytes: int = 0
    pickled: bool = False
    outputs: int = 0
    places: Mapping[str, int] = field(default_factory=dict, hash=False)
    points: Mapping[str, float] = field(default_factory=dict, hash=False)

    @property
    def findings(self) -> tuple[str, ...]:
        """What it answers, in its own order; nothing where it gives features alone."""
        return tuple(self.places)

    @property
    def trained_on(self) -> str:
        """The sets in words."""
        *first, last = self.sets
        return f"{', '.join(first)} and {last}" if first else last


def _densenet(short: str, file: str, sets: tuple[str, ...], points: str, sha256: str = "", size: int = 0) -> Published:
    """One of TorchXRayVision's. ``points``: a number or ``-`` for each of the findings."""
    given = [(place, text) for place, text in enumerate(points.split()) if text != "-"]
    name = f"densenet121-res224-{short}"
    return Published(
        name=name,
        title=f"TorchXRayVision {name}",
        backbone="xrv_densenet121",
        file=f"{file}-densenet121-d121-tw-lr001-rot45-tr15-sc15-seed0-best.pt",
        sets=sets,
        licence="Apache-2.0 for the library that publishes it; its training sets have terms of their own.",
        citation=(
            "Cohen, Viviano, Bertin et al. 2022, TorchXRayVision: A library of chest X-ray datasets and models, MIDL; "
            "Cohen, Hashir, Brooks, Bertrand 2020, On the limits of cross-domain generalization in automated X-ray "
            "prediction, MIDL."
        ),
        address=f"{_RELEASE}{file}-densenet121-d121-tw-lr001-rot45-tr15-sc15-seed0-best.pt" if sha256 else "",
        sha256=sha256,
        bytes=size,
        pickled=True,
        outputs=len(_FINDINGS),
        places=MappingProxyType({_FINDINGS[place]: place for place, _ in given}),
        points=MappingProxyType({_FINDINGS[place]: float(text) for place, text in given}),
    )


PUBLISHED: Mapping[str, Published] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            _densenet(
                "all",
                "nih-pc-chex-mimic_ch-google-openi-kaggle",
                (_NIH, _PADCHEST, _CHEXPERT, _MIMIC, _NIH_2019, "Open-i", _RSNA),
                "0.07422872 0.038290843 0.09814756 0.0098118475 0.023601074 0.0022490358 0.010060724 0.103246614 "
                "0.056810737 0.026791653 0.050318155 0.023985857 0.01939503 0.042889766 0.053369623 0.035975814 "
                "0.20204692 0.05015312",
                # The same in eight public projects that keep the file; the publisher gives none.
                "56524913dd16a906422e8d8b66a7a5c46be1d82eb7ac012d8103776f1aa68899",
                28_382_008,
            ),
            _densenet(
                "nih",
                "nih",
                (_NIH,),
                "0.039117552 0.0034529066 0.11396341 0.0057298196 0.00045666535 0.0018880932 0.012037827 0.038744126 "
                "0.0037213727 0.014730946 0.016149804 0.054241467 0.037198864 0.0004403434 - - - -",
            ),
            _densenet(
                "pc",
                "pc",
                (_PADCHEST,),
                "0.031012505 0.013347598 0.081435576 0.001262615 0.002587246 0.0035944257 0.0023071 0.055412333 "
                "0.044385884 0.042766232 0.043258056 0.037629247 0.005658899 0.0091741895 - 0.026507627 - -",
            ),
            _densenet(
                "chex",
                "chex",
                (_CHEXPERT,),
                "0.1988969 0.05710573 - 0.0531293 0.1435217 - - 0.27212676 0.07749717 - 0.19712369 - - - 0.09932402 "
                "0.09273402 0.3270967 0.10888247",
            ),
            _densenet("rsna", "kaggle", (_RSNA,), "- - - - - - - - 0.13486601 - - - - - - - 0.13511065 -"),
            _densenet(
                "mimic_nb",
                "mimic_nb",
                (_MIMIC,),
                "0.08558747 0.011884617 - 0.0040595434 0.010733786 - - 0.118761964 0.022924708 - 0.06358637 - - - "
                "0.022143636 0.017476924 0.1258702 0.014020768",
            ),
            _densenet(
                "mimic_ch",
                "mimic_ch",
                (_MIMIC,),
                "0.09121389 0.010573786 - 0.005023008 0.003698257 - - 0.08001232 0.037242252 - 0.05006329 - - - "
                "0.019866971 0.03823637 0.11303808 0.0069147074",
            ),
            Published(
                name="rad-dino",
                title="RAD-DINO",
                backbone="rad_dino",
                file="rad-dino.safetensors",
                sets=(_MIMIC, _CHEXPERT, _NIH, _PADCHEST, "BRAX"),
                licence="MIT at the time of writing (earlier MSRLA): for research, not for clinical practice.",
                citation=(
                    "Pérez-García, Sharma, Bond-Taylor et al. 2025, Exploring scalable medical image encoders beyond "
                    "text supervision, Nature Machine Intelligence."
                ),
                address=f"{_MODELS}model.safetensors",
                # As the projects state it that pin this revision.
                sha256="dbfb9f54459c38773505de64a6ab7807bdcb392610fe1e697166342e43fb91ae",
                bytes=346_345_912,
            ),
        )
    }
)


def of_backbone(backbone: str) -> list[str]:
    """The names of the published networks that this backbone can start from, the first by default."""
    form = backbone.removesuffix("_patches")
    return [name for name, entry in PUBLISHED.items() if entry.backbone == form]


def named(text: str) -> Published | None:
    """The published network of this name, or whose published file is called so; None for any other text."""
    if text in PUBLISHED:
        return PUBLISHED[text]
    file = text.replace("\\", "/").rpartition("/")[2]
    return next((entry for entry in PUBLISHED.values() if file in (entry.file, f"{entry.name}.safetensors")), None)


def of_checksum(sha256: str) -> Published | None:
    """The published network whose file has this SHA-256."""
    return next((entry for entry in PUBLISHED.values() if sha256 and entry.sha256 == sha256), None)
