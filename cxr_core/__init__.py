"""Chest X-ray classification: data, models, training, evaluation and prediction.

The dashboard, the command line (``python -m cxr_core``) and your own Python use the same functions.
Research software, not for clinical use.
"""

__version__ = "0.1.0"
