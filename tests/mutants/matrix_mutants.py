"""Faults in the matrices: dense ones, conditioned ones, and the frame that the input space is held in."""

from __future__ import annotations

from typing import Any

import torch
from planting import Mutant, Plant, all_of, edited, put, wrapped

from signflip.networks.matrices import ConditionedGaussian, DenseGaussian
from signflip.networks.spaces import Coordinates

SMALL, DEEP, PIVOTS = "MW-4.joint-law.small", "MW-4.joint-law.deep", "MW-4.pivots"
MANY = "MW-4.joint-law.many-steps"
ANSWER = "signflip.networks.matrices:ConditionedGaussian._answer"


class ForgetsItsProjection(ConditionedGaussian):
    """Fresh randomness overlaps what the other side has seen."""

    def __init__(self, rows: Any, columns: Any, variance: float, _projected: bool = True) -> None:
        super().__init__(rows, columns, variance, False)


class ForgetsItsProjectionAtDepth(ConditionedGaussian):
    """The same, beyond the first layer."""

    def __init__(self, rows: Any, columns: Any, variance: float, projected: bool = True) -> None:
        super().__init__(rows, columns, variance, projected and not isinstance(columns, Coordinates))


class ForwardForgetsBackward(ConditionedGaussian):
    """W h' forgets what W^T D has answered."""

    def matvec(self, query: torch.Tensor, last: bool = False) -> torch.Tensor:
        return self._answer(query, self._right, [], self._rows, last)


class BackwardForgetsForward(ConditionedGaussian):
    """W^T D forgets what W h has answered."""

    def rmatvec(self, query: torch.Tensor) -> torch.Tensor:
        return self._answer(query, self._left, [], self._columns)


class ForwardForgetsBackwardAtDepth(ConditionedGaussian):
    """Beyond the first layer, W h' forgets what W^T D has answered."""

    def matvec(self, query: torch.Tensor, last: bool = False) -> torch.Tensor:
        other = [] if isinstance(self._columns, Coordinates) else self._left
        return self._answer(query, self._right, other, self._rows, last)


class BackwardForgetsForwardAtDepth(ConditionedGaussian):
    """Beyond the first layer, W^T D forgets what W h has answered."""

    def rmatvec(self, query: torch.Tensor) -> torch.Tensor:
        other = [] if isinstance(self._columns, Coordinates) else self._right
        return self._answer(query, self._left, other, self._columns)


class ScalesByTheWrongSide(ConditionedGaussian):
    """The variance is 1/m, not 1/n."""

    def __init__(self, rows: Any, columns: Any, _variance: float, projected: bool = True) -> None:
        super().__init__(rows, columns, 1 / rows.dimension, projected)


class ScalesByTheWrongSideAtDepth(ConditionedGaussian):
    """The same, beyond the first layer."""

    def __init__(self, rows: Any, columns: Any, variance: float, projected: bool = True) -> None:
        super().__init__(rows, columns, 1 / rows.dimension if isinstance(columns, Coordinates) else variance, projected)


class DrawsTheSameTwiceAtDepth(ConditionedGaussian):
    """Beyond the first layer, the fresh part of W h' is that of W h: a residual used again."""

    def matvec(self, query: torch.Tensor, last: bool = False) -> torch.Tensor:
        if isinstance(self._columns, Coordinates) and self._right:
            first = self._right[0]
            size = torch.linalg.vector_norm(query, dim=-1, keepdim=True)
            return first.answer * (size / torch.linalg.vector_norm(first.direction, dim=-1, keepdim=True))
        return super().matvec(query, last)


class DrawsTheSameTwice(ConditionedGaussian):
    """A space's second draw is its first one again."""

    def __init__(self, rows: Any, columns: Any, variance: float, projected: bool = True) -> None:
        super().__init__(_Repeats(rows), columns, variance, projected)


class _Repeats:
    """A space that draws once."""

    def __init__(self, space: Any) -> None:
        self._space, self._drawn = space, None
        self.dimension = space.dimension

    def draw(self, deviation: float = 1.0, positions: int | None = None) -> Any:  # noqa: ARG002 (of one position)
        self._drawn = self._space.draw() if self._drawn is None else self._drawn
        return self._drawn * deviation


def matrices(kind: type[ConditionedGaussian]) -> Plant:
    """Conditioned networks are made of this kind of matrix."""
    return put("signflip.networks.matrices:ConditionedGaussian", kind)


def _length_without_spread(_draws: Any, degrees: int, *shape: int) -> torch.Tensor:
    return torch.full(shape, degrees**0.5, dtype=torch.float64)


ONE_PASS = """zip(passes[0], [0 * one for one in passes[0]], strict=True)]
    residual = query
    for seen in own:
        residual = torch.addcmul(residual, seen.direction, _dot(seen.direction, residual) / seen.divisor, value=-1.0)"""


def _of_next_trial(rmatvec: Any) -> Any:
    def other(self: Any, query: torch.Tensor) -> Any:
        return rmatvec(DenseGaussian(self.weights.roll(1, 0)), query)

    return other


DEGREES = "self.dimension - self.size, self._trials"
MUTANTS = (
    Mutant(
        "matrix: no projection",
        "The conditioned matrix draws fresh randomness inside the span of what the other side has seen.",
        matrices(ForgetsItsProjection),
        (SMALL,),
    ),
    Mutant(
        "matrix: no projection beyond the first layer",
        "The same, in layers 2 and up only.",
        matrices(ForgetsItsProjectionAtDepth),
        (DEEP,),
    ),
    Mutant(
        "matrix: W h' forgets W^T D",
        "A one-sided conditional law: forward products forget the backward ones.",
        matrices(ForwardForgetsBackward),
        (SMALL,),
    ),
    Mutant(
        "matrix: W^T D forgets W h",
        "A one-sided conditional law: backward products forget the forward ones.",
        matrices(BackwardForgetsForward),
        (SMALL,),
    ),
    Mutant(
        "matrix: W h' forgets W^T D beyond the first layer",
        "Forward products forget the backward ones, in layers 2 and up only.",
        matrices(ForwardForgetsBackwardAtDepth),
        (DEEP,),
    ),
    Mutant(
        "matrix: W^T D forgets W h beyond the first layer",
        "Backward products forget the forward ones, in layers 2 and up only.",
        matrices(BackwardForgetsForwardAtDepth),
        (DEEP,),
    ),
    Mutant(
        "matrix: projection of the wrong sign",
        "What lies in the span of the other side is added once more, not taken away.",
        edited(ANSWER, "known - _dots(new, seen.direction)", "known + _dots(new, seen.direction)"),
        (SMALL,),
    ),
    Mutant(
        "matrix: variance 1/m",
        "The conditioned matrix takes 1/m, of its own rows, for 1/n.",
        matrices(ScalesByTheWrongSide),
        (SMALL, "LIMIT.erf"),
    ),
    Mutant(
        "matrix: variance 1/m beyond the first layer",
        "The same, in layers 2 and up only.",
        matrices(ScalesByTheWrongSideAtDepth),
        (DEEP,),
    ),
    Mutant(
        "matrix: standard deviation 1/n",
        "The conditioned matrix forgets the root of the variance.",
        edited("signflip.networks.matrices:ConditionedGaussian.__init__", "math.sqrt(variance)", "variance"),
        (SMALL, "LIMIT.erf"),
    ),
    Mutant(
        "matrix: a draw used twice",
        "The fresh part of W h' is that of W h.",
        matrices(DrawsTheSameTwice),
        (SMALL,),
    ),
    Mutant(
        "matrix: a draw used twice beyond the first layer",
        "The same, in layers 2 and up only.",
        matrices(DrawsTheSameTwiceAtDepth),
        (DEEP,),
    ),
    Mutant(
        "matrix: known part forgotten",
        "A repeated direction is answered by fresh randomness alone: the term Y c is left out.",
        edited(ANSWER, "zip(coefficients, own, strict=False)", "zip([], own, strict=False)"),
        (SMALL,),
    ),
    Mutant(
        "matrix: length of the query for that of its residual",
        "The fresh part is scaled by |q|, not by what of q is new.",
        edited(ANSWER, "residual, squared, coefficients = _residual", "residual, _, coefficients = _residual"),
        (SMALL, MANY),
    ),
    Mutant(
        "matrix: coefficients of the second pass only",
        "The known part's coefficients leave out the first Gram-Schmidt pass.",
        edited("signflip.networks.matrices:_residual", "[first + second for", "[second for"),
        (SMALL,),
    ),
    Mutant(
        "matrix: rounding noise normalised",
        "ROUNDING_UNITS = 0: the residual of a query in the span becomes a direction of its own.",
        put("signflip.networks.matrices:ROUNDING_UNITS", 0.0, everywhere=False),
        (MANY,),
    ),
    Mutant(
        "matrix: small true residuals dropped",
        "Residuals below 1/4000 of the query count as rounding: at d = 10^12 so does the step itself.",
        put("signflip.networks.matrices:ROUNDING_UNITS", 2.0**40, everywhere=False),
        ("LIMIT.erf", SMALL),
    ),
    Mutant(
        "matrix: one Gram-Schmidt pass",
        "The residual is found by one pass, not two.",
        edited(
            "signflip.networks.matrices:_residual",
            "zip(*passes, strict=True)]",
            ONE_PASS,
        ),
        ("tests/networks/test_conditioned_matrix.py::test_a_single_pass_would_not_be_orthogonal",),
        blind="a lost digit or two in float32: a KS distance below 1e-3.",
    ),
    Mutant(
        "frame: chi with d degrees",
        "What lies beyond the frame's r axes has length chi_d, not chi_(d - r).",
        edited("signflip.networks.spaces:Frame.draw", DEGREES, "self.dimension, self._trials"),
        (SMALL,),
    ),
    Mutant(
        "frame: chi with d - r - 1 degrees",
        "One degree of freedom too few.",
        edited(
            "signflip.networks.spaces:Frame.draw",
            DEGREES,
            "self.dimension - self.size - 1, self._trials",
        ),
        (SMALL,),
    ),
    Mutant(
        "frame: chi squared",
        "The root of the chi-squared draw is left out.",
        edited(
            "signflip.networks.randomness:Draws.chi",
            "np.sqrt(self._numpy.chisquare(degrees, shape))",
            "self._numpy.chisquare(degrees, shape)",
        ),
        (SMALL, "LIMIT.erf"),
    ),
    Mutant(
        "frame: chi sqrt 2 too long",
        "The new axis's coefficient is sqrt 2 too long.",
        wrapped(
            "signflip.networks.randomness:Draws.chi",
            lambda chi: lambda self, *shape: chi(self, *shape) * 2**0.5,
        ),
        (SMALL, "LIMIT.erf"),
    ),
    Mutant(
        "frame: chi without its spread",
        "The length beyond the frame is sqrt(d - r), not random.",
        wrapped(
            "signflip.networks.randomness:Draws.chi",
            lambda _: _length_without_spread,
        ),
        (SMALL,),
    ),
    Mutant(
        "frame: axes not independent",
        "The coordinates on the axes so far are all the same draw.",
        edited(
            "signflip.networks.spaces:Frame.draw",
            "self._draws.normal64(self._trials, self.size)",
            "self._draws.normal64(self._trials, 1).repeat(1, self.size)",
        ),
        (
            "tests/networks/test_frame.py::"
            "test_lengths_and_inner_products_of_vectors_drawn_in_a_frame_are_those_of_gaussian_vectors",
        ),
        blind="no fault of an attack: W_1 has answered along every axis, and what is drawn there is replaced by it.",
    ),
    Mutant(
        "dense: variance 2/n",
        "Dense weights have twice their variance.",
        edited("signflip.networks.matrices:DenseGaussian.drawn", "math.sqrt(variance)", "math.sqrt(2 * variance)"),
        (PIVOTS, SMALL),
    ),
    Mutant(
        "dense: standard deviation 1/n",
        "Dense weights forget the root of the variance.",
        edited("signflip.networks.matrices:DenseGaussian.drawn", "math.sqrt(variance)", "variance"),
        (PIVOTS, SMALL),
    ),
    Mutant(
        "dense: another trial's W^T",
        "W^T D is taken with the matrix of another trial.",
        wrapped("signflip.networks.matrices:DenseGaussian.rmatvec", _of_next_trial),
        (PIVOTS, SMALL),
    ),
    Mutant(
        "dense: sums in half precision",
        "W h is summed in float16.",
        edited(
            "signflip.networks.matrices:DenseGaussian.matvec",
            "by_rows(self.weights, query)",
            "(self.weights.half() * query.half().unsqueeze(1)).sum(-1).to(query.dtype)",
        ),
        ("INV.rotation", PIVOTS),
    ),
    Mutant(
        "dense: the first column too long",
        "Weights of the first input coordinate are 1.5 times too large, the others as they should be.",
        edited(
            "signflip.networks.matrices:DenseGaussian.drawn",
            "deviation=math.sqrt(variance))",
            "deviation=math.sqrt(variance)).mul_(1 + 0.5 * (torch.arange(columns) == 0))",
        ),
        (PIVOTS, "INV.direction"),
    ),
    Mutant(
        "dense and conditioned: variance 2/n in the first layer",
        "W_1 has twice its variance under both laws, so that comparing them shows nothing.",
        all_of(
            edited(
                "signflip.networks.matrices:DenseGaussian.drawn",
                "math.sqrt(variance)",
                "math.sqrt(2 * variance)",
            ),
            edited(
                "signflip.networks.matrices:ConditionedGaussian.__init__",
                "math.sqrt(variance)",
                "math.sqrt(2 * variance)",
            ),
        ),
        (PIVOTS, "LIMIT.erf", "MW-3.limit-law"),
    ),
)
