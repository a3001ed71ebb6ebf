"""The estimate before a training starts."""

import pytest

from cxr_core.config import PRESETS, TrainConfig
from cxr_core.runs import speeds
from cxr_core.runs.estimate import FIXED_SECONDS, GIGA_MACS, estimate, kept_features
from cxr_core.runs.run import Run
from cxr_core.settings import cache_dir


@pytest.mark.parametrize("backbone", GIGA_MACS)
@pytest.mark.parametrize("trainable", ["head", "last-block", "all"])
def test_a_guess_for_every_network(backbone: str, trainable: str) -> None:
    guess = estimate(TrainConfig.create(backbone=backbone, trainable=trainable), 1000, 300)
    assert FIXED_SECONDS < guess.seconds < 1e6
    assert guess.basis.startswith("a rough guess")


@pytest.mark.parametrize("name", PRESETS)
def test_more_work_takes_longer(name: str) -> None:
    given = PRESETS[name]
    config = TrainConfig.create(**given)
    base = estimate(config, 1000, 300).seconds
    more = [
        estimate(config, 2000, 300),
        estimate(config, 1000, 600),
        estimate(TrainConfig.create(**{**given, "epochs": config.epochs + 1}), 1000, 300),
        estimate(TrainConfig.create(**{**given, "views": config.views + 1}), 1000, 300),
        estimate(TrainConfig.create(**{**given, "image_size": 448}), 1000, 300),
    ]
    assert all(longer.seconds > base for longer in more)


def test_measured_speeds_are_used_and_said() -> None:
    config = TrainConfig.create(epochs=10, views=3)
    speeds.record(config, "extraction", 5.0)
    assert estimate(config, 100, 50).basis.startswith("a rough guess")  # only half of it was measured
    speeds.record(config, "training", 200.0)
    measured = estimate(config, 100, 50)
    assert measured.seconds == pytest.approx(FIXED_SECONDS + (100 * 3 + 50) / 5 + 100 * 10 / 200)
    assert measured.basis.startswith("measured in earlier runs")


def test_every_backbone_has_its_figure() -> None:
    backbones = TrainConfig.model_fields["backbone"].annotation
    assert set(GIGA_MACS) == set(backbones.__args__)  # type: ignore[union-attr]


def test_what_an_earlier_run_kept_is_found_and_not_counted_again(frozen_run: Run, completed_run: Run) -> None:
    """In the cache of the run that computed it; another frozen part, other images or more views have less."""
    config, digests = frozen_run.config, list(frozen_run.split["digest"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_CACHE", str(frozen_run.path.parent.parent / "cache"))
        runs = [completed_run, frozen_run]
        assert kept_features(config, digests, runs) == len(set(digests))
        assert kept_features(config.model_copy(update={"lr": 0.5, "epochs": 9}), digests, runs) == len(set(digests))
        assert kept_features(config.model_copy(update={"views": 2}), digests, runs) == len(set(digests))
        assert kept_features(config.model_copy(update={"image_size": 32}), digests, runs) == 0
        assert kept_features(config, ["another"], runs) == 0
        assert kept_features(config, digests, [completed_run]) == 0
    # Here nothing is kept, and asking makes no folder.
    assert kept_features(config, digests, runs) == 0
    assert not (cache_dir() / "features").exists()


def test_kept_features_take_no_time() -> None:
    config = TrainConfig.create(epochs=10, views=3)
    none, some, all_of_them = (estimate(config, 100, 50, kept) for kept in (0, 200, 350))
    assert none.seconds > some.seconds > all_of_them.seconds
    assert estimate(config, 100, 50, 9_999).seconds == all_of_them.seconds
    assert "no features are kept" in none.basis
    assert "200 of 350 features are kept" in some.basis
    speeds.record(config, "training", 200.0)
    assert estimate(config, 100, 50, 350).seconds == pytest.approx(FIXED_SECONDS + 100 * 10 / 200)
    assert estimate(config, 100, 50, 350).basis.startswith("measured")
