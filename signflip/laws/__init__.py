"""Laws that networks are compared with: limits at fixed step, kernels, and infinite width at any input dimension."""
