"""Corpora: texts, who annotated them, and what is held back as an archive."""
