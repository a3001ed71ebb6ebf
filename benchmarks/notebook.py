"""The 2020 notebook's training step, written out, as the baseline: VGG16, batch 8, its head, its loss, SGD.

``frozen=False`` is the notebook as written: ``param.require_grad = False`` froze nothing, so every convolution is
trained. ``frozen=True`` is what it meant. Images are ready in memory: the baseline pays for no decoding.
"""

import time

import torch
from torch import nn
from torch.nn import functional as F
from torchvision import models

BATCH = 8


class NotebookStep:
    """One step of the notebook; ``seconds_per_image(steps)`` times some of them."""

    def __init__(self, frozen: bool) -> None:
        torch.manual_seed(0)
        self.net = models.vgg16()
        self.net.classifier = nn.Sequential(
            nn.Linear(25_088, 1024), nn.ReLU(), nn.Dropout(0.5), nn.Linear(1024, 128), nn.Linear(128, 3)
        )
        for parameter in self.net.features.parameters():
            parameter.requires_grad = not frozen
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.001, momentum=0.9)
        self.images = torch.randn(BATCH, 3, 224, 224)
        self.targets = torch.tensor([[1.0, 0, 1], [0, 1, 0], [0, 0, 1], [0, 1, 0]] * (BATCH // 4))

    def step(self) -> None:
        self.optimizer.zero_grad()
        cross_entropy = F.binary_cross_entropy_with_logits(self.net(self.images), self.targets)
        loss = (1 - torch.exp(-cross_entropy)) ** 1.2 * cross_entropy  # from the batch's mean, as the notebook did
        loss.backward()
        self.optimizer.step()

    def seconds_per_image(self, steps: int) -> float:
        self.step()
        started = time.perf_counter()
        for _ in range(steps):
            self.step()
        return (time.perf_counter() - started) / (steps * BATCH)

    def inference_seconds_per_image(self, steps: int) -> float:
        """The forward pass alone, for the notebook's one look at its test set."""
        self.net.eval()
        with torch.no_grad():
            self.net(self.images)
            started = time.perf_counter()
            for _ in range(steps):
                self.net(self.images)
        self.net.train()
        return (time.perf_counter() - started) / (steps * BATCH)
