"""Faults in what other networks than fully connected ones without biases are made of: no claim is about these yet."""

from __future__ import annotations

from planting import Mutant, edited

BEHIND = "tests/networks/test_behind.py::"
MODELS, POSITIONS = "tests/networks/test_models.py::", "tests/networks/test_positions.py::"
LAW = MODELS + "test_conditioned_networks_of_a_model_have_the_law_of_dense_ones"
UNCLAIMED = "no claim is about such networks."
ANSWER = "signflip.networks.matrices:ConditionedGaussian._answer"
INITIALISED = "signflip.networks.initialisation:initialised"
CONVOLUTION = "signflip.networks.convolution:ConvolutionalNetwork"

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
        edited("signflip.networks.residual:ResidualNetwork.forward", "hidden = hidden + block(", "hidden = block("),
        (MODELS + "test_residual_blocks_add_to_what_they_are_given",),
        blind=UNCLAIMED,
    ),
    Mutant(
        "convolution: backwards",
        "The kernel looks at the positions before, not after.",
        edited(f"{CONVOLUTION}._shifted", "hidden.roll(-by, dims=1)", "hidden.roll(by, dims=1)"),
        (MODELS + "test_convolutions_are_those_of_torch",),
        blind=UNCLAIMED,
    ),
    Mutant(
        "convolution: zero padding is circular",
        'padding = "zero" wraps around.',
        edited(f"{CONVOLUTION}._shifted", 'by and self.model.padding == "zero"', "False"),
        (MODELS + "test_convolutions_are_those_of_torch",),
        blind=UNCLAIMED,
    ),
    Mutant(
        "trials: perturbation relative to one position",
        "|x| is taken to be sqrt d, whatever the number of positions.",
        edited("signflip.sampling.trials:_block", "c.model.input_dim * c.model.positions", "c.model.input_dim"),
        (MODELS + "test_the_perturbation_is_relative_to_all_positions",),
        blind=UNCLAIMED,
    ),
    Mutant(
        "behind: one module for all trials",
        "The parameters of a module are drawn once a block: each trial has its law, but they depend on one another.",
        edited(INITIALISED, "[make() for _ in range(count)]", "[make()] * count"),
        (BEHIND + "test_parameters_are_drawn_anew_in_every_trial_and_block",),
        blind=UNCLAIMED,
    ),
    Mutant(
        "behind: the same modules in every block",
        "The generator that modules are drawn by has one state for all blocks.",
        edited(INITIALISED, "torch.set_rng_state(draws.generator().get_state())", "torch.manual_seed(0)"),
        (BEHIND + "test_parameters_are_drawn_anew_in_every_trial_and_block",),
        blind=UNCLAIMED,
    ),
    Mutant(
        "behind: the same modules at every call",
        "A model that asks for modules twice is given the same ones.",
        edited("signflip.networks.gaussian:Gaussian.modules", "child(self._initialisations)", "child(1)"),
        (BEHIND + "test_modules_asked_for_twice_are_others",),
        blind=UNCLAIMED,
    ),
    Mutant(
        "behind: the global generator moves on",
        "torch's global generator is left in the state that the modules' draws gave it.",
        edited(INITIALISED, "torch.random.fork_rng(devices=[]), ", ""),
        (BEHIND + "test_a_block_is_a_function_of_its_key_and_leaves_global_generators_as_they_were",),
        blind=UNCLAIMED,
    ),
    Mutant(
        "behind: modules in training",
        "Dropout and batch normalisation are as in training.",
        edited(INITIALISED, "one.eval()", "one"),
        (BEHIND + "test_parameters_are_drawn_anew_in_every_trial_and_block",),
        blind=UNCLAIMED,
    ),
)
