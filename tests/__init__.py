"""The tests mirror ``cxr_core``; ``ROOT`` is the project's folder."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
