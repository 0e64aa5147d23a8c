"""Strategies for networks of blocks: random programs of Gaussian maps and other blocks between them (THEORY 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from signflip.activations import get
from signflip.networks import blocks
from signflip.networks.blocks import Block, Shape
from signflip.networks.sequential import Sequential

# Exact on their flat pieces; smooth, kinked, even, bounded and periodic ones.
NAMES = ("relu", "tanh", "abs", "sin", "gelu", "softplus", "leaky_relu", "hard_tanh")
GRIDS: tuple[tuple[int, ...], ...] = ((), (2,), (4,), (2, 2), (3,), (2, 4))
KINDS = {
    blocks.Linear: "linear",
    blocks.Conv: "convolution",
    blocks.Bias: "bias",
    blocks.Pointwise: "activation",
    blocks.LayerNorm: "layer norm",
    blocks.Pool: "pooling",
    blocks.Residual: "residual",
    blocks.Concatenate: "concatenation",
}
# What `networks` draws, in words.
PROGRAMS = (
    "random networks of one to three stages: linear maps and convolutions with and without biases, layer norms and "
    "activations; plain, residual, side by side or pooled"
)
# Channels at which most networks are close to their limit; some need more (`widened`).
WIDE = st.sampled_from([400, 500, 600])
# Of two channels a layer norm leaves their order, up to 1e-5: a step along its gradient of 0 goes anywhere.
_NORMED = 3


@st.composite
def networks(
    draw: st.DrawFn,
    *,
    dimensions: SearchStrategy[int],
    channels: SearchStrategy[int],
    outputs: SearchStrategy[int] | None = None,
    poolings: tuple[str, ...] = blocks.POOLINGS,
    max_stages: int = 3,
    grids: tuple[tuple[int, ...], ...] = GRIDS,
) -> Sequential:
    """One to ``max_stages`` stages, each a map (linear, convolution) with or without a bias, a layer norm and sigma.

    A stage may be added to its input, or run beside another one; pooling may follow it. They shrink to
    <a, W x>.
    """
    grid = draw(st.sampled_from(grids), label="grid")
    first = Shape(grid, draw(dimensions, label="input dimension"), of_input=True)
    composed: list[Block] = []
    for _ in range(draw(st.integers(1, max_stages), label="stages")):
        given = blocks.shape_after(composed, first)
        composed += draw(_stages(given, channels, poolings))
    number = 1 if outputs is None else draw(outputs, label="outputs")
    return Sequential(first.channels, tuple(composed), grid, number)


@st.composite
def _stages(draw: st.DrawFn, given: Shape, channels: SearchStrategy[int], poolings: tuple[str, ...]) -> list[Block]:
    """One stage: plain, residual (of what is hidden) or two branches; and pooling."""
    form = draw(st.sampled_from(["plain", "concatenation"] + ["residual"] * 2 * (not given.of_input)), label="stage")
    stage: list[Block]
    if form == "residual":
        stage = [blocks.Residual(tuple(draw(_bodies(given, st.just(given.channels), keeps_grid=True))))]
    elif form == "concatenation":
        branches = [tuple(draw(_bodies(given, channels, keeps_grid=True))) for _ in range(2)]
        stage = [blocks.Concatenate(tuple(branches))]
    else:
        stage = draw(_bodies(given, channels))
    grid = blocks.shape_after(stage, given).grid
    if len(grid) > 0 and draw(st.booleans(), label="pooling"):
        sizes: list[int | None] = [None, 2] if all(axis % 2 == 0 for axis in grid) else [None]
        size = draw(st.sampled_from(sizes), label="size")
        stage.append(blocks.Pool(draw(st.sampled_from(poolings), label="reduction"), size))
    return stage


@st.composite
def _bodies(draw: st.DrawFn, given: Shape, channels: SearchStrategy[int], *, keeps_grid: bool = False) -> list[Block]:
    """A map, and what may stand between it and the next. The layer norm follows what has a density, not sigma."""
    rows = draw(channels, label="channels")
    body: list[Block] = [blocks.Linear(rows)]
    if len(given.grid) > 0 and draw(st.booleans(), label="convolution"):
        body = [draw(_convolutions(given.grid, rows, keeps_grid))]
    if draw(st.booleans(), label="bias"):
        body.append(blocks.Bias(draw(st.sampled_from([1.0, 0.25]), label="deviation")))
    if rows >= _NORMED and draw(st.booleans(), label="layer norm"):
        body.append(blocks.LayerNorm())
    if draw(st.booleans(), label="activation"):
        body.append(blocks.Pointwise(get(draw(st.sampled_from(NAMES), label="sigma"))))
    return body


@st.composite
def _convolutions(draw: st.DrawFn, grid: tuple[int, ...], rows: int, keeps_grid: bool) -> Block:
    kernel = draw(st.integers(1, min(2, *grid)), label="kernel")
    stride = 1 if keeps_grid else draw(st.integers(1, 2), label="stride")
    return blocks.Conv(rows, kernel, stride, draw(st.sampled_from(blocks.PADDINGS), label="padding"))


def kinds_of(network: Sequential) -> set[str]:
    """Which kinds of blocks a network has, at any depth."""
    found = {KINDS[type(block)] for block in _every(network.blocks)}
    return found | ({"several outputs"} if network.outputs > 1 else set())


def _every(several: Sequence[Block]) -> Iterator[Block]:
    for block in several:
        yield block
        if isinstance(block, blocks.Residual):
            yield from _every(block.blocks)
        if isinstance(block, blocks.Concatenate):
            yield from (inner for branch in block.branches for inner in _every(branch))


def widened(network: Sequential, factor: int) -> Sequential:
    """The network with ``factor`` times as many channels in every map."""
    return replace(network, blocks=_widened(network.blocks, factor))


def _widened(several: Sequence[Block], factor: int) -> tuple[Block, ...]:
    def one(block: Block) -> Block:
        if isinstance(block, blocks.Linear | blocks.Conv):
            return replace(block, rows=factor * block.rows)
        if isinstance(block, blocks.Residual):
            return blocks.Residual(_widened(block.blocks, factor))
        if isinstance(block, blocks.Concatenate):
            return blocks.Concatenate(tuple(_widened(branch, factor) for branch in block.branches))
        return block

    return tuple(map(one, several))
