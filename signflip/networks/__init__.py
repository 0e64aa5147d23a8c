"""Random networks: Gaussian matrices (dense, conditioned, segmented), the network over them, and the attack."""
