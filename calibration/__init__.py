"""Measured false-alarm rates of the statements, and of the whole suite, on stubs; not part of the package."""
