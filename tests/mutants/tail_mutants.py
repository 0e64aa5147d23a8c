"""Faults in the exact tails at infinite width: their quadrature, their rate in d, and what is claimed of them."""

from __future__ import annotations

from planting import Mutant, claimed, edited

TAILS, LAW = "signflip.laws.tails:", "signflip.laws.infinite_width:InfiniteWidthLaw."
RATES, CLAIMS = "signflip.laws.tail_rates:excess", "test_tails.py"
LIMIT, ROOT, SHORTER = "TAIL.limit", "TAIL.sqrt-log", "NOT.shorter-root-of-the-log"
TESTS = "tests/laws/test_exact_tails.py::"
TRIALS = TESTS + "test_trials_flip_as_often_as_the_integral_says"
FORCE = TESTS + "test_erf_networks_are_integrated_as_by_brute_force"

MUTANTS = (
    Mutant(
        "tails: chi with d degrees",
        "|U| has chi's law of d degrees, not of d - 1.",
        edited(TAILS + "Seen.chance", "freedom = self.dimension - 1", "freedom = self.dimension"),
        (FORCE,),
    ),
    Mutant(
        "tails: half of the fall",
        "The part of the mean along the gradient is half of what it is.",
        edited(TAILS + "_Integral._response", "fall * on_slope", "0.5 * fall * on_slope"),
        (LIMIT, ROOT, TRIALS),
        reaches=(LIMIT, ROOT, SHORTER),
    ),
    Mutant(
        "tails: V on the wrong side",
        "x' is placed up the gradient, along x.",
        edited(TAILS + "Seen.place", "-self.step / self.dimension", "self.step / self.dimension"),
        (FORCE,),
    ),
    Mutant(
        "tails: the rest of C tells nothing",
        "f(x') is predicted without what C tells beyond F.",
        edited(TAILS + "_Integral._response", "slope = on_value - seen.part * on_rest", "slope = on_value"),
        (FORCE,),
    ),
    Mutant(
        "tails: one sign of F only",
        "Both probabilities are half of what they are.",
        edited(TAILS + "_Integral._given_length", "2.0 * inside", "1.0 * inside"),
        (LIMIT, TRIALS),
    ),
    Mutant(
        "tails: whatever the perturbation",
        "Flips further away than is allowed count.",
        edited(LAW + "flip_probability", "table.error, within)", "table.error, math.inf)"),
        (TESTS + "test_a_perturbation_that_is_never_kept_leaves_no_flip", TRIALS),
    ),
    Mutant(
        "claim: kinks as smooth",
        "The turn of the gradient at a kink is claimed to be twice what it is.",
        edited(RATES, "/ (2.0 * math.pi) / slope", "/ math.pi / slope"),
        (LIMIT,),
        reaches=(LIMIT,),
        examples=3,
    ),
    Mutant(
        "claim: tails at half of the step",
        "t = sqrt(log(1 / gamma) / 2) is claimed to suffice.",
        claimed(CLAIMS, "2**doublings, natural_steps_for(failure)", "2**doublings, natural_steps_for(failure) / 2"),
        (ROOT,),
        reaches=(ROOT,),
    ),
    Mutant(
        "control: the root of the log",
        "The control's step is the one that suffices.",
        claimed(CLAIMS, "math.sqrt(math.log(1 / failure))", "math.sqrt(2 * math.log(1 / failure))"),
        (SHORTER,),
        reaches=(SHORTER,),
    ),
    Mutant(
        "computed: always supported",
        "A number above its bound is not refuted.",
        edited("signflip.inference.computed:Computed.judge", "if high <= self.bound", "if high <= self.bound + 1"),
        (SHORTER, "tests/inference/test_computed.py::test_the_error_decides_between_three_verdicts"),
    ),
    Mutant(
        "computed: any bound declared",
        "A bound above the largest that the claim declares is taken for declared.",
        edited(
            "signflip.inference.computed:Computed.declared_by",
            "self.bound <= largest or same(self.bound, largest)",
            "True",
        ),
        ("tests/inference/test_computed.py::test_a_bound_above_the_largest_that_a_claim_declares_is_not_covered",),
        blind="No check of the suite states a bound that its claim does not declare.",
    ),
    Mutant(
        "tail: kernels of the sampler",
        "Tails are integrated from kernels that are off by 5e-8, and their stated error says 1e-9.",
        edited("signflip.laws.infinite_width:InfiniteWidthLaw._tail_function", "refined=True", "refined=False"),
        ("tests/laws/test_exact_tails.py::test_a_smooth_tail_at_very_many_inputs_is_the_limits_to_the_stated_error",),
        blind="A relative error of 1e-6 in a tail is beyond the tolerance of TAIL, 5 percent of an excess of 2e-3.",
    ),
)
