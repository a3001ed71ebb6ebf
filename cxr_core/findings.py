"""Labels as a matrix: which findings an image has, what is uncertain or blank, and what is made of that.

::

    contradictions(values, names)                       # No Finding beside a finding, and the like: counts
    targets, known = resolved(values, names, Policy())  # what is learnt and judged: (N, K) each
    effect(values, names, Policy(uncertain="1"))        # the same in counts, for a form
    values_of(samples, names_in(samples))               # the matrix in a table, one column y_NAME a finding

``values`` (N, K) float32 is as it came: 1 yes, 0 no, -1 uncertain, NaN blank; in between, the share of the readers who
saw the finding. Names such as NORMAL or No Finding say that there is *none of the findings*: such a column is derived
from the others, and neither learnt nor given a threshold. Devices are no findings in this sense: an image of a healthy
person with a catheter has No Finding (as in CheXpert, whose labels keep to it).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from cxr_core.errors import ConfigError, DatasetError, RunError
from cxr_core.figures import of

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Uncertain = Literal["unknown", "1", "0", "soft"]
Blank = Literal["0", "unknown"]

# What an image has: one class, or any number of findings.
EXCLUSIVE, FINDINGS = "exclusive", "findings"
# A column of a table that holds a finding is called so, and then by the finding's name.
PREFIX = "y_"
# What is said of an image without a finding where no label of the data set says it, and of one where nobody knows.
NO_FINDING, UNCERTAIN = "No finding", "uncertain"
_NONE = {
    *("normal", "no finding", "no findings", "healthy", "negative", "none", "unremarkable"),
    *("no abnormality", "no abnormalities", "no disease", "negative for pneumonia"),
}
_DEVICE = re.compile(
    r"\b(devices?|pacemakers?|catheters?|tubes?|prosthes[ie]s|artificial \w*\s?heart valve)\b", re.IGNORECASE
)


def means_none(name: str) -> bool:
    """Whether a label's whole name says that none of the findings is there: NORMAL, No_Finding, healthy, negative."""
    return " ".join(re.split(r"[\s_\-]+", name.strip().casefold())) in _NONE


def is_device(name: str) -> bool:
    """Whether a label is a device and no finding: Support Devices, NSG tube, pacemaker."""
    return _DEVICE.search(name.replace("_", " ")) is not None


def column(name: str) -> str:
    """The column of a table that holds this finding."""
    return f"{PREFIX}{name}"


def names_in(table: pd.DataFrame) -> list[str]:
    """The findings that a table holds, in its order; none where its labels exclude each other."""
    return [str(name).removeprefix(PREFIX) for name in table.columns if str(name).startswith(PREFIX)]


def values_of(table: pd.DataFrame, names: Sequence[str]) -> Floats:
    """The values of these findings, (N, K), as they came. Raises RunError where a column is missing, or holds no
    numbers.
    """
    try:
        return np.asarray(table[[column(name) for name in names]].to_numpy(dtype=np.float32))
    except (KeyError, ValueError):
        raise RunError(f"The table is damaged: expected the labels of {', '.join(names)}. Train again.") from None


def texts(values: Floats | Bools, names: Sequence[str]) -> list[str]:
    """What each row says, for people, of labels as they came or of what is there, (N, K): the findings that are there
    (half of the readers are enough), between bars; the label that means none of them where there is none, and
    ``uncertain`` where one could be there. Devices are told, and do not count as a finding.
    """
    values = np.asarray(values, dtype=np.float32)
    told = learnt(names)
    there = values[:, told] >= 0.5
    open_ = ((values == -1) | ((values > 0) & (values < 0.5)))[:, decisive(names)].any(axis=1)
    none = next((name for name in names if means_none(name)), NO_FINDING)
    patterns, of = np.unique(np.column_stack([there, open_]), axis=0, return_inverse=True)
    said = []
    for pattern in patterns:
        present = [names[k] for k, is_there in zip(told, pattern[:-1], strict=True) if is_there]
        said.append(" | ".join(present) or (UNCERTAIN if pattern[-1] else none))
    return [said[number] for number in of.ravel().tolist()]


def learnt(names: Sequence[str]) -> list[int]:
    """The places of the labels that a network learns: all but those that mean none of the findings."""
    return [k for k, name in enumerate(names) if not means_none(name)]


def decisive(names: Sequence[str]) -> list[int]:
    """The places of the labels that No Finding denies: those that are learnt, less the devices."""
    return [k for k in learnt(names) if not is_device(names[k])]


class Policy(BaseModel):
    """What training makes of uncertain (-1) and blank labels, for all findings and, where named, for one of them.

    ``uncertain``: ``unknown`` leaves them out of the loss, ``1`` and ``0`` take them for yes and no: U-Ignore, U-Ones
    and U-Zeros of Irvin et al. 2019, "CheXpert: A Large Chest Radiograph Dataset with Uncertainty Labels and Expert
    Comparison". ``soft`` takes them for the target ``soft``: label smoothing of Pham et al. 2019, "Interpreting chest
    X-rays via CNNs that exploit hierarchical disease dependencies and uncertainty labels" (there drawn at random from
    0.55 to 0.85, here its middle, so that the same seed gives the same targets). ``blank``: ``0`` is the rule of the
    authors of CheXpert and MIMIC-CXR, not mentioned is not there; ``unknown`` leaves them out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    uncertain: Uncertain = "unknown"
    blank: Blank = "0"
    soft: float = Field(default=0.7, ge=0, le=1)
    # Pairs and no mapping, so that what cannot be changed can be hashed; a mapping is taken too.
    uncertain_of: tuple[tuple[str, Uncertain], ...] = ()
    blank_of: tuple[tuple[str, Blank], ...] = ()

    @field_validator("uncertain_of", "blank_of", mode="before")
    @classmethod
    def _sorted_pairs(cls, value: Any) -> Any:
        pairs = value.items() if isinstance(value, Mapping) else value
        return tuple(sorted(tuple(pair) for pair in pairs))

    def for_judging(self) -> "Policy":
        """The same for evaluation: what is uncertain has no truth to be judged by, whatever training made of it."""
        return Policy(blank=self.blank, blank_of=self.blank_of)

    def of(self, name: str) -> tuple[Uncertain, Blank]:
        """What becomes of this finding's uncertain and of its blank labels."""
        return dict(self.uncertain_of).get(name, self.uncertain), dict(self.blank_of).get(name, self.blank)


def resolved(values: Floats, names: Sequence[str], policy: Policy) -> tuple[Floats, Bools]:
    """``targets`` (N, K) in 0..1, 0 where not known, and ``known`` (N, K).

    Where a column means none of the findings and says yes, a blank finding (no device) is a no, whatever the policy:
    that is what No Finding says. That column itself is derived anew: yes where every finding is known to be absent, no
    where one is present, else not known. Raises DatasetError for any other value, ConfigError where the policy names a
    finding that is not among ``names``.
    """
    values = checked(values, names)
    _check_named(policy, names)
    targets = np.nan_to_num(values, nan=0.0)
    known = ~np.isnan(values)
    for k in learnt(names):
        uncertain, blank = policy.of(names[k])
        is_uncertain = values[:, k] == -1
        targets[is_uncertain, k] = {"1": 1.0, "soft": policy.soft}.get(uncertain, 0.0)
        known[is_uncertain, k] = uncertain != "unknown"
        if blank == "0":
            known[:, k] |= np.isnan(values[:, k])
    nones = [k for k, name in enumerate(names) if means_none(name)]
    if nones:
        said = (values[:, nones] == 1).any(axis=1)
        denied = decisive(names)
        known[:, denied] |= np.isnan(values[:, denied]) & said[:, None]
        target, sure = none_of_them(targets, known, names)
        targets[:, nones], known[:, nones] = target[:, None], sure[:, None]
    return targets, known


def none_of_them(targets: Floats, known: Bools, names: Sequence[str]) -> tuple[Floats, Bools]:
    """What No Finding is, (N,) each: 1 exactly where every finding (devices aside) is known and 0; known where that can
    be said: one finding that is there is enough for a no, and all must be known for a yes.
    """
    findings = decisive(names)
    present = (known & (targets == 1))[:, findings].any(axis=1)
    absent = (known & (targets == 0))[:, findings].all(axis=1)
    return absent.astype(np.float32), present | absent


@dataclass(frozen=True)
class Contradictions:
    """A column that means none of the findings, against the findings: in how many images they contradict."""

    name: str
    said: int  # images where it says yes
    beside_present: int  # of these, with a finding that is there
    beside_uncertain: int  # of these, with an uncertain finding and none that is there
    nothing_named: int  # images where it says no, and every finding is a no as well
    findings: dict[str, int]  # images where it and this finding are both a yes

    @property
    def any(self) -> bool:
        return bool(self.beside_present or self.beside_uncertain or self.nothing_named)

    def __str__(self) -> str:
        """One sentence, "" where there is none."""
        parts = [
            f"{of(self.beside_present, self.said)} images with {self.name} have a finding all the same",
            f"{of(self.beside_uncertain, self.said)} have an uncertain one",
            f"{self.nothing_named:,} without {self.name} have no finding that is named",
        ]
        counts = (self.beside_present, self.beside_uncertain, self.nothing_named)
        told = [part for part, count in zip(parts, counts, strict=True) if count]
        return f"{'; '.join(told)}. {self.name} is taken from the findings." if told else ""


def contradictions(values: Floats, names: Sequence[str]) -> list[Contradictions]:
    """One for each column that means none of the findings, empty where there is none. Raises as ``resolved``."""
    values = checked(values, names)
    findings = decisive(names)
    others = values[:, findings]
    present, uncertain = (others > 0).any(axis=1), (others == -1).any(axis=1)
    found = []
    for k, name in enumerate(names):
        if not means_none(name):
            continue
        said = values[:, k] == 1
        both = (others[said] > 0).sum(axis=0)
        found.append(
            Contradictions(
                name=name,
                said=int(said.sum()),
                beside_present=int((said & present).sum()),
                beside_uncertain=int((said & uncertain & ~present).sum()),
                nothing_named=int(((values[:, k] == 0) & (others == 0).all(axis=1)).sum()),
                findings={names[place]: int(n) for place, n in zip(findings, both, strict=True) if n},
            )
        )
    return found


@dataclass(frozen=True)
class Effect:
    """One finding's labels as they came, and what is learnt of them. Each half adds up to the number of images."""

    yes: int
    no: int
    uncertain: int
    blank: int
    shares: int  # of readers, between 0 and 1
    ones: int
    zeros: int
    soft: int
    unknown: int


def effect(values: Floats, names: Sequence[str], policy: Policy) -> dict[str, Effect]:
    """What ``resolved`` does, in counts, for each label. Raises as it does."""
    values = checked(values, names)
    targets, known = resolved(values, names, policy)
    counted = {
        "yes": values == 1,
        "no": values == 0,
        "uncertain": values == -1,
        "blank": np.isnan(values),
        "shares": (values > 0) & (values < 1),
        "ones": known & (targets == 1),
        "zeros": known & (targets == 0),
        "soft": known & (targets > 0) & (targets < 1),
        "unknown": ~known,
    }
    return {
        name: Effect(**{kind: int(cells[:, k].sum()) for kind, cells in counted.items()})
        for k, name in enumerate(names)
    }


def present(probabilities: NDArray[np.floating], names: Sequence[str], thresholds: Mapping[str, float]) -> Bools:
    """Which findings reach their threshold (0.5 where none is given), (N, K); none of the findings where, devices
    aside, no finding does. A threshold of such a column counts for nothing.
    """
    limits = np.array([thresholds.get(name, 0.5) for name in names])
    fires = np.asarray(probabilities, dtype=np.float64) >= limits
    nones = [k for k, name in enumerate(names) if means_none(name)]
    fires[:, nones] = ~fires[:, decisive(names)].any(axis=1, keepdims=True)
    return fires


def present_text(names: Sequence[str], implied: Mapping[str, Sequence[str]]) -> str:
    """One sentence that says how probabilities become findings."""
    pairs = "; ".join(f"{name} implies {' and '.join(generals)}" for name, generals in implied.items())
    none = next((name for name in names if means_none(name)), "no finding")
    return f"Every finding that reaches its threshold{f' ({pairs})' if pairs else ''}; {none} where none does."


def none_reached(names: Sequence[str]) -> str:
    """What is said of an image without a finding."""
    count = len(learnt(names))
    return (
        f"{names[learnt(names)[0]]} does not reach its threshold."
        if count == 1
        else (f"None of the {count} findings reaches its threshold.")
    )


def checked(values: Floats, names: Sequence[str]) -> Floats:
    """``values`` as float32. Raises DatasetError where one is none of yes, no, uncertain, blank and share."""
    values = np.asarray(values, dtype=np.float32)
    if values.ndim != 2 or values.shape[1] != len(names):
        raise ValueError(f"values must have shape (N, {len(names)}), got {values.shape}")
    bad = ~(np.isnan(values) | (values == -1) | ((values >= 0) & (values <= 1)))
    if bad.any():
        row, k = np.argwhere(bad)[0]
        images = of(int(bad.any(axis=1).sum()), len(values))
        raise DatasetError(
            f"Expected labels of 1 (yes), 0 (no), -1 (uncertain) or blank; {images} images have another, such as "
            f"{values[row, k]:g} for {names[k]}. Say what the values mean, or correct them."
        )
    return values


def _check_named(policy: Policy, names: Sequence[str]) -> None:
    named = {name for name, _ in (*policy.uncertain_of, *policy.blank_of)}
    unknown = sorted(named - {names[k] for k in learnt(names)})
    if unknown:
        raise ConfigError(
            f"Expected findings among {', '.join(names[k] for k in learnt(names))}; what to make of uncertain or blank "
            f"labels is given for {', '.join(unknown)}. Take it out, or correct the name."
        )
