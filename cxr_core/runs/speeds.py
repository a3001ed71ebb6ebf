"""How fast this machine was: images per second of earlier runs, kept beside the cache, for estimates."""

import json
import math

from cxr_core.config import TrainConfig
from cxr_core.settings import cache_dir, from_json, write_atomic


def _key(config: TrainConfig, stage: str) -> str:
    parts = [stage, config.backbone, config.trainable, str(config.image_size), config.device]
    if config.features != "last":
        parts.append(config.features)
    if stage == "training":
        parts += [str(config.batch_size), config.optimizer, "x".join(map(str, config.hidden))]
    return " ".join(parts)


def _all() -> dict[str, float]:
    try:
        speeds = from_json((cache_dir() / "speeds.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return speeds if isinstance(speeds, dict) else {}


def record(config: TrainConfig, stage: str, per_second: float) -> None:
    """Remember the latest speed of ``stage`` ("extraction" or "training") under this configuration."""
    write_atomic(
        cache_dir() / "speeds.json", json.dumps({**_all(), _key(config, stage): round(per_second, 2)}, indent=1)
    )


def known(config: TrainConfig, stage: str) -> float | None:
    """Images per second measured before, or None."""
    speed = _all().get(_key(config, stage))
    return float(speed) if isinstance(speed, int | float) and 0 < speed < math.inf else None
