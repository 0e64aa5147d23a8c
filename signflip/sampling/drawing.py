"""Draws a block of networks, dense or conditioned, with the input space and the input."""

from __future__ import annotations

import math

import torch

from signflip.networks.gaussian import Conditioned, Dense, Gaussian
from signflip.networks.modules import Chain, Margin
from signflip.networks.randomness import Draws
from signflip.networks.segmented import Segmentation
from signflip.networks.spaces import Coordinates, Frame, Space
from signflip.sampling.configuration import Configuration


def companion_of(configuration: Configuration, space: Space, point: torch.Tensor) -> torch.Tensor:
    """The second input y, of x's length and at the given angle from it."""
    assert configuration.companion is not None
    if isinstance(space, Frame):
        return space.point(math.sqrt(configuration.model.input_dim), configuration.companion)
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
) -> tuple[torch.nn.Module, Space, torch.Tensor]:
    """A block of networks, the input space, and the input x in its coordinates.

    Conditioned layers wider than a segment are not held; their blocks are single trials. Of networks of several outputs
    the margin is what is attacked.

    Raises:
        ValueError: if the configuration has training: `signflip.sampling.training.draw_trained` draws those.
    """
    c = configuration
    if c.training is not None:
        raise ValueError(f"training must be None where networks are drawn without it, got {c.training}")
    gaussian, point = _dense(c, trials, draws) if c.law == "dense" else _conditioned(c, trials, draws, segmentation)
    network = c.model.build(gaussian)
    return Margin(network) if c.model.outputs > 1 else network, gaussian.space, point


def draw_chain(configuration: Configuration, trials: int, draws: Draws) -> tuple[Chain, Space, torch.Tensor]:
    """As `draw_network`, of a fully connected model: its matrices, activation and output can be read.

    Raises:
        ValueError: if the model is another one.
    """
    network, space, point = draw_network(configuration, trials, draws)
    if not isinstance(network, Chain):
        raise ValueError(f"model must be FullyConnected, of one output, got {configuration.model!r}")
    return network, space, point


def _dense(c: Configuration, trials: int, draws: Draws) -> tuple[Gaussian, torch.Tensor]:
    return Dense(trials, draws, c.model.input_dim, c.entries), _point(c, trials, draws)


def _point(c: Configuration, trials: int, draws: Draws) -> torch.Tensor:
    """The input in coordinates of R^d, of the block's dtype; shape (trials, [positions,] d)."""
    dimension, positions = c.model.input_dim, c.model.positions
    if c.point is not None:
        point = torch.tensor(c.point, dtype=torch.float64, device=draws.device)
        point = point / point.abs().max()  # squares of 1e200 overflow
        point = (point * (math.sqrt(dimension * positions) / torch.linalg.vector_norm(point))).to(draws.dtype)
        point = point if positions == 1 else point.reshape(positions, dimension)
    elif positions == 1:
        point = torch.ones(dimension, dtype=draws.dtype, device=draws.device)
    else:
        point = _along_axes(positions, min(positions, dimension), dimension, dimension, draws.dtype, draws.device)
    return point.expand(trials, *point.shape)


def _conditioned(
    c: Configuration, trials: int, draws: Draws, segmentation: Segmentation | None
) -> tuple[Gaussian, torch.Tensor]:
    segmentation = segmentation or Segmentation()
    if c.sees_coordinates:
        space = Coordinates(c.model.input_dim, trials, draws)
        return Conditioned(trials, draws, space, segmentation, c.projection), _point(c, trials, draws)
    dimension, positions = c.model.input_dim, c.model.positions
    inputs = min(positions, dimension) if c.companion is None else 2
    # Each gradient is a vector of the input space for each position that a map is asked at; so is a random direction.
    asked = sum(one.positions for one in c.model.asked() if one.of_input)
    vectors = c.attack.steps * (asked + positions * (c.attack.direction == "random")) + asked * c.compare_gradients
    frame = Frame(dimension, trials, draws, inputs, inputs + vectors)
    point = frame.point(math.sqrt(dimension))
    if positions > 1:
        axes = _along_axes(positions, inputs, frame.capacity, dimension, torch.float64, draws.device)
        point = axes.expand(trials, -1, -1)
    return Conditioned(trials, draws, frame, segmentation, c.projection), point


def _along_axes(
    positions: int, axes: int, length: int, dimension: int, dtype: torch.dtype, device: torch.device
) -> torch.Tensor:
    """Positions along the first axes, in turn, of |x|^2 = d * positions in all; shape (positions, length).

    They are equally long, but where there are more of them than dimensions: then a second one along an axis is half as
    long, a third one a third. Of equal positions a maximum would have two gradients, and rounding would choose.
    """
    point = torch.zeros(positions, length, dtype=dtype, device=device)
    place = torch.arange(positions, device=device)
    lengths = 1.0 / (1 + place // axes).to(dtype)
    point[place, place % axes] = lengths * (math.sqrt(dimension * positions) / torch.linalg.vector_norm(lengths))
    return point
