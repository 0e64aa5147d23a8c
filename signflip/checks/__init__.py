"""An author's vocabulary: the check, its quantifiers, views of samples, pivots and equalities."""
