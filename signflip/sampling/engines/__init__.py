"""Engines: what runs the blocks of trials; each gives the same blocks, in the same order."""
