"""Active learning with several noisy annotators: which annotation to buy next, and whether it was worth it."""

__version__ = "0.1.0"
