"""Figures, statistics and a page over any number of finished runs: `python -m alab.report DIR...`."""
