"""The state a training goes on from, in one safetensors file, replaced atomically.

Weights, the optimiser's tensors and the best weights so far; the few numbers beside them are in the file's metadata.
Random numbers need no state: each epoch draws them from (seed, epoch).
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from cxr_core.errors import RunError
from cxr_core.settings import from_json, replacing


@dataclass
class Standing:
    """Where a training stands: finished epochs, the best one, and how long ago it was."""

    epoch: int = 0
    best_epoch: int = 0
    best_score: tuple[float, float] | None = None

    @property
    def without_gain(self) -> int:
        """Epochs since the best one."""
        return self.epoch - self.best_epoch


def save_checkpoint(
    file: Path, suffix: nn.Module, optimizer: Optimizer, best: dict[str, Tensor], standing: Standing
) -> None:
    """Write everything that :func:`load_checkpoint` needs."""
    tensors = {f"model.{name}": value for name, value in suffix.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in best.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": value for key, value in state.items() if value is not None}
    needed = sum(value.numel() * value.element_size() for value in tensors.values())
    with replacing(file, needed=needed) as temporary:
        save_file(
            {name: value.detach().contiguous() for name, value in tensors.items()},
            temporary,
            metadata={"standing": json.dumps(asdict(standing))},
        )


def load_checkpoint(file: Path, suffix: nn.Module, optimizer: Optimizer) -> tuple[Standing, dict[str, Tensor]]:
    """Put ``suffix`` and ``optimizer`` back where they stood; where the training stands, and its best weights."""
    device = next(suffix.parameters()).device
    try:
        with safe_open(file, framework="pt", device=str(device)) as archive:
            standing = Standing(**from_json((archive.metadata() or {})["standing"]))
            tensors = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118 (not a dict)
        suffix.load_state_dict(_under(tensors, "model."))
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise RunError(
            f"{file} cannot be resumed from ({reason}). Delete the folder {file.parent.name} in "
            "the run to train it from its start."
        ) from None
    standing.best_score = tuple(standing.best_score) if standing.best_score else None  # type: ignore[assignment]
    parameters = list(suffix.parameters())
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in _under(tensors, "optimizer.").items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = _laid_out_as(parameters[int(index)], value)
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return standing, _under(tensors, "best.")


def copy_weights(suffix: nn.Module) -> dict[str, Tensor]:
    """A copy of the module's weights that later steps do not touch."""
    with torch.no_grad():
        return {name: value.detach().clone() for name, value in suffix.state_dict().items()}


def _laid_out_as(parameter: Tensor, value: Tensor) -> Tensor:
    """``value`` in the memory layout of its parameter: fused steps pair the two by position in memory, not by index."""
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value) if value.shape == parameter.shape else value


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
