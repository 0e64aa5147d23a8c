"""Faults in the steps and lengths of norms, and in what is claimed of them."""

from __future__ import annotations

from attack_mutants import ATTACK
from planting import Mutant, claimed, edited

TESTS = "tests/networks/test_steepest_steps.py::"
BY_HAND = TESTS + "test_an_attack_by_a_norm_is_its_steepest_step_by_hand"
STEEPEST = TESTS + "test_the_steepest_vector_has_length_1_and_reaches_the_dual_norm"
SAME_LAW = TESTS + "test_conditioned_networks_in_coordinates_have_the_law_of_dense_ones"
NORMS, LAWS, CHECKS = "signflip.networks.norms", "signflip.laws.norms", "test_norms.py"
CONFIGURATION = "signflip.sampling.configuration"
NORM = ("NORM.erf", "NORM.order", "NORM.logarithm", "NOT.other-norm", "DE-PALMA.norms", "NOT.no-logarithm")

MUTANTS = (
    Mutant(
        "norm: its own exponent for the dual one",
        "The dual of the p-norm is taken to be the p-norm.",
        edited(f"{NORMS}:dual", "norm / (norm - 1.0)", "norm"),
        (STEEPEST, "NORM.erf"),
        effort="standard",
        examples=6,
        reaches=NORM,
    ),
    Mutant(
        "norm: every step is the sign step",
        "Steps have the budget of their norm, and the direction of p = infinity.",
        edited(f"{NORMS}:steepest", "if power == 0.0:", "if power < math.inf:"),
        (STEEPEST, "NORM.erf"),
        effort="standard",
        examples=6,
        reaches=NORM,
    ),
    Mutant(
        "norm: along the smallest coordinate",
        "The step of p = 1 moves the coordinate that matters least.",
        edited(f"{NORMS}:steepest", "argmax(", "argmin("),
        (STEEPEST, "NORM.logarithm"),
        reaches=NORM,
    ),
    Mutant(
        "norm: along all of the largest coordinates",
        "The step of p = 1 moves the last of equal coordinates.",
        edited(f"{NORMS}:steepest", "flat.abs().argmax(", "flat.shape[1] - 1 - flat.flip(1).abs().argmax("),
        (TESTS + "test_the_step_of_norm_1_takes_the_first_of_equal_coordinates",),
        blind="coordinates of a Gaussian network's gradient are never equal.",
        reaches=NORM,
    ),
    Mutant(
        "norm: powers are not scaled",
        "Coordinates are raised to powers as they are, and overflow.",
        edited(f"{NORMS}:_ratios", "flat.abs().amax(dim=1, keepdim=True).double()", "flat.new_ones(len(flat), 1)"),
        (TESTS + "test_a_length_is_exact_however_tiny_or_huge",),
        blind="gradients of the claims' networks are of order 1 / sqrt(d).",
        reaches=NORM,
    ),
    Mutant(
        "norm: the gradient's Euclidean length",
        "|grad f|_2 is reported for |grad f|_q.",
        edited(ATTACK, "first_norm = lengths(initial, dual(norm))", "first_norm = lengths(initial)"),
        (BY_HAND, "DE-PALMA.norms"),
        reaches=NORM,
    ),
    Mutant(
        "norm: the displacement's Euclidean length",
        "|x' - x|_2 is reported for |x' - x|_p.",
        edited(ATTACK, "lengths(moved, norm), change)", "lengths(moved), change)"),
        (BY_HAND, TESTS + "test_one_step_has_the_length_of_its_budget"),
        blind="no claim of a norm asks how far its step went.",
    ),
    Mutant(
        "norm: relative to the Euclidean |x|",
        "|x' - x|_p is reported over |x|_2.",
        edited("signflip.sampling.trials:_block", "if c.attack.norm is None else float(", "if True else float("),
        (BY_HAND, TESTS + "test_one_step_has_the_length_of_its_budget"),
        blind="no claim of a norm asks how far its step went.",
    ),
    Mutant(
        "norm: a budget grows with the gradient",
        "A step of a budget is as long as one of a step.",
        edited(ATTACK, "if self.budget is None:", "if True:"),
        (BY_HAND, "NORM.erf"),
        reaches=NORM,
    ),
    Mutant(
        "norm: coordinates of a frame",
        "Steps that look at coordinates are given those of the frame, two or three of them.",
        edited("signflip.sampling.drawing:_conditioned", "if c.sees_coordinates:", "if False:"),
        (TESTS + "test_conditioned_networks_of_several_positions_have_the_law_of_dense_ones", "NORM.erf"),
        reaches=NORM,
    ),
    Mutant(
        "norm: conditioned networks have another x",
        "Where a step looks at coordinates the given point is not looked at.",
        edited("signflip.sampling.drawing:_point", "if c.point is not None:", 'if c.law == "dense" and c.point:'),
        (SAME_LAW,),
        blind="its claims are about an x of equal coordinates.",
        reaches=NORM,
    ),
    Mutant(
        "norm: coordinates are not counted",
        "Memory is counted as if conditioned networks held no coordinates.",
        edited(f"{CONFIGURATION}:Configuration._inputs", 'self.law == "dense" or', "True or"),
        (TESTS + "test_memory_counts_the_coordinates_that_a_norm_looks_at",),
        blind="trials are the same, but for the sizes of blocks.",
    ),
    Mutant(
        "norm: a budget is taken for a step",
        "The dtype that resolves a step is that of a gradient step of the budget's length.",
        edited(f"{CONFIGURATION}:_gradient_step", "0.5 - 1.0 / (attack.norm or EUCLIDEAN)", "0.0"),
        (TESTS + "test_a_steepest_step_has_the_dtype_of_a_gradient_step_that_goes_as_far",),
        blind="single precision resolves the steps of its claims.",
        reaches=NORM,
    ),
    Mutant(
        "norm: a moment left out",
        "|grad f|_q is claimed to be that of coordinates of size 1.",
        edited(f"{LAWS}:gaussian_length", "(math.log(dimension) + log_moment)", "math.log(dimension)"),
        ("tests/laws/test_norm_budgets.py::test_a_gaussian_vector_has_the_dual_norm_of_its_moment", "NORM.erf"),
        effort="standard",
        examples=6,
        reaches=NORM,
    ),
    Mutant(
        "norm: a largest coordinate of size 1",
        "|grad f|_infinity is claimed to be that of a single coordinate.",
        edited(f"{LAWS}:gaussian_length", "0.5 ** (1.0 / dimension)", "0.5"),
        (
            "tests/laws/test_norm_budgets.py::test_the_largest_of_d_normals_is_beyond_its_median_half_of_the_time",
            "NORM.logarithm",
            "DE-PALMA.norms",
        ),
        reaches=NORM,
    ),
    Mutant(
        "norm: another order",
        "The order of the least perturbation is claimed to be |x|_p d^(-1/4).",
        claimed(CHECKS, "1.0 / NORMS[norm] - 0.5", "1.0 / NORMS[norm] - 0.25"),
        ("NORM.order",),
        reaches=NORM,
    ),
    Mutant(
        "norm: no logarithm",
        "The order of the least perturbation of one coordinate is claimed to be sqrt d.",
        claimed(CHECKS, "activation, 1.0, 1.0)", "activation, 2.0, 1.0) * math.sqrt(dimension)"),
        ("NORM.logarithm",),
        reaches=NORM,
    ),
    Mutant(
        "norm: distances longer by .3",
        "The limit law is claimed of distances that are longer by .3 of themselves.",
        claimed("test_de_palma_distance.py", "NORMS[norm], quantile)", "NORMS[norm], 1.3 * quantile)"),
        ("DE-PALMA.norms",),
        reaches=NORM,
    ),
    Mutant(
        "control: the norm's own length",
        "What is claimed of another norm's length is judged by the norm's own.",
        claimed(CHECKS, "budgets_of=other", "budgets_of=norm"),
        ("NOT.other-norm",),
        reaches=NORM,
    ),
    Mutant(
        "control: the logarithm left in",
        "The distance that is claimed without a logarithm has it.",
        claimed("test_de_palma_distance.py", "longer=gaussian_length(1.0, dimension)", "longer=1.0"),
        ("NOT.no-logarithm",),
        reaches=NORM,
    ),
)
