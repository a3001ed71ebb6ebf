"""Memory of a training on kept features, with few and with many images: it must not grow with them."""

import subprocess
import sys
import tempfile

PROGRAM = """
import sys, tempfile, threading
from pathlib import Path
import numpy as np, psutil, torch
from cxr_core.model.features import FeatureStore, Space
from cxr_core.model.network import initial_suffix
from cxr_core.config import TrainConfig
from cxr_core.training.objectives import Exclusive
from cxr_core.training.trainer import Part, Trainer
images = int(sys.argv[1])
config = TrainConfig.create(backbone="vgg16", weights="none", hidden=(64,), epochs=1, batch_size=64)
store = FeatureStore(Space("vgg16", "none", 6, 224, (25088,), "float16"), Path(sys.argv[2]))
names = [f"{i:032x}:0" for i in range(images)]
rng = np.random.default_rng(0)
for start in range(0, images, 500):
    part = names[start:start + 500]
    store.append(part, rng.random((len(part), 25088), dtype=np.float32).astype(np.float16))
rows = store.rows(names)[:, None]
label = np.arange(images) % 3
torch.manual_seed(0)
device = torch.device("cpu")
suffix = initial_suffix(config, 3)
part = Part(store, rows, label)
val = Part(store, rows[:64], label[:64])
objective = Exclusive(config, ["A", "B", "C"], {}, label, device)
trainer = Trainer(config, objective, part, val, suffix, Path(sys.argv[2]), device)
peak = 0
def watch(epoch, done, total):
    global peak
    peak = max(peak, psutil.Process().memory_info().rss)
for _ in trainer.epochs(lambda: False, watch):
    pass
print(peak)
"""


def measure(few: int, many: int) -> str:
    """Peak resident memory of training one epoch with ``few`` and with ``many`` images, each in its own process."""
    peaks = []
    for images in (few, many):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM, str(images), folder], capture_output=True, text=True, check=True
            )
        peaks.append(int(done.stdout) / 1e6)
    return (
        f"Memory while training on kept VGG16 features: {peaks[0]:.0f} MB with {few:,} images, "
        f"{peaks[1]:.0f} MB with {many:,} ({(many - few) * 25_088 * 2 / 1e6:,.0f} MB more on disk)."
    )
