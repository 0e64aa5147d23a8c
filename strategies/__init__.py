"""Hypothesis strategies: which activations, architectures, inputs and steps the checks are tried on."""
