"""Measurements, run by hand: ``make bench`` or ``python -m benchmarks``. Both sides alternate in one run; medians."""
