"""``python -m benchmarks [--data DIR] [--rounds N]``: the speed table of the README."""

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

import torch

from cxr_core.errors import CxrError


def main() -> int:
    """Measure everything; print Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--data", type=Path, help="a data set with a test split (default: drawings)")
    parser.add_argument("--images", type=int, default=400, help="how many drawings (default 400)")
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds (default 3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["CXR_CACHE"] = str(Path(scratch) / "cache")
        from benchmarks import extraction, memory, protocol
        from cxr_core.demo import draw
        from cxr_core.settings import cache_dir
        from cxr_core.training.worker import keep_large_blocks

        # As in a training, and for both sides.
        keep_large_blocks()
        try:
            data = options.data or draw(Path(scratch) / "demo", options.images, 0)
            print(f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}\n", flush=True)
            print(extraction.measure(data, options.rounds, 96, Path(scratch) / "extraction"), flush=True)
            print(memory.measure(1_000, 8_000), flush=True)
            results = protocol.measure(data, options.rounds, cache_dir())
        except CxrError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        print("\n" + protocol.table(results))
        for number, each in enumerate(results, 1):
            print(f"round {number}: {each}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
