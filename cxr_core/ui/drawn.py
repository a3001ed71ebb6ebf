"""The demo data sets by a button: drawn once into the data folder, found there the next time, and remembered.

root = drawn(FINDINGS)      # with its progress on the page; raises CxrError where it cannot be drawn
"""

from pathlib import Path

from cxr_core import demo
from cxr_core.findings import FINDINGS
from cxr_core.private import make_folder
from cxr_core.settings import data_dir, remember_dataset
from cxr_core.ui.cached import progress_bar

IMAGES, SEED = 600, 0
SEVERAL = "Demo with several findings"


def drawn(task: str) -> Path:
    """The folder of the demo data set of this task. Raises CxrError."""
    name, draw = ("demo-findings", demo.draw_findings) if task == FINDINGS else ("demo", demo.draw)
    data = data_dir() / f"{name}-{IMAGES}-{SEED}"
    if not data.exists():
        with progress_bar("Drawing", "pictures") as report:
            make_folder(data.parent)
            draw(data, IMAGES, SEED, report)
    remember_dataset(data)
    return data
