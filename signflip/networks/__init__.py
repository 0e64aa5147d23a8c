"""Random networks: Gaussian matrices (dense, conditioned), torch modules over them, and the attack."""
