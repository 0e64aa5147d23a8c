"""Faults in the statement that laws approach a limit law, and in what it is said to reach."""

from __future__ import annotations

from dataclasses import replace

from planting import Mutant, edited
from scope_mutants import dimension, outcome, widths

from signflip.sampling.configuration import Configuration

RATE = "INF.rate"
APPROACH, DESIGN = "signflip.inference.approach:Approach.", "signflip.inference.approach:ApproachDesign."
TESTS = "tests/inference/test_approach_statement.py::"
POWER = "tests/inference/test_power.py::"
REACHES = (RATE, "NOT.slow-approach")


def on_the_ladder(c: Configuration) -> bool:
    """The rungs of INF.rate."""
    return c.law == "conditioned" and dimension(c) == 8 and max(widths(c)) in (8, 16, 32, 64)


MUTANTS = (
    Mutant(
        "approach: exponent of the wrong sign",
        "The distance's growth is taken for its fall.",
        edited(
            APPROACH + "exponent",
            "Interval(math.log(last.lower / first.upper) / span, math.log(last.upper / first.lower) / span)",
            "Interval(math.log(first.lower / last.upper) / span, math.log(first.upper / last.lower) / span)",
        ),
        (RATE,),
        reaches=REACHES,
    ),
    Mutant(
        "approach: by the widths' ratio",
        "The exponent is taken per width, not per factor of e.",
        edited(APPROACH + "exponent", "math.log(self.widths[-1] / self.widths[0])", "self.widths[-1] / self.widths[0]"),
        (RATE,),
        reaches=REACHES,
    ),
    Mutant(
        "approach: between the first two rungs",
        "The fall from the first rung to the second is taken for that to the last.",
        edited(APPROACH + "exponent", "first, *_, last", "first, last, *_"),
        (RATE,),
        reaches=REACHES,
    ),
    Mutant(
        "approach: the limit law is the last rung",
        "What the rungs are compared with is drawn from the last of them.",
        edited(
            "signflip.checks.check:Check.approach",
            "self.simulate(*limit)",
            "self.simulate(ladder[max(ladder)][0], limit[1])",
        ),
        (RATE,),
        reaches=REACHES,
    ),
    Mutant(
        "approach: bounds of one side",
        "The exponent's interval takes both distances at the same end of theirs.",
        edited(
            APPROACH + "exponent",
            "Interval(math.log(last.lower / first.upper) / span, math.log(last.upper / first.lower) / span)",
            "Interval(math.log(last.lower / first.lower) / span, math.log(last.upper / first.upper) / span)",
        ),
        (TESTS + "test_each_rung_has_bonferronis_share_and_either_sample_half_of_that",),
        blind="an interval that is too short supports what is true; the DKW bands leave so much room that the measured "
        "error rates stay below those stated.",
        reaches=REACHES,
    ),
    Mutant(
        "approach: alpha not split over the rungs",
        "The distance on each rung may spend all of alpha.",
        edited(APPROACH + "intervals", "self.alpha / len(self.widths)", "self.alpha"),
        (TESTS + "test_each_rung_has_bonferronis_share_and_either_sample_half_of_that",),
        blind="the intervals are a few per cent too short.",
        reaches=REACHES,
    ),
    Mutant(
        "approach: always supported",
        "The band is not looked at.",
        edited(APPROACH + "judge", "if margin >= 0.0:", "if True:"),
        ("NOT.slow-approach", TESTS + "test_every_verdict_is_had_where_it_should"),
        reaches=REACHES,
    ),
    Mutant(
        "approach: never refuted",
        "What lies outside the band leaves the claim open.",
        edited(APPROACH + "judge", "elif seen.lower > high or seen.upper < low:", "elif False:"),
        ("NOT.slow-approach", TESTS + "test_every_verdict_is_had_where_it_should"),
        reaches=REACHES,
    ),
    Mutant(
        "approach: as fast as it likes",
        "An exponent below the band is as good as one within.",
        edited(APPROACH + "judge", "margin = min(seen.lower - low, high - seen.upper)", "margin = high - seen.upper"),
        (TESTS + "test_every_verdict_is_had_where_it_should",),
        blind="the rate is that of its claim; no control claims a slower one.",
        reaches=REACHES,
    ),
    Mutant(
        "approach: effect of the better end",
        "The design takes the smaller of the two effects.",
        edited(DESIGN + "detectable_effect", "max(shallow, steep)", "min(shallow, steep) / 2"),
        (POWER + "test_assertion_effect_and_trials_agree_within_a_factor_of_two",),
        blind="a claim may then state an effect that its trials detect less often than it says; what is found is the "
        "same.",
        reaches=REACHES,
    ),
    Mutant(
        "scope: |grad f| a constant distance from its limit",
        "|grad f(x)| of conditioned networks of 8 to 64 neurons is 5 per cent too large at d = 8.",
        outcome(on_the_ladder, lambda seen, _: replace(seen, gradient_norm=1.05 * seen.gradient_norm)),
        (RATE,),
    ),
    Mutant(
        "scope: f a constant distance from its limit",
        "f(x) and f(x') of conditioned networks of 8 to 64 neurons are 20 per cent too large at d = 8.",
        outcome(
            on_the_ladder,
            lambda seen, _: replace(seen, value=1.2 * seen.value, attacked_value=1.2 * seen.attacked_value),
        ),
        (RATE,),
    ),
)
