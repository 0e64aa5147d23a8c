"""Faults in networks of any form, in what they are made of and in what is claimed of them."""

from __future__ import annotations

from planting import Mutant, claimed, edited

BEHIND = "tests/networks/test_behind.py::"
MODELS, POSITIONS = "tests/networks/test_models.py::", "tests/networks/test_positions.py::"
LAW = MODELS + "test_conditioned_networks_of_a_model_have_the_law_of_dense_ones"
UNCLAIMED = "dense and conditioned networks would share it, and no law sees what a network is made of."
ANSWER = "signflip.networks.matrices:ConditionedGaussian._answer"
INPUT = "signflip.checks.input_pivots:input_pivots"
CONJECTURES = ("CONJ.transformer", "CONJ.layer-norm", "CONJ.uniform-weights")
POOLING = ("NET.pivots", "NET.pivots.modules", "NOT.rademacher-maps", "NOT.past-the-map")
BLOCK, BLOCKS = "signflip.networks.blocks", "tests/networks/test_blocks.py::"
INITIALISED = "signflip.networks.initialisation:initialised"

MUTANTS = (
    Mutant(
        "positions: what they share forgotten",
        "Of positions that are asked together each is answered by what is new in it alone.",
        edited(ANSWER, "torch.matmul(mixed.to(new.dtype), new)", "new"),
        (POSITIONS + "test_positions_asked_at_once_are_those_asked_one_by_one", LAW, "NET.joint-law"),
        effort="standard",
    ),
    Mutant(
        "positions: not made orthogonal",
        "Positions that are asked together are taken to be orthogonal.",
        edited("signflip.networks.matrices:_residuals", "if row:", "if False:"),
        (POSITIONS + "test_positions_asked_at_once_are_those_asked_one_by_one", LAW, "NET.joint-law"),
        effort="standard",
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
    Mutant(
        "net: a degree of freedom more",
        "The gradient across r positions is claimed to have d - r + 1 degrees of freedom.",
        edited(INPUT, "* across.shape[1]", "* (across.shape[1] + 1)"),
        ("NET.pivots", "NET.pivots.modules"),
        examples=30,
        reaches=POOLING,
    ),
    Mutant(
        "net: one map of several",
        "The covariance of the gradient is claimed to be that of the last map alone.",
        edited(INPUT, "covariance += matrix", "covariance = matrix"),
        ("NET.pivots",),
        effort="standard",
        examples=30,
        reaches=POOLING,
    ),
    Mutant(
        "net: signals of different positions swapped",
        "What a map was asked for is forgotten: each signal is taken to be that of the position it stands at.",
        edited(INPUT, "(query @ back).mT @ signal", "signal[:, : len(positions)]"),
        ("tests/checks/test_input_pivots.py::test_the_pivots_of_gaussian_maps_are_uniform",),
        reaches=POOLING,
        blind="a convolution with strides cannot be claimed so at all: the check ends in an error.",
    ),
    Mutant(
        "net: a step of 1.3 natural ones",
        "The limit law is claimed of a step that is longer by .3 of itself.",
        claimed("test_net_limit_law.py", "flips, pilot.at(t), name", "flips, pilot.at(1.3 * t), name"),
        ("NET.erf",),
        reaches=("NET.erf", "NOT.erf-of-few-channels"),
    ),
    Mutant(
        "net: distances longer by .3",
        "The limit law is claimed of distances that are longer by .3 of themselves.",
        claimed("test_de_palma_distance.py", "pilot.distance(quantile)", "1.3 * pilot.distance(quantile)"),
        ("DE-PALMA.networks",),
        reaches=("DE-PALMA.networks",),
    ),
    Mutant(
        "convolutional: half of the witness's step",
        "What is confirmed is a step of t/2 where the pilot found t.",
        claimed("test_convolutional.py", "dimension, witness.natural_steps)", "dimension, witness.natural_steps / 2)"),
        ("CNN.one-step",),
        reaches=("CNN.one-step",),
    ),
    Mutant(
        "convolutional: channels need not grow",
        "What is confirmed are four channels and up.",
        claimed("test_convolutional.py", "widths = (channels,)", "widths = (4,)"),
        ("CNN.one-step",),
        reaches=("CNN.one-step",),
    ),
    Mutant(
        "convolutional: a perturbation four times smaller",
        "A quarter of the perturbation is claimed to suffice.",
        claimed("test_convolutional.py", "size = 2 *", "size = 0.5 *"),
        ("CNN.one-step",),
        reaches=("CNN.one-step",),
    ),
    Mutant(
        "conjecture: one natural step",
        "A tenth of the steps is claimed to do as well.",
        claimed("test_conjectures.py", "PILOT, **options).at(t)", "PILOT, **options).at(t / 10)"),
        CONJECTURES,
        reaches=CONJECTURES,
    ),
    Mutant(
        "conjecture: a perturbation ten times smaller",
        "A tenth of the order |x| / sqrt(d) is claimed to suffice.",
        claimed("test_conjectures.py", "bound = order", "bound = order / 10"),
        CONJECTURES,
        reaches=CONJECTURES,
    ),
    Mutant(
        "control: the short step is long",
        "What is claimed of one natural step is judged of ten.",
        claimed("test_conjectures.py", "judge(evidence, model, 1.0)", "judge(evidence, model, 10.0)"),
        ("NOT.transformer-short-step",),
        reaches=("NOT.transformer-short-step",),
    ),
    Mutant(
        "control: convolutional along the gradient",
        "The direction that is claimed to be random is the gradient's.",
        claimed("test_convolutional.py", 'direction="random"', 'direction="gradient"'),
        ("NOT.random-direction.convolutional",),
        reaches=("NOT.random-direction.convolutional",),
    ),
    Mutant(
        "net: an output too many",
        "The law of K outputs is claimed to be that of K + 1.",
        edited("signflip.laws.limits:limit_change_rate", "(outputs - 1) *", "outputs *"),
        ("NET.outputs",),
        reaches=("NET.outputs", "NOT.two-class-law"),
    ),
    Mutant(
        "control: the head sees nothing past the map",
        "What the head sees of x is left out.",
        edited("strategies.controls:_Past.forward", "seen + readout", "0 * seen + readout"),
        ("NOT.past-the-map",),
        examples=30,
        reaches=("NOT.past-the-map",),
    ),
    Mutant(
        "control: positions apart share",
        "Positions with a matrix of their own share one.",
        edited("strategies.controls:Positions.build", "1 if self.share else self.positions", "1"),
        ("NOT.positions-apart",),
        reaches=("NOT.positions-apart",),
    ),
    Mutant(
        "control: few channels are many",
        "Of few channels there are four hundred.",
        claimed("test_net_limit_law.py", "Linear(channels)", "Linear(400 + channels)"),
        ("NOT.erf-of-few-channels",),
        reaches=("NOT.erf-of-few-channels",),
    ),
    Mutant(
        "control: ten outputs are two",
        "The law of two outputs is claimed of two.",
        claimed("test_net_limit_law.py", "several(activation, 10, t)", "several(activation, 2, t)"),
        ("NOT.two-class-law",),
        reaches=("NOT.two-class-law",),
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
