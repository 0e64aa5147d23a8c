"""Evidence: the strict JSON record of a run, from which every verdict can be computed again.

Nothing here imports torch.
"""
