"""Vectors too long to be held: their segments are drawn or computed again each time they are read.

A `Segmented` vector is an expression, a tree with draws at its leaves. A draw is keyed by its vector and segment, so
that reading it again gives the same bits; what is elementwise is applied segment by segment; inner products sum over
segments. One segment of each vector in the tree is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from signflip.networks.products import inner
from signflip.networks.randomness import Draws

# Entries of a segment. Layers of at most this width are held whole, as ordinary tensors.
SEGMENT = 2**20
# Drawn segments of one trial that are kept, in entries: shorter vectors are drawn once and not again.
KEPT_ENTRIES = 2**26
Memo = dict[int, torch.Tensor]
_aten: Any = torch.ops.aten
# Elementwise, though torch does not say so.
_ELEMENTWISE = (
    _aten._to_copy.default,
    _aten.clone.default,
    _aten.zeros_like.default,
    _aten.ones_like.default,
    _aten.full_like.default,
    _aten.elu_backward.default,
    _aten.leaky_relu_backward.default,
    _aten.hardtanh_backward.default,
    _aten.softshrink_backward.default,
    _aten.softplus_backward.default,
    _aten.mish_backward.default,
    _aten.log_sigmoid_forward.default,
    _aten.hardswish.default,
    _aten.hardswish_backward.default,
)


@dataclass(eq=False)
class _Drawn:
    """A leaf: N(0, deviation^2) draws, or a control's, a stream of their own for each segment."""

    draw: Callable[[int], torch.Tensor]
    kept: dict[int, torch.Tensor] | None

    def read(self, segment: int, _memo: Memo) -> torch.Tensor:
        if self.kept is None:
            return self.draw(segment)
        if segment not in self.kept:
            self.kept[segment] = self.draw(segment)
        return self.kept[segment]


@dataclass(eq=False)
class _Computed:
    """An elementwise function of other vectors and of numbers."""

    function: Callable[..., torch.Tensor]
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]

    def read(self, segment: int, memo: Memo) -> torch.Tensor:
        found = memo.get(id(self))
        if found is None:

            def at(argument: Any) -> Any:
                return argument.read(segment, memo) if isinstance(argument, (_Drawn, _Computed)) else argument

            found = memo[id(self)] = self.function(*map(at, self.arguments), **self.options)
        return found


class Segmented(torch.Tensor):
    """A vector of shape (1, n) that holds none of its entries; elementwise operations on it give others."""

    node: _Drawn | _Computed
    size_of_segment: int

    @staticmethod
    def __new__(
        cls, node: _Drawn | _Computed, length: int, size_of_segment: int, dtype: torch.dtype, device: torch.device
    ) -> Segmented:
        """An empty shell of the right shape: torch sees a tensor, and asks `__torch_dispatch__` for its contents."""
        made = torch.Tensor._make_wrapper_subclass(cls, (1, length), dtype=dtype, device=device)
        made.node, made.size_of_segment = node, size_of_segment
        return made

    def __repr__(self) -> str:  # type: ignore[override]  # torch's own takes contents to print
        return f"Segmented({self.shape[1]:,} entries in segments of {self.size_of_segment:,}, {self.dtype})"

    def reads(self, *others: Segmented) -> Iterator[tuple[torch.Tensor, ...]]:
        """The segments of this vector and of ``others``, together: what they share is computed once."""
        for segment in range(-(-self.shape[1] // self.size_of_segment)):
            memo: Memo = {}
            yield tuple(vector.node.read(segment, memo) for vector in (self, *others))

    def segments_inner(self, other: Segmented) -> torch.Tensor:
        """<v, w>, shape (1,): segments by `signflip.networks.products.inner`, their sum in float64."""
        total = torch.zeros(1, dtype=torch.float64, device=self.device)
        for first, second in self.reads(other):
            total += inner(first, second)
        return total.to(self.dtype)

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]  # torch calls it with an operator, and without options
        cls, function: Any, _types: Any, arguments: tuple[Any, ...] = (), options: Mapping[str, Any] | None = None
    ) -> Any:
        """Elementwise operations are written down, not done; the largest entry is found; no others are allowed."""
        options = dict(options or {})
        vector = next(argument for argument in arguments if isinstance(argument, Segmented))
        if function is _aten.amax.default:
            return torch.stack([part.amax() for (part,) in vector.reads()]).amax().reshape(1, 1)
        if function is _aten.detach.default:
            return vector._like(vector.node, vector.dtype)
        if torch.Tag.pointwise not in function.tags and function not in _ELEMENTWISE:
            raise NotImplementedError(f"an operation on vectors held by segments must be elementwise, got {function}")
        nodes = tuple(argument.node if isinstance(argument, Segmented) else argument for argument in arguments)
        if function._schema.is_mutable:
            # A segment that is kept must stay as it was drawn.
            node = _Computed(lambda first, *rest, **named: function(first.clone(), *rest, **named), nodes, options)
            vector.node = node
            return vector
        one = function(*map(_one_entry, arguments), **options)
        if isinstance(one, tuple):  # its further results are room to work in
            first = _Computed(lambda *given, **named: function(*given, **named)[0], nodes, options)
            return (vector._like(first, one[0].dtype), *one[1:])
        return vector._like(_Computed(function, nodes, options), one.dtype)

    def elementwise(self, function: Callable[[torch.Tensor], torch.Tensor]) -> Segmented:
        """``function``, which acts on each entry by itself and keeps the dtype, applied segment by segment."""
        return self._like(_Computed(function, (self.node,), {}), self.dtype)

    def _like(self, node: _Drawn | _Computed, dtype: torch.dtype) -> Segmented:
        return Segmented(node, self.shape[1], self.size_of_segment, dtype, self.device)


def _one_entry(argument: Any) -> Any:
    """A stand-in of one entry: what an operation gives on it tells the dtype of the whole."""
    if isinstance(argument, Segmented):
        return torch.zeros(1, 1, dtype=argument.dtype, device=argument.device)
    return argument


@dataclass
class SegmentedCoordinates:
    """R^n, one trial, with no coordinate held: a `signflip.networks.spaces.Space` whose draws are `Segmented`.

    Vectors are numbered by ``segmentation``, which all spaces of a network share.
    """

    dimension: int
    draws: Draws
    segmentation: Segmentation

    def draw(self, deviation: float = 1.0, positions: int | None = None) -> Segmented:
        """A Gaussian vector of independent coordinates of this standard deviation, shape (1, n).

        Raises:
            ValueError: if several positions are asked for.
        """
        if positions is not None:
            size = self.segmentation.size
            raise ValueError(f"positions must be 1 where a layer has more than {size:,} neurons, got {positions}")
        return self.entries("gaussian", deviation)

    def entries(self, law: str, deviation: float) -> Segmented:
        """Independent centred coordinates, of a law that `Draws.entries` knows."""
        number, size = self.segmentation.next(), self.segmentation.size

        def drawn(segment: int) -> torch.Tensor:
            length = min(size, self.dimension - segment * size)
            return self.draws.child(number, segment).entries(law, 1, length, deviation=deviation)

        kept = self.segmentation.keep(self.dimension)
        return Segmented(_Drawn(drawn, kept), self.dimension, size, self.draws.dtype, self.draws.device)


@dataclass
class Segmentation:
    """What the vectors of one network share: their numbers, the size of a segment, and room for what is kept."""

    size: int = SEGMENT
    room: int = KEPT_ENTRIES
    last: int = field(default=-1, init=False)

    def next(self) -> int:
        """The number of the next vector."""
        self.last += 1
        return self.last

    def keep(self, entries: int) -> dict[int, torch.Tensor] | None:
        """A place for a vector's segments, as long as there is room."""
        if entries > self.room:
            return None
        self.room -= entries
        return {}
