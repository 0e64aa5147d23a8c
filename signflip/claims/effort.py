"""How much a run does: the examples of a check at each effort, relative to its claim's number."""

EFFORTS = {"quick": 0.25, "standard": 1.0, "nightly": 8.0}
"""Some checks' largest sizes follow as well."""
