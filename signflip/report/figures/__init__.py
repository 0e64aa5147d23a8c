"""Figures of the page, drawn from evidence alone."""
