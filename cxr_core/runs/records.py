"""What the JSON files of a run hold: one model a file, read and checked once, all with the same strictness.

    status = read(run.path / files.STATUS, Status)      # None where there is no such file
    status.state

A run is a folder that anyone can edit, and that another version may have written: fields that are not named here stay,
fields that came later have the value that they had before they were written. A file that does not hold what its model
says is a RunError that names the file and what to do.
"""

import json
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from cxr_core.errors import RunError
from cxr_core.images import Mask
from cxr_core.settings import from_json

# The number of the way in which a run is written down. A run without one is of the first.
FORMAT = 3


Number = float | None
Pair = Annotated[list[float], Field(min_length=2, max_length=2)] | None
State = Literal["queued", "extracting", "training", "evaluating", "completed", "stopped", "failed"]


class Record(BaseModel):
    """``expected``: what the file holds, in a few words; ``advice``: what to do where it does not."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False, frozen=True)
    expected: ClassVar[str] = "a record of the run"
    advice: ClassVar[str] = "Delete the file, or restore it."


Shape = TypeVar("Shape", bound=Record)


def read(path: Path, shape: type[Shape]) -> Shape | None:
    """What the file at ``path`` holds; None where there is none. Raises RunError where it does not hold ``shape``."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return of(from_json(content), shape)
    except ValueError:
        raise damaged(path, shape) from None


def damaged(path: Path, shape: type[Record], how: str = "damaged") -> RunError:
    """That the file at ``path`` does not hold ``shape``, and what to do."""
    return RunError(f"{path} is {how}: expected {shape.expected}. {shape.advice}")


def of(document: Any, shape: type[Shape]) -> Shape:
    """The record that a JSON document holds. Raises ValueError where it holds another thing."""
    try:
        return shape.model_validate(document)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def written(record: Record, indent: int | None = None) -> str:
    """The record as its file has it: what was not given is not written."""
    return json.dumps(record.model_dump(by_alias=True, exclude_unset=True), indent=indent)


class ImportedNote(Record):
    """``imported`` of ``run.json``: the run was not trained here, and came without its images."""

    expected: ClassVar[str] = "where an imported run comes from"

    kind: Literal["published", "starter"] = Field(description="a published network, or the model that is shipped")
    name: str = Field(description="what the network is called where it comes from")
    source: str = Field(description="a sentence: who made it, of what")
    licence: str = Field(default="", description="under which terms it may be used")
    citation: str = Field(default="", description="what to cite")
    sets: list[str] = Field(default=[], description="data sets that it was trained on, by the names of the registry")
    file: str = Field(default="", description="name of the published file")
    sha256: str = Field(default="", description="of that file")
    as_published: bool = Field(default=False, description="whether that is the checksum that is known of it")
    scores: str = Field(default="", description="a sentence on what its numbers are, where they are no probabilities")
    protection: list[str] = Field(default=[], description="what the process gave up that opened a pickled file")
    against: list[str] = Field(default=[], description="what is known against it beside its figures, a few words each")


class RunInfo(Record):
    """``run.json``: what is trained on what, written once, before the work begins."""

    expected: ClassVar[str] = "the description of a run"
    advice: ClassVar[str] = "Delete the folder, or restore the file."

    id: str = Field(default="", description="name of the run's folder when it was made")
    format: int = Field(default=1, description="number of the way in which the run is written down")
    created: str = Field(default="", description="when, ISO 8601 with the offset of UTC")
    config: dict[str, Any] = Field(description="the configuration: every flag of `train`")
    task: Literal["exclusive", "findings"] = Field(
        default="exclusive", description="whether an image has one class, or any number of findings"
    )
    classes: Annotated[list[str], Field(min_length=1)] = Field(
        description="class names, sorted; of findings their names in the data set's order"
    )
    implied: dict[str, list[str]] = Field(description="class: the classes that it implies; empty for single labels")
    data: str = Field(description="path of the data set, a folder or a table, or a hash that stands for it")
    folder: str = Field(description="path that the names of the files begin at, or a hash that stands for it")
    dataset_name: str = Field(default="", description="name of the data set")
    pseudonyms: str = Field(default="", description="name of the key where hashes stand for names")
    data_digest: str = Field(default="", description="digest of files, labels, splits, patients, sources and contents")
    origin: dict[str, Any] = Field(default={}, description="which public set it is, and how its labels were made")
    counts: dict[str, dict[str, int]] = Field(default={}, description="images by split and class, or with each finding")
    unreadable: int = Field(default=0, description="files of the data set that could not be read when the run was made")
    warnings: list[str] = Field(default=[], description="what stands beside every result")
    versions: dict[str, str] = Field(default={}, description="software that the run was made with")
    pixels: int = Field(default=0, description="number of the way in which files become pixels")
    mask: Mask = Field(default="none", description="what is erased from every image: of a control")
    experiment: str = Field(default="", description="what it was trained for, in the folder of another run")
    title: str = Field(default="", description="what it is called there")
    number: str = Field(default="", description="its place among the others there, such as 1 of 2")
    imported: ImportedNote | None = Field(default=None, description="where it comes from, if it was not trained here")


def _none_unless(*kinds: type) -> BeforeValidator:
    """What is of another type counts as unknown: a process that cannot be one is no reason to give a run up."""
    return BeforeValidator(lambda value: value if type(value) in kinds else None)


Moment = Annotated[float | None, _none_unless(int, float)]


class Status(Record):
    """``status.json``: where the run stands; replaced in one step by whoever works on it."""

    expected: ClassVar[str] = "the state of a run"

    state: State = Field(description="the stored state; one at work without a process is shown as lost")
    number: int = Field(default=0, description="place in the queue of the runs folder")
    pid: Annotated[int | None, _none_unless(int)] = Field(default=None, description="the worker's process")
    process: Annotated[str | None, _none_unless(str)] = Field(
        default=None, description="that process by number and start: no other gets this name"
    )
    host: str = Field(default="", description="the machine that it runs on")
    queued: Moment = Field(default=None, description="when it was queued, seconds since 1970")
    started: Moment = Field(default=None, description="when it began")
    ended: Moment = Field(default=None, description="when it ended")
    error: str | None = Field(default=None, description="why it failed")
    left_out: int = Field(default=0, description="images that could not be read when it trained")


class LaunchNote(Record):
    """``.launched.json``: the process that was started for a run that waits."""

    expected: ClassVar[str] = "the process that was started"

    process: str | None = Field(description="by number and start; none for one that has ended at once")


class ProgressNote(Record):
    """``progress.json``: how far the stage at work is; replaced at most twice a second."""

    expected: ClassVar[str] = "how far a stage is"

    stage: str = Field(default="queued", description="such as downloading, auditing, extracting, training")
    done: int = Field(default=0, description="images, or bytes of a download, that are through")
    total: int = Field(default=0, description="of so many")
    per_second: Number = Field(default=None, description="speed of the stage")
    seconds_left: Number = Field(default=None, description="at that speed")
    epoch: int = Field(default=0, description="the epoch, in training")
    epochs: int = Field(default=0, description="of so many")
    ahead: int = Field(default=0, description="trainings before it, while it waits")


class EpochFigures(Record):
    """Figures of one split after an epoch; those of train are fewer."""

    model_config = ConfigDict(allow_inf_nan=True)

    loss: Number = Field(default=None, description="by the run's own loss")
    accuracy: Number = Field(default=None, description="images classified correctly, of all")
    balanced_accuracy: Number = Field(default=None, description="mean recall of the classes that occur")
    macro_f1: Number = Field(default=None, description="mean F1 of the classes")
    macro_roc_auc: Number = Field(default=None, description="of findings: mean area over those that have both")
    roc_auc: dict[str, Number] = Field(default={}, description="of findings: each one's area under the ROC curve")
    recall: dict[str, Number] = Field(default={}, description="by class")
    confusion: list[list[int]] = Field(default=[], description="rows are true classes, columns decided ones")

    def figure(self, name: str) -> float | None:
        """A figure of one number by its name; None where it was not measured, or is none."""
        value = getattr(self, name, None)
        return value if isinstance(value, int | float) else None


class Epoch(Record):
    """A line of ``history.jsonl``: what an epoch measured. A loss that is no number may stand in it."""

    model_config = ConfigDict(allow_inf_nan=True)
    expected: ClassVar[str] = "what an epoch measured"

    epoch: int = Field(description="from 1")
    seconds: float = Field(default=0, description="of training and validation")
    images_per_second: Number = Field(default=None, description="in training")
    lr: Number = Field(default=None, description="learning rate at its end")
    train: EpochFigures = Field(default=EpochFigures(), description="on train, while it is trained")
    val: EpochFigures = Field(default=EpochFigures(), description="on validation, after it")
    best: bool = Field(description="whether it was the best so far")

    def part(self, split: str) -> EpochFigures:
        """Of ``train`` or ``val``."""
        return self.train if split == "train" else self.val


class FoundNote(Record):
    """``found.json``: what the worker met on its way."""

    expected: ClassVar[str] = "what the worker noted"

    space: dict[str, Any] | None = Field(default=None, description="the kept features that it trained on")
    device: str = Field(default="", description="what it was computed on")
    warnings: list[str] = Field(default=[], description="what stands beside every result besides those of run.json")
    diverged: list[str] = Field(default=[], description="what is wrong with the training itself, a sentence each")


class DecisionRule(Record):
    """``decision.json``: temperature and thresholds, chosen on the validation split."""

    expected: ClassVar[str] = "the thresholds of the run"
    advice: ClassVar[str] = "Train it again."

    temperature: float = Field(default=1.0, description="logits are divided by it")
    thresholds: dict[str, float] = Field(description="by class; empty for single labels")
    epoch: int = Field(description="the best one, whose weights are used")
    monitor: str = Field(description="by which figure it was chosen")


class OperatingPoint(Record):
    """``operating_point.json``: thresholds that a person chose on the validation split."""

    expected: ClassVar[str] = "thresholds between 0 and 1"
    advice: ClassVar[str] = "Delete it to use the run's own."

    thresholds: dict[str, Annotated[float, Field(gt=0, lt=1)]] = Field(description="by class, some or all of them")
    chosen: str = Field(description="when, ISO 8601")


class ViewingsNote(Record):
    """``looks.json``: how often somebody looked at the figures of the test split."""

    expected: ClassVar[str] = "how often the test was looked at"

    test: Annotated[int, Field(ge=0)] = Field(description="so often")
    viewers: list[str] = Field(description="digests of those who did, so that nobody counts twice")


class ControlScore(Record):
    """A score of ``controls.json``: macro F1 of what sees no lungs, or nothing but the middle."""

    macro_f1: float = Field(description="on the test images")
    interval: Pair = Field(default=None, description="95 %, by patient")
    n: int = Field(description="images that it was counted on")
    on: str = Field(description="which images they are")
    accuracy: Number = Field(default=None, description="of a control that was trained")
    confusion: list[list[int]] | None = Field(default=None, description="of a control that was trained")


class ControlScores(Record):
    """``controls.json``: what of the score can be had without lungs."""

    model_config = ConfigDict(populate_by_name=True)
    expected: ClassVar[str] = "the scores of both controls"
    advice: ClassVar[str] = "Delete it, and measure again."

    chance_macro_f1: float = Field(description="what guessing would reach on the same test")
    lungs_erased: ControlScore | None = Field(default=None, alias="lungs-erased", description="trained without lungs")
    middle_only: ControlScore | None = Field(default=None, alias="middle-only", description="trained on the middle")
    shortcut: ControlScore | None = Field(default=None, description="from size, file and brightness")
    source_only: ControlScore | None = Field(default=None, alias="source-only", description="from the source alone")

    def by_kind(self) -> dict[str, ControlScore]:
        """Those that there are, as their keys in the file have them."""
        named = {
            "lungs-erased": self.lungs_erased,
            "middle-only": self.middle_only,
            "shortcut": self.shortcut,
            "source-only": self.source_only,
        }
        return {kind: score for kind, score in named.items() if score is not None}


class ControlFinding(Record):
    """A finding of a score of ``controls.json``: what is reached of it, and how much less that is than the run's."""

    roc_auc: Number = Field(description="on the images where it is certain")
    interval: Pair = Field(default=None, description="95 %, by patient")
    n: int = Field(description="images that it was counted on")
    positives: int = Field(description="of these, with the finding")
    difference: Number = Field(default=None, description="the run's less this one, on the same images")
    difference_interval: Pair = Field(default=None, description="95 %, by patient")


class FindingControlScore(Record):
    """The same of findings: macro ROC AUC, and each finding."""

    macro_roc_auc: Number = Field(description="mean over the findings that the run is judged by; null where one lacks")
    interval: Pair = Field(default=None, description="95 %, by patient")
    n: int = Field(description="images that it was counted on")
    on: str = Field(description="which images they are")
    difference: Number = Field(default=None, description="the run's less this one, on the same images")
    difference_interval: Pair = Field(default=None, description="95 %, by patient")
    findings: dict[str, ControlFinding] = Field(description="each finding by itself")


class FindingControlScores(Record):
    """``controls.json`` of findings: what of the score, and which findings, can be had without lungs."""

    model_config = ConfigDict(populate_by_name=True)
    expected: ClassVar[str] = "the scores of both controls, finding by finding"
    advice: ClassVar[str] = "Delete it, and measure again."

    task: Literal["findings"] = Field(description="tells these from the scores of classes")
    lungs_erased: FindingControlScore | None = Field(
        default=None, alias="lungs-erased", description="trained without lungs"
    )
    middle_only: FindingControlScore | None = Field(
        default=None, alias="middle-only", description="trained on the middle"
    )
    shortcut: FindingControlScore | None = Field(default=None, description="from size, file and brightness")
    source_only: FindingControlScore | None = Field(
        default=None, alias="source-only", description="from the source alone"
    )

    def by_kind(self) -> dict[str, FindingControlScore]:
        """Those that there are, as their keys in the file have them."""
        named = {
            "lungs-erased": self.lungs_erased,
            "middle-only": self.middle_only,
            "shortcut": self.shortcut,
            "source-only": self.source_only,
        }
        return {kind: score for kind, score in named.items() if score is not None}


class HeatShare(Record):
    """How much of some heat maps lies in the lungs: means over the maps, intervals by patient."""

    maps: Annotated[int, Field(gt=0)] = Field(description="heat maps of images whose lungs were found")
    patients: Annotated[int, Field(gt=0)] = Field(description="patients; an image whose patient is not known is one")
    share: float = Field(description="of the heat, in the lungs")
    share_ci: Pair = Field(default=None, description="95 %, by patient")
    area: float = Field(description="of the square that the network sees, the lungs")
    difference: float = Field(description="share less area")
    difference_ci: Pair = Field(default=None, description="95 %, by patient")


class LungHeatNote(Record):
    """``lung-heat.json``: how much of the heat maps of a split lies in the lungs."""

    expected: ClassVar[str] = "how much of the heat lies in the lungs"
    advice: ClassVar[str] = "Delete it, and measure again."

    split: str = Field(description="train, val or test; what is kept is of test")
    measured: str = Field(description="when, ISO 8601")
    seed: int = Field(description="that the images were drawn by")
    images: int = Field(description="images that were looked at")
    of: int = Field(description="images of the split that have a decision to map")
    unsure: int = Field(description="of the images looked at, those whose lungs were not found for sure")
    empty: int = Field(description="maps without any heat")
    unreadable: int = Field(description="images that could not be read, or are others by now")
    thresholds: dict[str, float] = Field(description="that the images were decided by")
    overall: HeatShare | None = Field(default=None, description="all maps")
    per_class: dict[str, HeatShare] = Field(description="by the class or finding that was decided, and is mapped")
    right: HeatShare | None = Field(default=None, description="maps of right decisions")
    wrong: HeatShare | None = Field(default=None, description="maps of wrong decisions")
    favours: bool = Field(description="whether the heat favours the lungs: for certain, and by at least 0.05")
    sentence: str = Field(description="the same in words, with both numbers")


class LeftOutNote(Record):
    """``left-out.json``: written last, when what was decided without each source stands in ``left-out.csv``."""

    expected: ClassVar[str] = "what the trainings without each source reached"
    advice: ClassVar[str] = "Delete both, and measure again."

    skipped: dict[str, str] = Field(description="source: why it could not be left out")
    unlearnt: dict[str, list[str]] = Field(
        default={}, description="of findings, by source: those that cannot be learnt without it, and are not judged"
    )


class _PerClass(Record):
    precision: Number
    recall: Number
    f1: Number
    support: int
    roc_auc: Number = None
    average_precision: Number = None


class _Intervals(Record):
    accuracy: Pair = None
    balanced_accuracy: Pair = None
    macro_f1: Pair = None
    per_class: dict[str, dict[str, Pair]] = {}


class Metrics(Record):
    """``metrics_SPLIT.json``, and what is kept of an external data set: the figures of a split."""

    expected: ClassVar[str] = "the figures of a split"
    advice: ClassVar[str] = "Evaluate it again."

    split: str = Field(description="train, val, test, or all of an external data set")
    n: int = Field(description="images")
    classes: list[str] = Field(description="in the order of every matrix")
    accuracy: float = Field(description="images classified correctly, of all")
    balanced_accuracy: Number = Field(description="mean recall of the classes that occur")
    macro_f1: float = Field(description="mean F1 of the classes")
    per_class: dict[str, _PerClass] = Field(description="precision, recall, F1, support and areas by class")
    confusion: list[list[int]] = Field(description="rows are true classes, columns decided ones")
    one_vs_rest: dict[str, list[list[int]]] = Field(description="by class: [[TN, FP], [FN, TP]]")
    ci: _Intervals | None = Field(default=None, description="95 % intervals, by patient")
    calibration: dict[str, Number] | None = Field(default=None, description="errors before and after the temperature")
    thresholds: dict[str, float] = Field(default={}, description="that these figures were decided by")
    warnings: list[str] = Field(description="what stands beside them")

    @model_validator(mode="after")
    def _classes_agree(self) -> "Metrics":
        count = len(self.classes)
        if set(self.per_class) != set(self.classes) or [len(row) for row in self.confusion] != [count] * count:
            raise ValueError("the figures are of other classes")
        if any([len(row) for row in table] != [2, 2] for table in self.one_vs_rest.values()):
            raise ValueError("expected tables of two by two")
        return self


class _PerFinding(_PerClass):
    n: int
    unknown: int
    positives: int
    patients: int
    others: int
    specificity: Number
    npv: Number
    prevalence: Number
    threshold: float
    ece: Number = None
    brier: Number = None
    calibration_gap: Number = None


class _FindingIntervals(Record):
    macro_roc_auc: Pair = None
    per_class: dict[str, dict[str, Pair]] = {}


class FindingMetrics(Record):
    """The same of findings: each over the images where it is known."""

    expected: ClassVar[str] = "the figures of a split"
    advice: ClassVar[str] = "Evaluate it again."

    task: Literal["findings"] = Field(description="tells these from the figures of classes")
    split: str = Field(description="train, val, test, or all of an external data set")
    n: int = Field(description="images")
    classes: list[str] = Field(description="the findings; what means none of them is not among them")
    counted: list[str] = Field(description="those with images that have it and images that have not")
    macro_roc_auc: Number = Field(description="mean over these")
    macro_average_precision: Number = Field(description="mean over these")
    macro_f1: Number = Field(description="mean over these")
    per_class: dict[str, _PerFinding] = Field(description="each finding's figures; recall is the sensitivity")
    one_vs_rest: dict[str, list[list[int]]] = Field(description="by finding: [[TN, FP], [FN, TP]]")
    ci: _FindingIntervals = Field(description="95 % intervals, by patient")
    calibration: dict[str, Number] = Field(description="the temperature")
    thresholds: dict[str, float] = Field(description="that these figures were decided by")
    warnings: list[str] = Field(description="what stands beside them")

    @model_validator(mode="after")
    def _findings_agree(self) -> "FindingMetrics":
        if set(self.per_class) != set(self.classes) or set(self.one_vs_rest) != set(self.classes):
            raise ValueError("the figures are of other findings")
        return self


class ExternalNote(Record):
    """``external/NAME-DIGEST.json``: the run on an external data set; the predictions lie beside it as .csv."""

    expected: ClassVar[str] = "an evaluation"
    advice: ClassVar[str] = "Evaluate that data set again."

    name: str = Field(description="of the data set, or a hash that stands for it")
    data: str = Field(description="its path, or a hash that stands for it")
    data_digest: str = Field(description="digest of its files, labels and contents")
    split: str = Field(description="the part that was evaluated: train, val, test or all")
    evaluated: str = Field(description="when, ISO 8601")
    shared: int = Field(description="images that the run's own data set has too")
    set: str | None = Field(default=None, description="which public set it is")
    overlap: str = Field(default="", description="a sentence: what that set is known to share with the run's own")
    metrics: dict[str, Any] = Field(description="as in metrics_SPLIT.json")


class FigureChange(Record):
    """A figure of a site profile on the half that it was judged on: as the run stands, with it, and the difference."""

    before: Number = Field(description="by the run's own rule")
    before_ci: Pair = Field(default=None, description="95 %, by patient")
    after: Number = Field(description="with the profile")
    after_ci: Pair = Field(default=None, description="95 %, by patient")
    difference: Number = Field(description="after less before")
    ci: Pair = Field(default=None, description="95 %, on the same resamples of patients")


class ProfileHalf(Record):
    """One half of the images of a site profile, parted by patient."""

    images: Annotated[int, Field(gt=0)] = Field(description="images")
    patients: Annotated[int, Field(gt=0)] = Field(description="patients; an image whose patient is not known is one")


class OwnRule(Record):
    """The run's rule that a site profile was compared with."""

    temperature: Annotated[float, Field(gt=0)] = Field(description="logits were divided by it")
    thresholds: dict[str, float] = Field(description="by class, chosen by the training or by a person")


class ProfileNote(Record):
    """``profiles/NAME.json``: another temperature and other thresholds for the run, for the images of one place."""

    expected: ClassVar[str] = "a site profile"
    advice: ClassVar[str] = "Fit it again, or forget it."

    name: str = Field(description="of the profile, as the file is called")
    dataset_name: str = Field(description="of the local data set, or a hash that stands for it")
    data_digest: str = Field(description="digest of its files, labels and contents")
    fitted: str = Field(description="when, ISO 8601")
    by: str = Field(description="who: a login, or an account of the machine")
    via: str = Field(description="page, command line or python")
    seed: int = Field(description="that the halves were drawn by")
    images: int = Field(description="labelled images, both halves")
    patients: int = Field(description="patients; an image whose patient is not known counts as one")
    unknown_patients: int = Field(description="images whose patient is not known")
    shared: int = Field(description="images left out because the run's own data set has them too")
    unreadable: int = Field(description="images left out because they could not be read")
    fit: ProfileHalf = Field(description="images and patients of the half that it was fitted on")
    judged: ProfileHalf = Field(description="images and patients of the half that it was judged on")
    temperature: Annotated[float, Field(gt=0)] = Field(description="logits are divided by it")
    thresholds: dict[str, Annotated[float, Field(gt=0, lt=1)]] = Field(
        description="by class; empty where the most probable class decides"
    )
    kept: list[str] = Field(description="classes whose threshold is the run's own, moved with the temperature")
    own: OwnRule = Field(description="the run's temperature and thresholds that it was compared with")
    overall: dict[str, FigureChange] = Field(description="figures over all classes on the half that judged")
    per_class: dict[str, dict[str, FigureChange]] = Field(description="those of each class")
    few: dict[str, int] = Field(description="classes that rest on fewer than ten patients there, and on how many")
    notes: list[str] = Field(description="what cannot change, and what makes the figures less sure")
    better: bool = Field(description="whether something got better for certain, and nothing worse")
    sentence: str = Field(description="what came of it, as it stands beside every answer")
