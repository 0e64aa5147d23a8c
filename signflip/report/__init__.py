"""Turns evidence into a page, which is one self-contained HTML file, and a history across nights.

Everything here is computed from the JSON that `signflip.evidence` describes; nothing samples or imports torch.
"""
