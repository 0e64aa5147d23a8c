"""Faults in what other networks than fully connected ones without biases are made of: no claim is about these yet."""

from __future__ import annotations

from planting import Mutant, edited

MODELS, POSITIONS = "tests/networks/test_models.py::", "tests/networks/test_positions.py::"
LAW = MODELS + "test_conditioned_networks_of_a_model_have_the_law_of_dense_ones"
UNCLAIMED = "no claim is about such networks."
ANSWER = "signflip.networks.matrices:ConditionedGaussian._answer"
BLOCK, BLOCKS = "signflip.networks.blocks", "tests/networks/test_blocks.py::"

MUTANTS = (
    Mutant(
        "positions: what they share forgotten",
        "Of positions that are asked together each is answered by what is new in it alone.",
        edited(ANSWER, "torch.matmul(mixed.to(new.dtype), new)", "new"),
        (POSITIONS + "test_positions_asked_at_once_are_those_asked_one_by_one", LAW),
        blind=UNCLAIMED,
    ),
    Mutant(
        "positions: not made orthogonal",
        "Positions that are asked together are taken to be orthogonal.",
        edited("signflip.networks.matrices:_residuals", "if row:", "if False:"),
        (POSITIONS + "test_positions_asked_at_once_are_those_asked_one_by_one", LAW),
        blind=UNCLAIMED,
    ),
    Mutant(
        "modules: every map is asked once",
        "In the last pass a map that is asked twice forgets the first answer.",
        edited("signflip.networks.modules:last_value", 'getattr(network, "asks_once", False)', "True"),
        (MODELS + "test_a_map_asked_twice_in_the_last_pass_remembers_its_first_answer",),
        blind=UNCLAIMED,
    ),
    Mutant(
        "margin: of the largest output anew",
        "The margin at x' is that of its own largest output: it is never negative.",
        edited("signflip.networks.modules:Margin.forward", "self._largest is None", "True"),
        (MODELS + "test_of_several_outputs_the_margin_of_the_largest_is_attacked",),
        blind=UNCLAIMED,
    ),
    Mutant(
        "fully connected: biases in the first layer alone",
        "The biases of later layers are left out.",
        edited(
            "signflip.networks.modules:Chain.forward",
            "self.biases is not None",
            "self.biases is not None and not number",
        ),
        (MODELS + "test_biases_are_added_before_sigma",),
        blind=UNCLAIMED,
    ),
    Mutant(
        "residual: blocks add to nothing",
        "A block gives what it adds.",
        edited(f"{BLOCK}:_Added.forward", "hidden + self.block(hidden)", "self.block(hidden)"),
        (BLOCKS + "test_a_residual_adds_to_what_it_is_given_and_branches_stand_side_by_side",),
        blind=UNCLAIMED,
    ),
    Mutant(
        "convolution: backwards",
        "The kernel looks at the positions in the opposite order.",
        edited(f"{BLOCK}:_Convolved._window", "(offset, self.grid", "(offset[::-1], self.grid"),
        (BLOCKS + "test_convolutions_are_those_of_torch",),
        blind=UNCLAIMED,
    ),
    Mutant(
        "convolution: zero padding is circular",
        'padding = "zero" wraps around.',
        edited(f"{BLOCK}:_Convolved.forward", 'self.block.padding == "circular"', "True"),
        (BLOCKS + "test_convolutions_are_those_of_torch",),
        blind=UNCLAIMED,
    ),
    Mutant(
        "convolution: variance 1/columns",
        "The variance of a kernel's matrices forgets how many they are.",
        edited(f"{BLOCK}:Conv.build", "len(offsets) * given.channels", "given.channels"),
        (BLOCKS + "test_the_parameters_have_the_variances_that_their_blocks_say",),
        blind=UNCLAIMED,
    ),
    Mutant(
        "pool: a mean that shrinks",
        "A mean is not times the root of the number of positions.",
        edited(f"{BLOCK}:Pool.build", "windows.mean(dims) * factor", "windows.mean(dims)"),
        (BLOCKS + "test_pools_are_those_of_torch",),
        blind=UNCLAIMED,
    ),
    Mutant(
        "trials: perturbation relative to one position",
        "|x| is taken to be sqrt d, whatever the number of positions.",
        edited("signflip.sampling.trials:_block", "c.model.input_dim * c.model.positions", "c.model.input_dim"),
        (MODELS + "test_the_perturbation_is_relative_to_all_positions",),
        blind=UNCLAIMED,
    ),
)
