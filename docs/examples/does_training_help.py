"""Flips and the least perturbation along training, at three initial scales and 10^12 dimensions.

The picture and the table of docs/question/does-training-help.md.

.venv/bin/python docs/examples/does_training_help.py
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from signflip import Architecture, Attack, Training, activations, simulate

DIMENSION, TRIALS, EPOCHS, SCALES = 10**12, 500, (0, 1, 2, 5, 10, 20, 40, 80), (1.0, 0.3, 0.1)
RADII = (3.0, 10.0, 12.5, 15.0, 17.5, 20.0)
DEFENDER = Path(__file__).parents[1] / "question/defender.json"
INPUTS = (
    *((1.0, 0.5, 0.0, 0.5), (0.0, 1.0, -0.5, 0.5), (-1.0, 0.5, 0.5, 0.0)),
    *((0.5, -1.0, 0.0, 0.5), (0.5, 0.5, 1.0, 0.0), (0.0, -0.5, 0.5, -1.0)),
)
NETWORKS, RELU = Architecture(DIMENSION, (300,)), activations.get("relu")
# A step of three natural ones, as before training; and the step that makes f 0 across the data, where it is linear.
STEP = Attack(3 * NETWORKS.natural_step(RELU), direction="across")
LEAST = Attack(1.0, direction="across", unit="linear")


def defended(width: int, radius: float) -> float:
    """How often ten natural steps flip a point that the first layer defends, its neurons within C / sqrt(m)."""
    networks = Architecture(DIMENSION, (width,))
    training = Training(((1.0,),), (1000.0,), 0.5, 5, loss="square", layers="first", radius=radius)
    step = 10 * networks.natural_step(RELU)
    return float(
        simulate(networks, RELU, step=step, trials=TRIALS, training=training, output="rademacher").flipped.mean()
    )


def main() -> None:
    """Print a line for each scale and epoch, draw docs/images/training.svg, and write the table of the defender."""
    plt.rcParams["svg.hashsalt"] = "signflip"
    figure, (flips, least) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for scale in SCALES:
        rates, lengths = [], []
        for epochs in EPOCHS:
            training = Training(INPUTS, (1, -1) * 3, learning_rate=1.0, epochs=epochs, initial_scale=scale)
            stepped, first_order = (
                simulate(NETWORKS, RELU, attack=attack, trials=TRIALS, training=training) for attack in (STEP, LEAST)
            )
            rates.append(float(stepped.flipped.mean()))
            lengths.append(float(np.median(first_order.relative_perturbation)) * DIMENSION**0.5)
            print(
                f"b={scale:g} {epochs:3} epochs: {rates[-1]:.3f} flip, least perturbation {lengths[-1]:.3g} |x|/sqrt(d)"
            )
        flips.plot(EPOCHS, rates, marker="o", label=f"initial scale {scale:g}")
        least.plot(EPOCHS, lengths, marker="o")
    for axes, title in ((flips, "P(flip), three natural steps"), (least, "median least perturbation, |x| / sqrt(d)")):
        axes.set(title=title, xlabel="epochs", xscale="symlog", xticks=EPOCHS, xticklabels=EPOCHS)
    least.set_yscale("log")
    rows = [
        [f"{width:,} neurons", *(f"{defended(width, radius):.3f}" for radius in RADII)]
        for width in (50, 200, 1000, 5000)
    ]
    table = {"head": ["P(flip)", *(f"C = {radius:g}" for radius in RADII)], "rows": rows}
    DEFENDER.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    flips.legend()
    figure.savefig(Path(__file__).parents[1] / "images/training.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
