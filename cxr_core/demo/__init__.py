"""Drawn chests with labels, patients and sources: a data set to begin with, and for tests. No patient is in them."""

from cxr_core.demo.draw import draw
from cxr_core.demo.findings import draw_findings
from cxr_core.demo.place import is_drawn
from cxr_core.demo.samples import Sample, samples

__all__ = ["Sample", "draw", "draw_findings", "is_drawn", "samples"]
