"""Which findings the source, or size and brightness, give away: planted ones are told, others are not claimed."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxr_core.audit import Audit, audit
from cxr_core.audit.composition import in_test
from cxr_core.audit.duplicates import duplicates
from cxr_core.audit.given_away import given_away, issues_of, sources
from cxr_core.audit.sources import table
from cxr_core.audit.traits import traits_of
from cxr_core.data import scan
from cxr_core.findings import column

NAMES = ("No Finding", "Edema", "Nodule", "Rare")


def samples(n: int = 240, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Edema comes from one source mostly, the nodule from anywhere, Rare is of three patients; a tenth is uncertain."""
    random = np.random.default_rng(seed)
    source = random.choice(["a", "b"], n)
    edema = np.where(random.random(n) < 0.9, source == "a", source == "b").astype(float)
    nodule = (random.random(n) < 0.4).astype(float)
    edema[random.random(n) < 0.1] = -1
    nodule[random.random(n) < 0.1] = np.nan
    rows = pd.DataFrame(
        {
            "file": [f"{k}.png" for k in range(n)],
            "patient": [f"p{k // 2}" for k in range(n)],
            "digest": [f"{k}" for k in range(n)],
            "source": source,
            "split": random.choice(["train", "test"], n),
            column("No Finding"): np.nan,
            column("Edema"): edema,
            column("Nodule"): nodule,
            column("Rare"): (np.arange(n) < 6).astype(float),
        }
    )
    noise = pd.DataFrame(random.normal(size=(n, 3)), columns=["width", "height", "brightness"])
    return rows, noise


def test_the_source_gives_away_what_it_goes_with_and_nothing_else() -> None:
    rows, noise = samples()
    known = sources(rows)
    assert known is not None
    found = {one.finding: one for one in given_away(rows, known)}
    assert list(found) == ["Edema", "Nodule", "Rare"]
    assert found["Edema"].claimed
    assert found["Edema"].roc_auc == pytest.approx(0.9, abs=0.06)
    assert found["Edema"].n == int((rows[column("Edema")] != -1).sum())
    assert not found["Nodule"].claimed
    assert found["Rare"].roc_auc is None
    told = issues_of(given_away(rows, noise), list(found.values()), border_masked=False)
    assert [(issue.kind, issue.severity) for issue in told] == [("shortcut", "informs"), ("source-only score", "warns")]
    assert "tells 1 of 3 findings, by ROC AUC Edema 0." in told[1].message


def test_noise_is_hardly_ever_claimed() -> None:
    claimed = [one.claimed for seed in range(8) for one in given_away(*samples(160, seed), seed=seed)]
    assert sum(claimed) == 0


def test_one_source_says_nothing() -> None:
    rows, _ = samples()
    assert sources(rows.assign(source="a")) is None
    assert sources(rows.assign(source="")) is None


def test_an_audit_of_findings(findings_dataset: Path) -> None:
    found = audit(scan(findings_dataset))
    findings = [row["finding"] for row in found.facts["by_shortcut"]]
    assert findings == [row["finding"] for row in found.facts["by_source"]]
    assert "No Finding" not in findings
    assert Audit.from_json(json.loads(json.dumps(found.as_json()))).as_json() == found.as_json()
    assert "balance" not in {issue.kind for issue in found.issues}
    assert not any("class" in issue.message for issue in found.of("shortcut"))


def test_images_of_each_finding_by_source_and_in_the_test() -> None:
    rows, _ = samples()
    counted = table(rows)
    for name in ("Edema", "Nodule", "Rare"):
        assert counted[name].sum() == (rows[column(name)] == 1).sum()
        assert in_test(rows)[name] == ((rows[column(name)] == 1) & (rows["split"] == "test")).sum()
    assert "No Finding" not in in_test(rows)


def test_copies_contradict_each_other_where_a_finding_is_there_and_is_not(findings_dataset: Path) -> None:
    dataset = scan(findings_dataset)
    traits = traits_of(dataset)
    one = dataset.samples.iloc[[0, 0]].reset_index(drop=True).assign(file=["a.png", "b.png"])
    for first, second, relation in ((1, 0, "label-conflict"), (1, -1, "same-class"), (0, np.nan, "same-class")):
        one[column("Nodule")] = [first, second]
        rows = pd.concat([one, dataset.samples.iloc[1:]], ignore_index=True)
        pair = next(pair for pair in duplicates(rows.iloc[:2], traits) if pair.kind == "exact")
        assert pair.relation == relation


def test_children_are_counted_by_finding_and_not_by_what_goes_together(findings_dataset: Path) -> None:
    dataset = scan(findings_dataset)
    (told,) = audit(dataset).of("children")
    assert " | " not in told.message
    young = dataset.samples["age"] < 18
    there = dataset.samples[column("Nodule")] == 1
    assert f"{int((young & there).sum())} of {int(there.sum())} Nodule" in told.message
