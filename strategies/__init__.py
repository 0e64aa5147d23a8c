"""Hypothesis strategies for the activations, architectures, inputs and steps on which the checks are tried."""
