"""Laws that networks are compared with: limits at a fixed step, kernels, and infinite width at any input dimension."""
