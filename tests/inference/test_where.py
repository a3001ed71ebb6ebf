"""Where a run looks, over a split: the counts add up, it is kept, and the verdict follows the interval."""

import pytest

from cxr_core.errors import RunError
from cxr_core.inference import looked, where
from cxr_core.inference.inside import Inside
from cxr_core.runs import Run, files, lung_heat
from cxr_core.runs.records import HeatShare


@pytest.mark.parametrize("kind", ["completed_run", "findings_run"])
def test_every_image_is_counted_once(kind: str, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue(kind)
    steps: list[tuple[int, int]] = []
    note = looked(run, "test", most=12, progress=lambda done, total: steps.append((done, total)))
    assert steps[-1] == (note.images, note.images)
    assert note.images <= min(12, note.of)
    maps = note.overall.maps if note.overall else 0
    assert maps == sum(share.maps for share in note.per_class.values())
    assert maps + note.empty >= note.images - note.unsure - note.unreadable
    sides = sum(part.maps for part in (note.right, note.wrong) if part)
    assert sides == maps if run.task != "findings" else sides <= maps
    assert lung_heat.read(run) == note
    assert looked(run, "test", most=12).model_dump(exclude={"measured"}) == note.model_dump(exclude={"measured"})
    (run.path / files.LUNG_HEAT).unlink()


def test_a_single_class_is_measured_and_not_kept(completed_run: Run) -> None:
    label = completed_run.predictions("test")["decision"].iloc[0]
    note = looked(completed_run, "test", label=label, most=5)
    assert set(note.per_class) <= {label}
    assert lung_heat.read(completed_run) is None
    with pytest.raises(RunError, match="knows"):
        looked(completed_run, label="FLU")


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.8, "favours the lungs"), (0.5, "does not favour"), (0.53, "does not favour"), (0.2, "lies outside the lungs")],
)
def test_the_verdict_follows_the_interval(share: float, words: str) -> None:
    looks = [where._Look("A", f"p{k // 2}", True, Inside(share + (0.1 if k % 4 < 2 else -0.1), 0.5)) for k in range(40)]
    overall = where._share(looks)
    assert isinstance(overall, HeatShare)
    assert overall.patients == 20
    assert overall.share_ci is not None
    assert overall.share_ci[0] < overall.share < overall.share_ci[1]
    assert words in where._verdict(overall, 40, 0)
    assert where._favours(overall) == words.startswith("favours")
    assert "Too few" in where._verdict(where._share(looks[:4]), 4, 0)


def test_a_run_without_its_images_says_so(imported_run: Run) -> None:
    with pytest.raises(RunError, match="without its images"):
        looked(imported_run)
