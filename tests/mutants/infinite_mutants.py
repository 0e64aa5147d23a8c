"""Faults in the infinite-width law: its kernels and their quadrature, the regression, its tables, a second input."""

from __future__ import annotations

from typing import Any

from planting import Mutant, edited, wrapped

from signflip.laws.second_input import PairLaw

FALL = "INF.fall"
JOINT, LIMIT, PAIR, RATE = "INF.joint-law", "INF.limit-law", "PAIR.infinite-width", "INF.rate"
KERNELS, RADIAL = "signflip.laws.kernel:kernels", "signflip.laws.kernel:radial_moments"
LAW = "signflip.laws.infinite_width:InfiniteWidthLaw."
GRID = "signflip.laws.pair_moments:_Grid."
SECOND = "signflip.laws.second_input:PairLaw."
KERNEL_TEST = "tests/laws/test_kernels.py::"
MOMENT_TEST = "tests/laws/test_pair_moments.py::"
PARTIALS = (
    "tests/laws/test_infinite_width_sampling.py::"
    "test_trials_are_those_of_the_process_conditioned_on_every_partial_derivative"
)
REGRESSION = "tests/laws/test_regression.py::test_regression_is_that_of_the_process_on_all_partial_derivatives"
TABLE_TEST = "tests/laws/test_tables.py::"


def _at_another_angle(change: Any) -> Any:
    """A second input whose part of the law that is fixed beforehand belongs to another angle."""

    def around(initial: Any) -> Any:
        def other(self: PairLaw, *arguments: Any) -> None:
            initial(self, *arguments[:-1], change(arguments[-1]))
            self.angle = arguments[-1]

        return other

    return wrapped(SECOND + "__init__", around)


MUTANTS = (
    # -- kernels
    Mutant(
        "infinite: K for dK/dc",
        "The covariance of gradients across x and x' is taken for that of values.",
        edited(KERNELS, "pair.distance, slope, covariance", "pair.distance, pair.covariance, covariance"),
        (JOINT, LIMIT),
    ),
    Mutant(
        "infinite: dK/dc of the last layer",
        "The chain rule for dK/dc is left out.",
        edited(KERNELS, "slope = moments.slopes * slope", "slope = moments.slopes"),
        (JOINT, KERNEL_TEST + "test_derivatives_are_the_central_differences_of_the_kernel"),
        effort="standard",
        examples=4,
    ),
    Mutant(
        "infinite: dq/dr without its 2",
        "q is the square of the radius, and is taken to grow as it does.",
        edited(KERNELS, "own, covariance, slope = 2.0,", "own, covariance, slope = 1.0,"),
        (JOINT, KERNEL_TEST + "test_derivatives_are_the_central_differences_of_the_kernel"),
        effort="standard",
        examples=4,
    ),
    Mutant(
        "infinite: x' on the tangent",
        "|x'|^2 leaves the step's part along x out.",
        edited(KERNELS, "(1.0 + radial) ** 2 + tangential**2,", "1.0 + tangential**2,"),
        (JOINT, KERNEL_TEST + "test_kernels_are_the_composed_closed_forms"),
    ),
    Mutant(
        "infinite: the distance without its part along x",
        "|x' - x|^2 is that across x alone.",
        edited(KERNELS, "radial**2 + tangential**2)", "tangential**2)"),
        (JOINT, KERNEL_TEST + "test_kernels_are_the_composed_closed_forms"),
    ),
    Mutant(
        "infinite: beta of the last layer",
        "beta is not the product over the layers.",
        edited(RADIAL, "slope * squared_slope", "squared_slope"),
        (JOINT, KERNEL_TEST + "test_at_x_itself_kernels_are_the_moments_at_x"),
        effort="standard",
        examples=4,
    ),
    Mutant(
        "infinite: C explained by F in every layer",
        "What F leaves of C does not pass on to the next layer.",
        edited(RADIAL, "+ max(0.0, w - part * m) * squared_slope", ""),
        (FALL, KERNEL_TEST + "test_radial_moments_are_the_derivatives_of_closed_forms"),
        effort="standard",
        examples=4,
    ),
    # -- the regression
    Mutant(
        "infinite: F and C independent",
        "The covariance of f(x) and <x, grad f(x)> is left out where x' is placed and predicted.",
        edited(LAW + "__init__", "self._part = m / q if q else 0.0", "self._part = 0.0"),
        (JOINT, RATE),
    ),
    Mutant(
        "infinite: C tells nothing",
        "f(x') is predicted from f(x) and the slope across x alone.",
        edited(
            LAW + "regression",
            "on_rest = rest / self._rest if self._rest else np.zeros_like(rest)",
            "on_rest = np.zeros_like(rest)",
        ),
        (FALL, REGRESSION),
    ),
    Mutant(
        "infinite: C leaves all of the variance",
        "The variance left to f(x') is that without what C tells beyond F.",
        edited(LAW + "regression", " - on_rest * rest", ""),
        (FALL, REGRESSION),
    ),
    Mutant(
        "infinite: F tells all of itself",
        "f(x') is predicted with weight 1 on f(x), as if the kernel did not fall.",
        edited(
            LAW + "regression",
            "on_value = 1.0 + change / q if q else np.ones_like(change)",
            "on_value = 1 + 0 * change",
        ),
        (JOINT,),
    ),
    Mutant(
        "infinite: cross covariance with the wrong sign",
        "Cov(F, f(x')) grows with the distance of x'.",
        edited(LAW + "regression", "(other - q - distance) / 2.0", "(other - q + distance) / 2.0"),
        (JOINT, RATE),
    ),
    Mutant(
        "infinite: the slope across x tells nothing of the rest",
        "The variance left to f(x') is that without the slope across x.",
        edited(LAW + "regression", " - tangential**2 * across * on_slope", ""),
        (JOINT,),
    ),
    Mutant(
        "infinite: F leaves all of the variance",
        "The variance left to f(x') is that without f(x).",
        edited(LAW + "regression", "distance - change * (on_value - 1.0) - on_rest", "distance - on_rest"),
        (JOINT,),
    ),
    Mutant(
        "infinite: standard deviation for variance",
        "What is left to f(x') is scaled by its variance.",
        edited(LAW + "_respond", "np.sqrt(np.maximum(variance, 0.0)) * noise", "np.maximum(variance, 0.0) * noise"),
        (JOINT,),
    ),
    Mutant(
        "infinite: nothing left to f(x')",
        "f(x') is its conditional mean.",
        edited(LAW + "_respond", "np.sqrt(np.maximum(variance, 0.0)) * noise", "0.0 * noise"),
        (JOINT,),
    ),
    Mutant(
        "infinite: f climbs",
        "The part of the mean along the gradient has the wrong sign.",
        edited(LAW + "_respond", "- np.sign(value) * self.step", "+ np.sign(value) * self.step"),
        (LIMIT, JOINT),
    ),
    Mutant(
        "infinite: half of the fall",
        "The part of the mean along the gradient is half of what it is.",
        edited(LAW + "_respond", "- np.sign(value) * self.step", "- np.sign(value) * 0.5 * self.step"),
        (LIMIT, JOINT),
    ),
    Mutant(
        "infinite: x' further out for f > 0",
        "x' is placed up the gradient, along x.",
        edited(LAW + "_place", "-self.step / self.dimension", "self.step / self.dimension"),
        (JOINT, RATE),
    ),
    Mutant(
        "infinite: |U| sqrt 2 too long",
        "The part of the gradient orthogonal to x has twice its variance.",
        edited(
            LAW + "_seen",
            "math.sqrt(self.moments.slope / self.dimension)",
            "math.sqrt(2 * self.moments.slope / self.dimension)",
        ),
        (LIMIT, JOINT),
    ),
    Mutant(
        "infinite: chi with d degrees",
        "|U| has chi's law of d degrees, not of d - 1.",
        edited(LAW + "sample", "draws.chi(self.dimension - 1, trials)", "draws.chi(self.dimension, trials)"),
        (JOINT, RATE),
    ),
    Mutant(
        "infinite: |grad f| across x alone",
        "The gradient's length leaves its part along x out.",
        edited(LAW + "_respond", "size = np.hypot(radial, tangential)", "size = tangential"),
        (JOINT, RATE),
    ),
    # -- their quadrature
    Mutant(
        "quadrature: half of the angle's cosine",
        "cos of the angle between two pre-activations is 1 - sin^2 of its half.",
        edited("signflip.laws.pair_moments:_angle", "1.0 - 2.0 * half", "1.0 - half"),
        (JOINT, MOMENT_TEST + "test_moments_are_those_of_closed_forms"),
    ),
    Mutant(
        "quadrature: sine without its root",
        "sin of the angle is twice the product that its root is taken of.",
        edited(
            "signflip.laws.pair_moments:_angle",
            "2.0 * np.sqrt(half * (1.0 - half))",
            "2.0 * half * (1.0 - half)",
        ),
        (JOINT, MOMENT_TEST + "test_moments_are_those_of_closed_forms"),
    ),
    Mutant(
        "quadrature: E (sigma - sigma')^2 without the cross term",
        "The distance of values is the sum of their second moments.",
        edited(
            GRID + "integrate",
            "(values - other_values[:, :, None]) ** 2",
            "values**2 + other_values[:, :, None] ** 2",
        ),
        (JOINT, MOMENT_TEST + "test_moments_are_those_of_closed_forms"),
    ),
    Mutant(
        "quadrature: slopes at x twice",
        "E sigma'(u) sigma'(u') takes the slope at x' to be 1.",
        edited(GRID + "integrate", "other_slopes * slope,", "slope,"),
        (JOINT, MOMENT_TEST + "test_moments_are_those_of_closed_forms"),
    ),
    Mutant(
        "quadrature: E sigma'(u) sigma(u') for E u sigma'(u) sigma(u')",
        "The radial moment forgets u.",
        edited(GRID + "integrate", "_sum(weights, slopes * u)", "_sum(weights, slopes)"),
        (JOINT, MOMENT_TEST + "test_moments_are_those_of_closed_forms"),
        effort="standard",
        examples=4,
    ),
    Mutant(
        "quadrature: inner kinks not split",
        "The inner integral's panels do not end at sigma's kinks.",
        edited(GRID + "__init__", "self._inner_ends = domain.broken(scale)", "self._inner_ends = np.empty(0)"),
        (MOMENT_TEST + "test_moments_are_those_of_closed_forms",),
        blind="what is integrated is off by less than 1e-3 of the kernel, far below the KS distance of 0.05 that "
        "INF.joint-law and PAIR.infinite-width detect, and the 0.01 of a rate of INF.limit-law.",
    ),
    # -- tables
    Mutant(
        "table: first variable for second",
        "A patch evaluates its two variables in the wrong order.",
        wrapped(
            "signflip.laws.patches:_Patch.evaluate",
            lambda evaluate: (
                lambda self, first, second: evaluate(
                    type(self)(self.box, self.coefficients.transpose(0, 2, 1), self.errors, self.share), first, second
                )
            ),
        ),
        (JOINT, TABLE_TEST + "test_a_polynomial_is_exact_in_one_patch"),
    ),
    Mutant(
        "table: coefficients without their 2",
        "All but the mean of a Chebyshev series are halved.",
        edited(
            "signflip.laws.patches:_nodes",
            "np.where(np.arange(order) == 0, 1.0, 2.0)",
            "np.where(np.arange(order) == 0, 1.0, 1.0)",
        ),
        (JOINT, TABLE_TEST + "test_a_polynomial_is_exact_in_one_patch"),
    ),
    Mutant(
        "table: never split",
        "One patch serves the whole rectangle, whatever its error.",
        edited("signflip.laws.patches:Patches.__init__", "len(queue) < most", "False"),
        (FALL, TABLE_TEST + "test_a_smooth_function_is_had_to_its_tolerance"),
        effort="standard",
        examples=4,
    ),
    # -- a second input
    Mutant(
        "second: y at half of the angle",
        "The weights with which f(x) and its slopes tell of f(y) are those of half of the angle.",
        _at_another_angle(lambda angle: angle / 2),
        (PAIR,),
    ),
    Mutant(
        "second: sine of the angle left out",
        "The slope along e tells of f(y) as if y lay at a right angle.",
        edited(SECOND + "sample", "self._on_slope * math.sin(self.angle) * slope", "self._on_slope * slope"),
        (PAIR,),
        effort="standard",
        examples=3,
    ),
    Mutant(
        "second: f(y) beyond f(x')",
        "What is left of f(x') tells nothing of f(y).",
        edited(
            SECOND + "_leftover",
            "noise = correlation * normal[2] + np.sqrt(1.0 - correlation**2) * normal[4]",
            "noise = normal[4]",
        ),
        (PAIR,),
    ),
    Mutant(
        "second: x' moves up the slope along e",
        "Where the step takes x along e has the wrong sign.",
        edited(SECOND + "sample", "-np.sign(value) * self.step", "np.sign(value) * self.step"),
        ("PAIR.plane", PARTIALS),
        effort="standard",
    ),
    Mutant(
        "second: the slope along e is not told",
        "f(y) is predicted without the slope along e.",
        edited(SECOND + "sample", " + self._on_slope * math.sin(self.angle) * slope", ""),
        (PAIR,),
    ),
    Mutant(
        "second: chi with d - 1 degrees",
        "Beyond x and e the gradient has d - 1 coordinates.",
        edited(SECOND + "sample", "draws.chi(self.dimension - 2, trials)", "draws.chi(self.dimension - 1, trials)"),
        (PAIR,),
    ),
    Mutant(
        "second: explained part left out",
        "What F, C and the slope tell of f(x') and f(y) counts once more in what they leave.",
        edited(SECOND + "_leftover", "covariance - explained", "covariance"),
        (PAIR,),
    ),
    Mutant(
        "second: variance of f(y) for what is left of it",
        "f(y) keeps all of its variance beside what is told of it.",
        edited(SECOND + "_leftover", "math.sqrt(self._left) * noise", "math.sqrt(self.moments.variance) * noise"),
        (PAIR,),
    ),
)
