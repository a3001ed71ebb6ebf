"""SGD on a head whose first layer is wide: many small steps for a few passes over its weights.

    wide = WideLayer.of(suffix, optimizer, config, device)      # None where it would gain nothing
    wide.begin(features)                                        # of the next ``wide.steps`` batches, in their order
    for ...: wide.forward(count); loss.backward(); optimizer.step(); wide.stepped(rate)
    wide.end()

:mod:`cxr_core.training.steps` makes of it steps like any others. VGG16's head has 25 million weights in its first
layer, and a step of eight images moves all of them several times through memory. But its gradient is D^T X, of rank
eight, with the features X and the gradient D of the layer's output. So for a block of steps W and the momentum M are
written as

    W = a W0 + b M0 + sum of alpha_r D_r^T X_r,        M = c W0 + d M0 + sum of beta_r D_r^T X_r

with W0 and M0 as they stood at the block's start, and the layer's output X W^T comes from X W0^T, X M0^T and the inner
products of the block's features: one large product each. The numbers are those of ``torch.optim.SGD`` (weight decay and
any schedule of the learning rate included) up to the order of float32 sums.
"""

import torch
from torch import Tensor, nn

from cxr_core.config import TrainConfig

# Fewer weights stay in the processor's cache, and larger batches use them well as it is.
LEAST_WEIGHTS = 4_000_000
_ROWS = 256


class WideLayer:
    """The first layer of a head, trained block by block. ``steps``: how many batches a block has."""

    def __init__(self, linear: nn.Linear, rest: nn.Sequential, optimizer: torch.optim.SGD, config: TrainConfig) -> None:
        self.steps = max(1, _ROWS // config.batch_size)
        self._linear, self._rest, self._optimizer = linear, rest, optimizer
        self._momentum, self._decay = config.momentum, config.weight_decay

    @classmethod
    def of(
        cls, suffix: nn.Sequential, optimizer: torch.optim.Optimizer, config: TrainConfig, device: torch.device
    ) -> "WideLayer | None":
        """For a suffix that is a head alone; None for any other, and where plain steps are as fast."""
        head = suffix[0] if len(suffix) == 1 else None
        if device.type != "cpu" or not isinstance(optimizer, torch.optim.SGD) or not isinstance(head, nn.Sequential):
            return None
        linear = head[0]
        if not isinstance(linear, nn.Linear) or linear.weight.numel() < LEAST_WEIGHTS or 2 * config.batch_size > _ROWS:
            return None
        return cls(linear, head[1:], optimizer, config)

    @torch.no_grad()
    def begin(self, features: Tensor) -> None:
        """Take the features, float32 (N, D), of the block's batches."""
        weight = self._linear.weight
        state = self._optimizer.state[weight]
        if state.get("momentum_buffer") is None:
            state["momentum_buffer"] = torch.zeros_like(weight)
        self._before: Tensor = state["momentum_buffer"]
        self._features = features
        self._plain, self._pushed = features @ weight.T, features @ self._before.T
        self._products = features @ features.T
        self._gradients = torch.zeros(len(features), weight.shape[0])
        # Of each row of the block: what its gradient has added to the weights, and to the momentum.
        self._alpha, self._beta = torch.zeros(len(features)), torch.zeros(len(features))
        self._a, self._b, self._c, self._d = 1.0, 0.0, 0.0, 1.0
        self._done = 0

    def forward(self, count: int) -> Tensor:
        """Logits (count, K) of the block's next ``count`` images; the graph ends at the layer's output."""
        old, new = slice(0, self._done), slice(self._done, self._done + count)
        with torch.no_grad():
            output = self._a * self._plain[new] + self._b * self._pushed[new]
            output += (self._products[new, old] * self._alpha[old]) @ self._gradients[old]
        self._output = output.requires_grad_()
        # The bias is a parameter like any other, and stepped by the optimiser.
        logits: Tensor = self._rest(self._output + self._linear.bias)
        return logits

    @torch.no_grad()
    def stepped(self, rate: float) -> None:
        """After the backward pass of what ``forward`` gave: the step at this learning rate."""
        gradient = self._output.grad
        assert gradient is not None
        new = slice(self._done, self._done + len(gradient))
        self._gradients[new] = gradient
        self._beta.mul_(self._momentum).add_(self._alpha, alpha=self._decay)
        self._beta[new] = 1.0
        self._c = self._momentum * self._c + self._decay * self._a
        self._d = self._momentum * self._d + self._decay * self._b
        self._a, self._b = self._a - rate * self._c, self._b - rate * self._d
        self._alpha.sub_(self._beta, alpha=rate)
        self._done = new.stop

    @torch.no_grad()
    def end(self) -> None:
        """Write the block's steps into the weights and the optimiser's momentum."""
        weight, done = self._linear.weight, slice(0, self._done)
        features, gradients = self._features[done], self._gradients[done]
        before = weight.clone() if self._c else None
        weight.mul_(self._a).add_(self._before, alpha=self._b)
        weight.addmm_((gradients * self._alpha[done, None]).T, features)
        self._before.mul_(self._d).addmm_((gradients * self._beta[done, None]).T, features)
        if before is not None:
            self._before.add_(before, alpha=self._c)
