"""Drawn chests with labels, patients and sources: a data set to begin with, and for tests. No patient is in them."""

from cxr_core.demo.draw import draw, is_drawn

__all__ = ["draw", "is_drawn"]
