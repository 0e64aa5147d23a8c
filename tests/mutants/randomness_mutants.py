"""Faults in the random numbers and in how trials are drawn from them."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import torch
from planting import Mutant, all_of, edited, wrapped

from signflip.networks.randomness import Key
from signflip.sampling.sample import Sample
from signflip.sampling.trials import NonFiniteTrialError

SMALL, PIVOTS = "MW-4.joint-law.small", "MW-4.pivots"
SEQUENCE = "signflip.networks.randomness:Key.sequence"
ENTROPY = "signflip.networks.randomness:Key._entropy"
NORMAL, NORMAL64 = (
    "signflip.networks.randomness:Draws.normal",
    "signflip.networks.randomness:Draws.normal64",
)
ONCE = "tests/mutants/test_draws_are_used_once.py::"
OVERFLOW = "tests/plugin/test_plugin_check_runner.py::test_an_overflow_ends_a_check_in_an_error_and_is_no_rejected_draw"
DEAD = "tests/networks/test_joint_law.py::test_a_dead_network_does_not_move_and_its_value_stays_bit_for_bit"
NORMALS = "tests/networks/test_randomness.py::test_normals_are_standard_normal"
LONG = "tests/sampling/test_trials.py::test_a_long_stream_never_comes_back_to_a_trial"
STREAMS = "tests/networks/test_randomness.py::test_no_two_blocks_of_a_key_share_a_stream_however_many_there_are"
REPEATS = "blocks that repeat move no rate; they count double, and claims with room to spare stay supported."
SHARE = "tests/sampling/test_trials.py::test_no_two_keys_or_blocks_share_a_trial"


def _low_bits(_: Any) -> Any:
    def seeded(source: np.random.Generator) -> torch.Generator:
        return torch.Generator().manual_seed(int(source.integers(0, 2**32)) & 0xFFF)

    return seeded


def _dead_dropped(run_block: Any) -> Any:
    """Trials with a gradient of 0 are left out; fresh blocks, of keys never used otherwise, take their places."""

    def block(configuration: Any, key: Key, index: int, *device: Any) -> Sample:
        parts: list[Sample] = []
        for attempt in count():
            seen = run_block(configuration, key, index + 10**6 * attempt, *device)
            alive = seen.gradient_norm > 0
            parts.append(seen[alive])
            if sum(map(len, parts)) >= configuration.block_trials or attempt == 20:
                return Sample.join(parts)[: configuration.block_trials]
        raise AssertionError

    return block


def _dead_dropped_when_conditioned(run_block: Any) -> Any:
    dropping = _dead_dropped(run_block)
    return lambda configuration, *rest: (dropping if configuration.law == "conditioned" else run_block)(
        configuration, *rest
    )


def _overflow_passed_over(run_block: Any) -> Any:
    def block(configuration: Any, key: Key, index: int, *device: Any) -> Sample:
        for attempt in range(100):
            try:
                found: Sample = run_block(configuration, key, index + 10**6 * attempt, *device)
            except NonFiniteTrialError:
                continue
            return found
        raise AssertionError

    return block


def _scaled(standard: Any) -> Any:
    """Normals of any deviation, the fault being in the standard ones."""
    return lambda self, *shape, deviation=1.0: standard(self, *shape) * deviation


def _shifted(normal: Any, by: float = 0.1) -> Any:
    return _scaled(lambda self, *shape: normal(self, *shape) + by)


def _shifted_a_little(normal: Any) -> Any:
    return _shifted(normal, 0.03)


def _longer(normal: Any, factor: float = 1.05) -> Any:
    return _scaled(lambda self, *shape: normal(self, *shape) * factor)


def _squashed(normal: Any) -> Any:
    """Uniform of the same variance."""
    return _scaled(lambda self, *shape: torch.special.ndtr(normal(self, *shape)).sub_(0.5).mul_(12**0.5))


def _one_sided(normal: Any) -> Any:
    return _scaled(lambda self, *shape: normal(self, *shape).abs_())


def _cut(normal: Any) -> Any:
    """No draw beyond two standard deviations."""
    return _scaled(lambda self, *shape: normal(self, *shape).clamp_(-2.0, 2.0))


def _in_pairs(normal: Any) -> Any:
    """Neighbouring draws are equal."""

    def drawn(self: Any, *shape: int) -> torch.Tensor:
        half = normal(self, *shape[:-1], -(-shape[-1] // 2))
        return half.repeat_interleave(2, -1)[..., : shape[-1]].contiguous()

    return _scaled(drawn)


def _global(_: Any) -> Any:
    return _scaled(lambda self, *shape: torch.randn(shape, dtype=self.dtype))


MUTANTS = (
    Mutant(
        "draws: shifted normals",
        "Every standard normal has mean 0.1, under both laws.",
        all_of(wrapped(NORMAL, _shifted), wrapped(NORMAL64, _shifted)),
        ("MW-4.pivots.deep", "MW-4.joint-law.many-steps", PIVOTS),
        examples=30,
    ),
    Mutant(
        "draws: normals shifted a little",
        "Every standard normal has mean 0.03, under both laws.",
        all_of(wrapped(NORMAL, _shifted_a_little), wrapped(NORMAL64, _shifted_a_little)),
        ("MW-4.pivots.deep", PIVOTS, NORMALS),
        examples=30,
    ),
    Mutant(
        "draws: normals 5 percent too long",
        "Every standard normal has standard deviation 1.05, under both laws.",
        all_of(wrapped(NORMAL, _longer), wrapped(NORMAL64, _longer)),
        (PIVOTS,),
        examples=30,
    ),
    Mutant(
        "draws: uniforms for normals",
        "Draws are uniform, of mean 0 and variance 1, under both laws.",
        all_of(wrapped(NORMAL, _squashed), wrapped(NORMAL64, _squashed)),
        (PIVOTS, SMALL),
        examples=30,
    ),
    Mutant(
        "draws: normals cut at 2",
        "No normal is larger than 2, under both laws.",
        all_of(wrapped(NORMAL, _cut), wrapped(NORMAL64, _cut)),
        (PIVOTS,),
        examples=30,
    ),
    Mutant(
        "draws: absolute values",
        "Normals are positive, under both laws.",
        all_of(wrapped(NORMAL, _one_sided), wrapped(NORMAL64, _one_sided)),
        (PIVOTS, "LIMIT.erf"),
        examples=30,
    ),
    Mutant(
        "draws: neighbours are equal",
        "Each draw is used for two neighbouring entries.",
        wrapped(NORMAL, _in_pairs),
        (PIVOTS, SMALL),
        examples=30,
    ),
    Mutant(
        "draws: from torch's global generator",
        "Normals come from a generator that no key seeds.",
        wrapped(NORMAL, _global),
        ("tests/networks/test_randomness.py::test_a_stream_is_a_function_of_its_key_and_block",),
        blind="the draws have the right law; what is lost is that a run can be repeated.",
    ),
    Mutant(
        "seeds: twelve bits",
        "torch's generator is seeded with 12 bits only: blocks collide by the thousand.",
        wrapped("signflip.networks.randomness:mersenne_twister", _low_bits),
        ("tests/networks/test_randomness.py::test_every_word_of_the_state_is_drawn_afresh_for_each_key",),
        blind="a collision repeats a block, which moves no rate; seen only where most blocks are repeats.",
    ),
    Mutant(
        "seeds: one block",
        "The block's number is left out of its key: all blocks are the same.",
        edited(SEQUENCE, "spawn_key=(block,)", "spawn_key=()"),
        (SMALL, SHARE),
    ),
    Mutant(
        "seeds: sixteen blocks",
        "The block's number is taken modulo 16 in its key: draws repeat in long runs.",
        edited(SEQUENCE, "spawn_key=(block,)", "spawn_key=(block % 16,)"),
        (STREAMS, LONG),
        blind=REPEATS,
    ),
    Mutant(
        "seeds: blocks of sixteen bits",
        "Of the block's number the low 16 bits are kept.",
        edited(SEQUENCE, "spawn_key=(block,)", "spawn_key=(block & 0xFFFF,)"),
        (STREAMS,),
        blind=REPEATS,
    ),
    Mutant(
        "seeds: children of four bits",
        "Of the numbers that name a vector's stream the low 4 bits are kept.",
        edited(
            "signflip.networks.randomness:Draws.child",
            "*numbers)",
            "*(n & 15 for n in numbers))",
        ),
        ("tests/networks/test_randomness.py::test_no_two_children_of_a_stream_share_theirs_however_many_there_are",),
        blind="no check has a layer of more than 16 segments.",
    ),
    Mutant(
        "blocks: sixteen, again and again",
        "A stream begins anew after 16 blocks.",
        edited(
            "signflip.sampling.trials:blocks",
            "run_block(configuration, key, index,",
            "run_block(configuration, key, index % 16,",
        ),
        (LONG,),
        blind=REPEATS,
    ),
    Mutant(
        "blocks: sixteen, again and again, by a worker",
        "A worker of an engine takes block numbers modulo 16.",
        edited(
            "signflip.sampling.engines.tasks:run_range",
            "run_block(configuration, key, block, CPU,",
            "run_block(configuration, key, block % 16, CPU,",
        ),
        (LONG,),
        blind=REPEATS,
    ),
    Mutant(
        "blocks: sixteen, again and again, of pivots",
        "Pivots are those of the same 16 blocks.",
        edited(
            "signflip.checks.sampler:Sampler.pivots",
            'self._key(configuration, "confirm"), block)',
            'self._key(configuration, "confirm"), block % 16)',
        ),
        (ONCE + "test_no_pivot_of_a_long_run_is_seen_twice",),
        blind=REPEATS,
    ),
    Mutant(
        "trials: a block that overflows passed over",
        "A block with a trial that is not finite is left out, and the next one drawn.",
        wrapped("signflip.sampling.trials:run_block", _overflow_passed_over),
        (OVERFLOW,),
        blind="no configuration of the suite overflows.",
    ),
    Mutant(
        "trials: an overflow taken for a rejected draw",
        "Hypothesis is told to draw another configuration where a trial overflows.",
        edited(
            "signflip.plugin.runner:CheckRunner._example",
            "        body(**values)\n",
            "        try:\n"
            "            body(**values)\n"
            "        except ArithmeticError:\n"
            "            raise UnsatisfiedAssumption from None\n",
            "and not example.statements and not example.pilots",
            "",
        ),
        (OVERFLOW,),
        blind="no configuration of the suite overflows.",
    ),
    Mutant(
        "seeds: configurations share their draws",
        "The configuration is left out of the key.",
        edited(ENTROPY, "[self.seed, self.purpose, self.configuration]", "[self.seed, self.purpose]"),
        ("tests/networks/test_randomness.py::test_a_stream_is_a_function_of_its_key_and_block",),
        blind="each configuration's trials still have their law; only statements on two configurations would feel it.",
    ),
    Mutant(
        "seeds: the master seed ignored",
        "Every run draws the same networks, whatever its seed.",
        edited(ENTROPY, "[self.seed, self.purpose, self.configuration]", "[0, self.purpose, self.configuration]"),
        (SHARE,),
        blind="one run cannot tell.",
    ),
    Mutant(
        "seeds: pilots are confirmed on their own draws",
        "The use is left out of the key: what a pilot chose is confirmed on the draws it was chosen by.",
        edited("signflip.checks.sampler:Sampler._key", "{self._check}/{use}", "{self._check}"),
        (ONCE + "test_a_pilot_and_its_confirmation_share_no_trial",),
        blind="it biases the confirmation by less than its confidence bounds allow for.",
    ),
    Mutant(
        "trials: single precision whatever the step",
        "A step that float32 does not resolve is taken in float32: f seems not to move.",
        edited(
            "signflip.sampling.configuration:_resolving",
            '"float64" if 0.0 < change < RESOLVED else "float32"',
            '"float32"',
        ),
        (
            "tests/sampling/test_trials.py::"
            "test_a_step_that_single_precision_does_not_resolve_is_taken_in_double_unless_float32_is_asked_for",
        ),
        blind="MW-2.several-layers sees it where it draws six layers of steep slopes: at 1 of 20 fresh seeds.",
    ),
    Mutant(
        "seeds: a pilot's sample is a confirmation's",
        "A sample drawn as a pilot has the key of those that confirm.",
        edited(
            "signflip.checks.sampler:Sampler.simulate", "configuration, use, trials", 'configuration, "confirm", trials'
        ),
        (ONCE + "test_a_pilot_sample_and_any_confirmation_share_no_trial",),
        blind="it biases the confirmation by less than its confidence bounds allow for.",
    ),
    Mutant(
        "seeds: a pilot's rate is a confirmation's",
        "A rate that chooses what is confirmed is counted on the draws that confirm it.",
        edited("signflip.checks.check:Check.pilot_rate", 'cap, "pilot", decided', 'cap, "confirm", decided'),
        (ONCE + "test_a_pilot_and_its_confirmation_share_no_trial",),
        blind="it biases the confirmation by less than its confidence bounds allow for.",
    ),
    Mutant(
        "seeds: checks share their draws",
        "The claim is left out of the key.",
        edited("signflip.checks.sampler:Sampler._key", "{self._check}/{use}", "{use}"),
        (ONCE + "test_two_checks_share_no_trial",),
        blind="each check's trials still have their law, and the union bound needs no independence.",
    ),
    Mutant(
        "blocks: reduced twice",
        "Every block is counted twice: bounds are narrower than the data allow.",
        edited(
            "signflip.sampling.trials:blocks",
            "index += 1",
            "yield run_block(configuration, key, index, device)\n        index += 1",
        ),
        (ONCE + "test_no_trial_of_a_rate_is_counted_twice", ONCE + "test_no_trial_of_a_sample_is_drawn_twice"),
        blind="rates stay what they are; the evidence counts double, and claims with room to spare stay supported.",
    ),
    Mutant(
        "blocks: the first one left out",
        "Counting begins at block 1.",
        edited("signflip.sampling.trials:blocks", "index, size = 0,", "index, size = 1,"),
        (ONCE + "test_a_stream_begins_with_block_0",),
        blind="trials are exchangeable.",
    ),
    Mutant(
        "trials: D = 0 dropped",
        "Trials without a gradient are left out of all samples.",
        wrapped("signflip.sampling.trials:run_block", _dead_dropped),
        ("BOUND.bounded-width", DEAD),
        examples=5,
    ),
    Mutant(
        "trials: D = 0 dropped when conditioned",
        "Trials without a gradient are left out of conditioned samples.",
        wrapped("signflip.sampling.trials:run_block", _dead_dropped_when_conditioned),
        ("BOUND.bounded-width", DEAD),
        examples=5,
    ),
)
