"""Letters at the border: what the audit says of them, the fix that masks the border, and the way back."""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from cxr_core.audit.auditing import audit
from cxr_core.audit.fixing import places
from cxr_core.audit.issues import Issue
from cxr_core.audit.kinds import LEAVE_OUT, MASK_BORDER
from cxr_core.audit.result import Audit
from cxr_core.audit.shortcut import AT_BORDER, GROUPS, inside, shortcut
from cxr_core.audit.traits import traits_of
from cxr_core.config import TrainConfig
from cxr_core.data import fixes
from cxr_core.data.dataset import Dataset, scan
from cxr_core.errors import ConfigError
from cxr_core.images.masking import BORDER
from cxr_core.images.reading import pixels
from cxr_core.runs.creation import create_run
from cxr_core.settings import runs_dir
from tests.runs_support import lettered_dataset

SMALL = TrainConfig.create(backbone="small-cnn", epochs=1, image_size=64)


@pytest.fixture(scope="module")
def lettered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lettered_dataset(tmp_path_factory.mktemp("lettered") / "set", images=120)


def by_kind(found: Audit) -> dict[str, Issue]:
    return {issue.kind: issue for issue in found.issues}


def mask(dataset: Dataset, kind: str) -> str:
    issue = by_kind(audit(applied(dataset)))[kind]
    return fixes.move(runs_dir(), dataset, places(dataset, issue, MASK_BORDER), f"{kind}: {MASK_BORDER}")


def applied(dataset: Dataset) -> Dataset:
    return fixes.applied(dataset, fixes.read(runs_dir()))


@pytest.mark.parametrize("kind", ["letters", "shortcut"])
def test_the_fix_masks_the_border_of_every_training_until_it_is_undone(lettered: Path, kind: str) -> None:
    dataset = scan(lettered)
    first = audit(dataset)
    before = by_kind(first)
    letters = before["letters"]
    assert letters.severity == "informs"
    assert letters.fix == before["shortcut"].fix == MASK_BORDER
    assert set(letters.files) >= set(dataset.samples["file"][dataset.samples["label"] == "COVID19"])
    assert first.facts["shortcut"]["by_feature"]["letters at the border"] > 0.1
    assert not create_run(dataset, SMALL, runs_dir()).config.mask_border

    chosen = mask(dataset, kind)
    evidence = fixes.read(runs_dir())
    assert set(evidence["split"]) == {fixes.BORDER_MASKED}
    assert len(evidence) == (len(letters.files) if kind == "letters" else len(dataset.samples))
    after = audit(applied(dataset))
    assert after.facts["border_masked"]
    assert set(after.facts["shortcut"]["by_feature"]) == set(GROUPS) - set(AT_BORDER)
    assert after.facts["shortcut"]["macro_f1"] < first.facts["shortcut"]["macro_f1"] - 0.1
    told = by_kind(after)
    assert told["letters"].files == letters.files
    assert told["letters"].fixes == ()
    assert "the border of every image is masked in training" in told["letters"].message
    assert "border is masked" in told["shortcut"].message
    assert MASK_BORDER not in told["shortcut"].fixes
    assert places(applied(dataset), letters, MASK_BORDER) == {}
    with pytest.raises(ConfigError, match="fix"):
        places(dataset, told["letters"], MASK_BORDER)
    run = create_run(dataset, SMALL, runs_dir())
    assert run.config.mask_border
    assert run.config == SMALL.model_copy(update={"mask_border": True, "monitor": "macro_f1"})
    assert sum("border" in warning for warning in run.warnings) == 1
    assert not any("moved or left out" in warning for warning in run.warnings)

    fixes.undo(runs_dir(), chosen)
    assert applied(dataset) is dataset
    assert audit(dataset).as_json() == first.as_json()
    assert not create_run(dataset, SMALL, runs_dir()).config.mask_border


def test_the_fix_moves_no_file_and_overrides_no_other(lettered: Path) -> None:
    dataset = scan(lettered)
    whole = dataset.samples
    mask(dataset, "letters")
    assert applied(dataset).samples.equals(whole)
    assert applied(dataset).border_masked
    assert fixes.sentences(dataset, fixes.read(runs_dir())) == []
    first = by_kind(audit(dataset))["letters"].files[:3]
    for order in (0, 1):
        (runs_dir() / fixes.FILE).unlink()
        moves = [
            lambda: fixes.move(runs_dir(), dataset, dict.fromkeys(first, fixes.LEFT_OUT), LEAVE_OUT),
            lambda: fixes.move(runs_dir(), dataset, dict.fromkeys(whole["file"], fixes.BORDER_MASKED), MASK_BORDER),
        ]
        for move in moves[:: 1 - 2 * order]:
            move()
        left = applied(dataset)
        assert set(whole["file"]) - set(left.samples["file"]) == set(first)
        assert left.border_masked
        assert fixes.sentences(dataset, fixes.read(runs_dir())) == [
            "A person moved or left out 3 of 120 images of the data set after its audit."
        ]


def test_it_is_of_no_other_data_set(lettered: Path, tiny_dataset: Path) -> None:
    mask(scan(lettered), "letters")
    assert not applied(scan(tiny_dataset)).border_masked
    changed = scan(lettered)
    changed.samples["digest"] = "0" * 32
    assert not applied(changed).border_masked


def test_a_table_without_such_rows_reads_as_before(lettered: Path) -> None:
    dataset = scan(lettered)
    row = dataset.samples.iloc[0]
    columns = ["mend", "file", "digest", "split", "reason", "time"]
    old = pd.DataFrame(
        [("a1", row["file"], row["digest"], "left-out", "leak: keep one of each", "2026")], columns=columns
    )
    runs_dir().mkdir(parents=True)
    old.to_csv(runs_dir() / fixes.FILE, index=False)
    assert fixes.read(runs_dir()).equals(old.astype(str))
    assert len(applied(dataset).samples) == len(dataset.samples) - 1
    assert not applied(dataset).border_masked


def test_brightness_inside_is_that_of_what_the_network_sees(lettered: Path) -> None:
    """The shortcut's figures, from the kept small pictures, against the decoded squares."""
    dataset = scan(lettered)
    traits = traits_of(dataset)
    rim = round(BORDER * 224)
    for figures, file in zip(inside(dataset.samples, traits.small), dataset.samples["file"], strict=True):
        seen = pixels(dataset.path(file).read_bytes(), file, 224)[rim:-rim, rim:-rim]
        assert figures[0] == pytest.approx(seen.mean(), abs=4)
        assert figures[1] == pytest.approx(seen.std(), abs=6)


def test_pictures_of_any_shape_have_an_inside(lettered: Path) -> None:
    dataset = scan(lettered)
    odd = dataset.samples.assign(width=20_000, height=10)
    found = shortcut(odd, traits_of(dataset), border_masked=True)
    assert 0 <= found["macro_f1"] <= 1


def test_the_audits_with_and_without_the_border_are_kept_apart(lettered: Path, isolated: Path) -> None:
    dataset = scan(lettered)
    masked = replace(dataset, border_masked=True)
    found = audit(dataset).as_json(), audit(masked).as_json()
    shutil.rmtree(isolated / "cache" / "looks")
    assert (audit(dataset).as_json(), audit(masked).as_json()) == found
    assert found[0] != found[1]
    assert not (isolated / "cache" / "looks").exists()
