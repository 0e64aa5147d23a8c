"""An author's vocabulary: the claim marker, the check, its quantifiers, views of samples, pivots and equalities."""

from signflip.checks.marking import claim

__all__ = ["claim"]
