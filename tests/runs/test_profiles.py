"""Site profiles in a run's folder: kept, read, refused, forgotten; without one a run is what it was."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cxr_core.errors import ConfigError, RunError
from cxr_core.runs import files, profiles
from cxr_core.runs.decision import Decision, rule_sentence, save_operating_point
from cxr_core.runs.measured import measured
from cxr_core.runs.records import FigureChange, OwnRule, ProfileHalf, ProfileNote
from cxr_core.runs.run import Run
from tests.runs_support import copy_of


@pytest.fixture
def run(flat_run: Run, tmp_path: Path) -> Run:
    return copy_of(flat_run, tmp_path)


def profile(name: str = "St. Anna", **given: Any) -> ProfileNote:
    half = ProfileHalf(images=40, patients=20)
    change = FigureChange(before=0.5, after=0.6, difference=0.1, ci=[0.01, 0.2])
    return ProfileNote(
        **{
            "name": name,
            "dataset_name": "local",
            "data_digest": "0" * 32,
            "fitted": "2026-11-25T12:00:00+00:00",
            "by": "ann",
            "via": "page",
            "seed": 0,
            "images": 80,
            "patients": 40,
            "unknown_patients": 0,
            "shared": 0,
            "unreadable": 0,
            "fit": half,
            "judged": half,
            "temperature": 2.5,
            "thresholds": {"COVID19": 0.3, "NORMAL": 0.5, "PNEUMONIA": 0.4},
            "kept": [],
            "own": OwnRule(temperature=1.0, thresholds={}),
            "overall": {"macro_f1": change},
            "per_class": {"COVID19": {"recall": change}},
            "few": {},
            "notes": [],
            "better": True,
            "sentence": "It is better here.",
            **given,
        }
    )


def test_what_is_kept_is_read_again(run: Run) -> None:
    note = profiles.keep(run, profile())
    assert profiles.read(run, "St. Anna") == note
    assert profiles.profiles(run) == [note]
    assert profiles.names(run) == ["St. Anna"]
    with zipfile.ZipFile(run.export_zip(run.path.parent / "run.zip")) as archive:
        assert f"{run.id}/profiles/St. Anna.json" in archive.namelist()


def test_a_run_decides_by_its_profile_where_it_is_used_by_one_and_else_as_it_did(run: Run) -> None:
    before, figures = Decision.load(run), measured(run, "test")[0]
    profiles.keep(run, profile())
    there = profiles.using(run, "St. Anna")
    decision = Decision.load(there)
    assert (decision.temperature, decision.thresholds) == (2.5, profile().thresholds)
    assert rule_sentence(there, {}).endswith(" Site profile: St. Anna.")
    assert Decision.load(run) == Decision.own(there) == before
    assert profiles.using(there, "") == run
    # The figures of the run stay its own, whoever asks.
    assert measured(there, "test")[0] == figures
    save_operating_point(run, {"COVID19": 0.7})
    assert Decision.load(there).thresholds["COVID19"] == 0.3


@pytest.mark.parametrize("name", ["", " ", "../x", "a/b", "a\\b", ".hidden", "x" * 61, "new\x00", "end.", "_x"])
def test_a_name_that_is_no_name_of_a_file_is_refused(run: Run, name: str) -> None:
    with pytest.raises(ConfigError, match="The name of a profile"):
        profiles.keep(run, profile(name))
    with pytest.raises(ConfigError, match="The name of a profile"):
        profiles.using(run, name or "?")


def test_a_name_that_is_taken_is_refused_however_it_is_written(run: Run) -> None:
    profiles.keep(run, profile())
    with pytest.raises(ConfigError, match="already"):
        profiles.keep(run, profile("ST. ANNA"))


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0},
        {"temperature": "warm"},
        {"thresholds": {"COVID19": 1.5}},
        {"thresholds": {"COVID19": 0.5}},
        {"thresholds": {**profile().thresholds, "FRACTURE": 0.5}},
        {"per_class": {"FRACTURE": {}}},
        {"name": "other"},
        {"sentence": None},
    ],
)
def test_a_damaged_profile_is_told_of_and_can_be_forgotten(run: Run, change: dict[str, Any]) -> None:
    profiles.keep(run, profile())
    path = run.path / files.PROFILES / "St. Anna.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(RunError, match=r"expected a site profile. Fit it again, or forget it"):
        Decision.load(profiles.using(run, "St. Anna"))
    assert profiles.names(run) == []
    assert len(profiles.damaged(run)) == 1
    assert profiles.forget(run, "St. Anna") == "St. Anna"
    assert profiles.damaged(run) == []


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"[" * 100_000])
def test_what_is_no_profile_at_all_is_a_clear_error(run: Run, content: bytes) -> None:
    (run.path / files.PROFILES).mkdir()
    (run.path / files.PROFILES / "x.json").write_bytes(content)
    with pytest.raises(RunError, match="expected a site profile"):
        profiles.read(run, "x")


def test_one_that_is_not_there_names_those_that_are(run: Run) -> None:
    profiles.keep(run, profile())
    with pytest.raises(RunError, match=r"has no profile 'Leeds': it has St. Anna"):
        profiles.using(run, "Leeds")
    with pytest.raises(RunError, match=r"has no profile 'Leeds': it has St. Anna"):
        profiles.forget(run, "Leeds")
