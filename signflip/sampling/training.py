"""Draws a block of networks and trains them, dense or on what the data see of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from signflip.networks.modules import Margin
from signflip.networks.randomness import Draws
from signflip.networks.spaces import Frame
from signflip.networks.trainable import SpannedCoordinates, SpannedFrame, Trainable
from signflip.networks.training import Training
from signflip.sampling.configuration import Configuration


@dataclass(frozen=True)
class Trained:
    """A block of trained networks: f, where its input lives, what is attacked, and the losses.

    ``losses`` are each trial's mean ones before training and after each epoch, shape (trials, epochs + 1), float64.
    """

    network: torch.nn.Module
    space: SpannedFrame | SpannedCoordinates
    point: torch.Tensor
    losses: torch.Tensor


def draw_trained(configuration: Configuration, trials: int, draws: Draws) -> Trained:
    """A block of networks after the configuration's training.

    Raises:
        DivergedError: naming the epoch after which a loss is not finite.
    """
    c, training = configuration, configuration.training
    assert training is not None
    dimension, root = c.model.input_dim, math.sqrt(c.model.input_dim)
    shape = (training.positions, -1) if training.positions > 1 else (-1,)
    inputs = torch.tensor(training.inputs, dtype=torch.float64, device=draws.device)
    inputs = inputs.reshape(len(inputs), *shape)
    point = root * torch.tensor(training.point, dtype=torch.float64, device=draws.device).reshape(shape)
    taken = point.shape[-1]
    space: SpannedFrame | SpannedCoordinates
    if c.law == "dense":
        axes = orthonormal(dimension, taken, draws.device)
        space = SpannedCoordinates(axes[:, : training.span].to(draws.dtype), trials, draws)
        inputs, point = inputs @ axes[:, : training.span].T, (point @ axes.T).to(draws.dtype)
    else:
        space = _frame(c, training, trials, draws)
        point = torch.nn.functional.pad(point, (0, space.capacity - taken))
    gaussian = Trainable(trials, draws, space, training.initial_scale, training.layers)
    network = c.model.build(gaussian)
    losses = training.run(network, gaussian.parameters, inputs.to(draws.dtype), gaussian.of_input)
    gaussian.finish()
    attacked = Margin(network) if c.model.outputs > 1 else network
    return Trained(attacked, space, point.expand(trials, *point.shape), losses)


def _frame(c: Configuration, training: Training, trials: int, draws: Draws) -> SpannedFrame:
    rest, taken = c.model.input_dim - training.span, int(training.across)
    # As for networks that are not trained, each gradient takes an axis.
    asked = sum(one.positions for one in c.model.asked() if one.of_input)
    vectors = (
        c.attack.steps * (asked + training.positions * (c.attack.direction == "random")) + asked * c.compare_gradients
    )
    frame = Frame(rest, trials, draws, taken, taken + vectors) if rest else None
    return SpannedFrame(training.span, frame, trials, draws)


def orthonormal(dimension: int, axes: int, device: torch.device) -> torch.Tensor:
    """Orthonormal vectors along no axis, shape (dimension, axes), the first of which do not depend on how many follow.

    Their coordinates are all different: Adam, which moves each by itself, leaves the span of any of them.
    """
    place = torch.arange(1, dimension + 1, dtype=torch.float64, device=device).unsqueeze(1)
    waves = torch.cos(math.sqrt(2) * place * torch.arange(1, axes + 1, device=device))
    found: torch.Tensor = torch.linalg.qr(waves).Q
    return found
