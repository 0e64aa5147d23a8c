"""Draws a block of networks, dense or conditioned, with the input space and the input."""

from __future__ import annotations

import math

import torch

from signflip.networks.matrices import ConditionedGaussian, DenseGaussian, GaussianMatrix
from signflip.networks.modules import Chain
from signflip.networks.randomness import Draws
from signflip.networks.segmented import Segmentation, SegmentedCoordinates
from signflip.networks.spaces import Coordinates, Frame, Space
from signflip.sampling.configuration import Configuration


def companion_of(configuration: Configuration, space: Space, point: torch.Tensor) -> torch.Tensor:
    """The second input y, of x's length and at the given angle from it."""
    assert configuration.companion is not None
    if isinstance(space, Frame):
        return space.point(math.sqrt(configuration.architecture.input_dim), configuration.companion)
    # The axis of x's smallest coordinate is furthest from x: what is left of it is far from rounding.
    x = point[0].double()
    across = torch.zeros_like(x)
    across[x.abs().argmin()] = 1.0
    across -= (across @ x) / (x @ x) * x
    across *= torch.linalg.vector_norm(x) / torch.linalg.vector_norm(across)
    y = math.cos(configuration.companion) * x + math.sin(configuration.companion) * across
    return y.to(point.dtype).expand_as(point)


def draw_network(
    configuration: Configuration, trials: int, draws: Draws, segmentation: Segmentation | None = None
) -> tuple[Chain, Space, torch.Tensor]:
    """A block of networks, the input space, and the input x in its coordinates.

    Conditioned layers wider than a segment are not held; their blocks are single trials.
    """
    segmentation = segmentation or Segmentation()

    def coordinates(width: int) -> Coordinates | SegmentedCoordinates:
        held = trials > 1 or width <= segmentation.size
        return Coordinates(width, trials, draws) if held else SegmentedCoordinates(width, draws, segmentation)

    c = configuration
    dimension = c.architecture.input_dim
    matrices: list[GaussianMatrix] = []
    space: Space
    if c.law == "dense":
        space = Coordinates(dimension, trials, draws)
        point = torch.ones(dimension, dtype=draws.dtype, device=draws.device)
        if c.point is not None:
            point = torch.tensor(c.point, dtype=torch.float64, device=draws.device)
            point = point / point.abs().max()  # squares of 1e200 overflow
            point = (point * (math.sqrt(dimension) / torch.linalg.vector_norm(point))).to(draws.dtype)
        point = point.expand(trials, dimension)
        for rows, columns in c.architecture.layers:
            matrices.append(DenseGaussian.drawn(rows, columns, 1 / columns, trials, draws, c.entries))
    else:
        inputs = 1 if c.companion is None else 2
        # Each gradient is a vector of the input space, and so is each random direction.
        vectors = c.steps * (2 if c.direction == "random" else 1) + c.compare_gradients
        space = frame = Frame(dimension, trials, draws, inputs, inputs + vectors)
        point = frame.point(math.sqrt(dimension))
        source: Space = frame
        for rows, columns in c.architecture.layers:
            target = coordinates(rows)
            projected = c.projection == "every layer" or (c.projection == "first layer" and source is frame)
            matrices.append(ConditionedGaussian(target, source, 1 / columns, projected))
            source = target
    width = c.architecture.widths[-1]
    output = coordinates(width).entries(c.output or c.entries, deviation=1 / math.sqrt(width))
    return Chain(c.activation, matrices, output), space, point
