"""The audit of a data set: what was found, kept by the data set's content.

found = audit(scan("my-xrays"))
found.blocks            # True where train and test share pictures
found.as_json()         # what `python -m cxr_core audit --json` prints
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pandas as pd

from cxr_core.audit import composition, given_away, sources
from cxr_core.audit.copies import copies, joined
from cxr_core.audit.duplicates import duplicates
from cxr_core.audit.issues import Issue, ordered
from cxr_core.audit.kinds import BLOCKS
from cxr_core.audit.odd_pictures import odd_pictures
from cxr_core.audit.result import Audit
from cxr_core.audit.shortcut import shortcut, shortcut_issues, visible
from cxr_core.audit.traits import Traits, traits_of
from cxr_core.data import Dataset
from cxr_core.findings import FINDINGS
from cxr_core.images.version import PIXELS
from cxr_core.settings import cache_dir, from_json, write_atomic

# Raise the first when the audit of the same pictures would say something else.
VERSION = f"7-{PIXELS}"
Progress = Callable[[int, int], None]


def audit(dataset: Dataset, progress: Progress | None = None) -> Audit:
    """All that is to be said of a data set. ``progress(done, total)`` counts pictures, in the calling thread."""
    kept = _kept(dataset, _whole(dataset))
    if kept is None:
        traits = traits_of(dataset, progress)
        kept = _examined(dataset, traits)
        _keep(dataset, _whole(dataset), kept)
    return kept


def leaks(dataset: Dataset, progress: Progress | None = None) -> list[Issue]:
    """The issues that block a training, alone: what a training asks before it starts."""
    return [issue for issue in _pairs_alone(dataset, progress).issues if issue.severity == BLOCKS]


def twins(dataset: Dataset, progress: Progress | None = None) -> dict[str, str]:
    """File -> the first of its copies, for the files that have any: what a split has to keep together."""
    pairs = [(pair["a"], pair["b"]) for pair in _pairs_alone(dataset, progress).facts["duplicates"]]
    return {file: group[0] for group in joined(pairs) for file in group}


def _pairs_alone(dataset: Dataset, progress: Progress | None) -> Audit:
    kept = _kept(dataset, _whole(dataset)) or _kept(dataset, "pairs")
    if kept is None:
        pairs = duplicates(dataset.samples, traits_of(dataset, progress))
        kept = Audit({"duplicates": [pair.as_json() for pair in pairs]}, copies(pairs))
        _keep(dataset, "pairs", kept)
    return kept


def _examined(dataset: Dataset, traits: Traits) -> Audit:
    samples, masked = dataset.samples, dataset.border_masked
    pairs = duplicates(samples, traits)
    scores, told = _given_away(dataset, traits) if dataset.task == FINDINGS else _scores(samples, traits, masked)
    known = samples[samples["patient"] != ""]
    splits = known.groupby("patient")["split"].nunique()
    table = sources.table(samples)
    facts = {
        "images": len(samples),
        "unreadable": dataset.unreadable.to_dict("records"),
        "duplicates": [pair.as_json() for pair in pairs],
        "patients_in_two_splits": sorted(splits.index[splits > 1]),
        "sources": {str(source): {str(name): int(n) for name, n in row.items()} for source, row in table.iterrows()},
        **scores,
        "border_masked": masked,
        "widest_interval": composition.widest_intervals(samples),
    }
    issues = [
        *copies(pairs),
        *composition.patients(samples),
        *composition.cautions(dataset),
        *told,
        *odd_pictures(dataset, traits),
        *composition.sizes(samples),
    ]
    return Audit(facts, ordered(issues))


def _scores(samples: pd.DataFrame, traits: Traits, border_masked: bool) -> tuple[dict[str, Any], list[Issue]]:
    """What reaches a score without a look at a lung, and the issues of it."""
    by_shortcut = shortcut(samples, traits, border_masked)
    by_source = sources.source_only(samples)
    facts = {"cramers_v": sources.cramers_v(samples), "source_only": by_source, "shortcut": by_shortcut}
    told = [
        *shortcut_issues(by_shortcut, border_masked),
        *sources.source_issues(by_source, by_shortcut, border_masked),
    ]
    return facts, told


def _given_away(dataset: Dataset, traits: Traits) -> tuple[dict[str, Any], list[Issue]]:
    """The same of findings, each by itself."""
    samples, masked = dataset.samples[traits.seen].reset_index(drop=True), dataset.border_masked
    table, _ = visible(samples, traits.facts[traits.seen], traits.small[traits.seen], masked)
    by_shortcut = given_away.given_away(samples, table)
    known = given_away.sources(samples)
    by_source = None if known is None else given_away.given_away(samples, known)
    facts = {
        "cramers_v": None,
        "source_only": None,
        "shortcut": None,
        "by_shortcut": [one.as_json() for one in by_shortcut],
        "by_source": None if by_source is None else [one.as_json() for one in by_source],
    }
    return facts, given_away.issues_of(by_shortcut, by_source, masked)


def _whole(dataset: Dataset) -> str:
    """What the whole audit is kept as: another one where the border is masked, though the images are the same."""
    return "whole, border masked" if dataset.border_masked else "whole"


def _path(dataset: Dataset, part: str) -> Any:
    # Unreadable files and ages are part of what is said, and not of the data set's digest.
    key = hashlib.blake2b(f"{VERSION}:{part}:{dataset.digest}".encode(), digest_size=16)
    key.update(dataset.unreadable.to_csv(index=False).encode("utf-8", "surrogateescape"))
    key.update(dataset.samples["age"].to_numpy().tobytes() + repr(sorted(dataset.wrong_ages.items())).encode())
    key.update(str(dataset.root).encode("utf-8", "surrogateescape"))
    return cache_dir() / "audits" / f"{key.hexdigest()}.json"


def _kept(dataset: Dataset, part: str) -> Audit | None:
    """A kept audit; damaged, it counts as absent."""
    try:
        return Audit.from_json(from_json(_path(dataset, part).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def _keep(dataset: Dataset, part: str, found: Audit) -> None:
    write_atomic(_path(dataset, part), json.dumps(found.as_json()))
