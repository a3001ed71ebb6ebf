"""Chest X-ray classification: data, models, training, evaluation and prediction.

The dashboard, the command line (``python -m cxr_core``) and your own Python use the same functions.
Research software, not for clinical use.
"""

import os

# A training shares its machine with a browser and a server. Threads that spin while they wait for each other then take
# the cores that the others need: epochs took ten times as long beside two busy processes. OpenMP reads this once, when
# torch is loaded, so it stands here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
