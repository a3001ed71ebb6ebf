"""Chest X-ray classification: data, models, training, evaluation and prediction.

The dashboard, the command line (``python -m cxr_core``) and your own Python use the same functions. Each room says at
its door what it is for and offers what others take; the files that lie here are the ground that all of them stand on::

    from cxr_core import TrainConfig, data, inference, runs, runs_dir

    run = runs.start_training("my-xrays", TrainConfig.create(), runs_dir())

Research software, not for clinical use.
"""

import os
from typing import TYPE_CHECKING

from cxr_core.doors import opened

# A training shares its machine with a browser and a server. Threads that spin while they wait for each other then take
# the cores that the others need: epochs took ten times as long beside two busy processes. OpenMP reads this once, when
# torch is loaded, so it stands here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"

if TYPE_CHECKING:
    from cxr_core.config import TrainConfig as TrainConfig
    from cxr_core.settings import runs_dir as runs_dir
else:
    __getattr__ = opened(__name__, {"config": ("TrainConfig",), "settings": ("runs_dir",)})
