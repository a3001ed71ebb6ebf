"""Controls: what of a run's score can be had without lungs. Really trained, on drawings."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cxr_core.__main__ import main
from cxr_core.config import TrainConfig
from cxr_core.errors import RunError
from cxr_core.images.masking import MASKS, masked
from cxr_core.images.reading import content_digest, pixels
from cxr_core.model.extraction import Item, keep
from cxr_core.model.features import FeatureStore
from cxr_core.model.network import load_prefix, pick_device, space_of
from cxr_core.reports.card import model_card
from cxr_core.reports.markdown import render
from cxr_core.runs import controls, jobs
from cxr_core.runs.companions import CONTROLS, active, folder_of, laid_down, unfinished
from cxr_core.runs.measured import measured
from cxr_core.runs.run import Run
from cxr_core.training.companion_worker import measure_controls
from cxr_core.training.worker import work
from tests.pages.support import open_page, texts
from tests.runs_support import FROZEN, SMALL, copy_of, measured_copy, wait_until

PAGE = "pages/5_Evaluate.py"


@pytest.fixture
def run(completed_run: Run, isolated: Path) -> Iterator[Run]:
    """A copy of the run that was really trained; no process that measures it outlives the test."""
    copy = copy_of(completed_run, isolated)
    yield copy
    control = active(copy, CONTROLS)
    if control is not None and control.status.pid:
        os.kill(control.status.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def controlled(completed_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same with its controls measured; only to be read."""
    return measured_copy(completed_run, tmp_path_factory.mktemp("controlled"), measure_controls)


def laid(run: Run, mask: str) -> Run:
    """The control with this mask, queued."""
    companion = next(one for one in controls.planned(run) if one.mask == mask)
    return laid_down(run, CONTROLS, companion, "1 of 2")


def kept(run: Run, **changes: Any) -> None:
    """A ``controls.json`` with made-up scores, ``changes`` over it."""
    score = {"macro_f1": 0.4, "interval": [0.3, 0.5], "n": 12, "on": "test images"}
    content = {"chance_macro_f1": 0.33, **{kind: score for kind in controls.TITLES if kind != "run"}, **changes}
    (run.path / CONTROLS.file).write_text(json.dumps(content))


@pytest.mark.parametrize("given", [SMALL, FROZEN])
def test_kept_rows_of_masked_images_never_mix(given: dict[str, Any], tiny_dataset: Path) -> None:
    config, device = TrainConfig.create(**given), pick_device("cpu")
    file = min(tiny_dataset.glob("train/NORMAL/*"))
    rows = {}
    for mask in MASKS:
        store = FeatureStore(space_of(config, mask))
        assert not len(store), mask
        keep(store, [Item(file, content_digest(file.read_bytes()))], partial(load_prefix, config, store), device)
        rows[mask] = store.read(np.array([0]))
        store.close()
    assert len({row.tobytes() for row in rows.values()}) == len(MASKS)
    if given is SMALL:
        seen = pixels(file.read_bytes(), file.name, 64)
        assert all(rows[mask][0].tobytes() == masked(seen, mask).tobytes() for mask in MASKS)


def test_features_kept_before_there_were_masks_stay() -> None:
    # The name that this space had before masks, when the pixels had number 1; that number is a part of it.
    space = space_of(TrainConfig.create(**SMALL))
    assert replace(space, pixels=1).key == "images-0dcfde07e6457d2f"
    assert space.key != replace(space, pixels=space.pixels - 1).key


def test_controls_are_kept_with_intervals_and_their_folders_go(controlled: Run) -> None:
    document = json.loads((controlled.path / CONTROLS.file).read_text())
    tested = int((controlled.split["split"] == "test").sum())
    for mask in controls.MASKS:
        low, high = document[mask]["interval"]
        assert 0 <= low <= document[mask]["macro_f1"] <= high <= 1
        assert document[mask]["n"] == tested == sum(map(sum, document[mask]["confusion"]))
        assert not folder_of(controlled, CONTROLS, mask).path.exists()
    assert document["source-only"]["n"] == tested
    assert 0.2 < document["chance_macro_f1"] < 0.5
    found = controls.scores(controlled)
    assert found
    own = measured(controlled, "test")[0]
    assert found.bars[0].value == own["macro_f1"]
    assert list(found.bars[0].interval or ()) == own["ci"]["macro_f1"]


def test_nothing_of_a_control_depends_on_the_labels_of_the_test(run: Run) -> None:
    """Epoch, temperature and weights are the same whatever the test images are called."""

    def trained(swapped: bool) -> tuple[bytes, bytes]:
        control = laid(run, "lungs-erased")
        if swapped:
            table = control.split
            test = table["split"] == "test"
            table.loc[test, "label"] = table.loc[test, "label"].to_numpy()[::-1]
            table.to_csv(control.path / "split.csv", index=False)
        work(control)
        found = (control.path / "decision.json").read_bytes(), control.weights_file.read_bytes()
        shutil.rmtree(control.path)
        return found

    assert trained(swapped=False) == trained(swapped=True)


def test_a_control_is_trained_as_the_run_was(run: Run) -> None:
    control = laid(run, "middle-only")
    assert control.config == run.config
    assert control.split.equals(run.split)
    assert control.mask == "middle-only"
    assert run.mask == "none"


def test_stopped_it_goes_on_with_the_same_command(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    first = laid(run, "lungs-erased")
    first.request_stop()
    assert main(["audit", "--run", str(run.path), "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "goes on" in captured.err
    assert active(run, CONTROLS) is None
    assert unfinished(run, CONTROLS) is not None
    assert main(["audit", "--run", str(run.path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document["scores"]) >= {"run", *controls.MASKS, "source-only"}
    for score in document["scores"].values():
        assert {"macro_f1", "interval", "n", "on", "meaning"} == set(score)
    assert main(["audit", "--run", str(run.path)]) == 0
    shown = capsys.readouterr()
    assert "Without lungs" in shown.out
    assert "of the controls" not in shown.err, "what is kept is not measured again"


@pytest.mark.parametrize("given", [[], ["--json"], ["--data", "x", "--run", "y"]])
def test_either_a_data_set_or_a_run(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["audit", *given])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_run_that_is_not_completed_has_no_controls(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (run.path / "status.json").write_text(json.dumps({**run.status.model_dump(), "state": "stopped"}))
    assert main(["audit", "--run", str(run.path)]) == 1
    assert "expected a completed training" in capsys.readouterr().err
    with pytest.raises(RunError, match="completed"):
        jobs.start_experiment(run, CONTROLS)


def test_the_button_starts_a_process_and_the_scores_appear(run: Run) -> None:
    at = open_page(PAGE, timeout=60, run=run.id)
    at.segmented_control(key="section").set_value("Controls").run()
    assert "Not measured yet" in texts(at)
    at.button(key="start-controls").click().run()
    assert not at.exception
    assert not at.error
    assert "1 of 2: **Without lungs**" in texts(at) or "2 of 2: **Middle alone**" in texts(at)
    with pytest.raises(RunError, match="already"):
        jobs.start_experiment(run, CONTROLS)
    with pytest.raises(RunError, match="go with run"):
        run.delete()
    wait_until(lambda: (run.path / CONTROLS.file).exists(), "the controls' scores")
    wait_until(lambda: active(run, CONTROLS) is None, "the end of the process")
    at.run()
    assert not at.exception
    found = controls.scores(run)
    assert found
    assert controls.verdict(found) in texts(at)
    for bar in found.bars:
        assert f"**{bar.title}**, {bar.n} {bar.on}" in texts(at)
        assert bar.meaning in texts(at)


def test_a_lost_process_is_said_and_goes_on(run: Run) -> None:
    control = laid(run, "lungs-erased")
    lost = {**control.status.model_dump(), "state": "training", "pid": os.getpid()}
    (control.path / "status.json").write_text(json.dumps(lost))
    at = open_page(PAGE, timeout=60, run=run.id)
    at.segmented_control(key="section").set_value("Controls").run()
    assert not at.exception
    assert "Without lungs: lost" in texts(at)
    assert at.button(key="start-controls").label == "Go on"


def test_damaged_scores_are_a_message(run: Run) -> None:
    (run.path / CONTROLS.file).write_text("{}")
    at = open_page(PAGE, timeout=60, run=run.id)
    at.segmented_control(key="section").set_value("Controls").run()
    assert not at.exception
    assert "is damaged" in at.error[0].value


def test_a_control_that_reaches_the_run_says_so_everywhere(run: Run) -> None:
    low = measured(run, "test")[0]["ci"]["macro_f1"][0]
    reaching = {"macro_f1": low + 0.001, "interval": None, "n": 12, "on": "test images"}
    poor = {**reaching, "macro_f1": max(low - 0.01, 0.0)}
    kept(run, **{"lungs-erased": reaching, "middle-only": poor, "shortcut": None, "source-only": poor})
    found = controls.scores(run)
    assert found
    by_kind = {bar.kind: bar.meaning for bar in found.bars}
    assert list(by_kind) == ["run", "lungs-erased", "middle-only", "source-only"]
    assert by_kind["lungs-erased"] == "The run's score can be had without lungs."
    assert "stays below" in by_kind["middle-only"]
    assert "can be had from the source alone." not in by_kind["source-only"]
    assert "is reached by the control without lungs: " in controls.verdict(found)
    card = render(model_card(run))
    assert "The run's score can be had without lungs." in card


def test_a_card_without_controls_says_so(run: Run) -> None:
    assert controls.NOT_MEASURED in render(model_card(run))
