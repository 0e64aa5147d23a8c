"""Figures of the page, drawn from evidence alone."""

from signflip.environment import without_backend

with without_backend():
    import matplotlib  # noqa: F401  (loaded here first)
