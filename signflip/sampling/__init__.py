"""Sampling: configurations, trials in keyed blocks, devices, and the engines that run them."""
