"""Faults in training, and in what is claimed of trained networks."""

from __future__ import annotations

from planting import Mutant, claimed, edited

TESTS = "tests/networks/test_trained_networks.py::"
AS_TORCH = TESTS + "test_each_trial_is_trained_as_torch_trains_one_network"
SHARED = "dense and conditioned networks share it: their laws stay equal."
TRAINING, TRAINABLE = "signflip.networks.training", "signflip.networks.trainable"
ACROSS = f"{TRAINABLE}:SpannedFrame.across"
MODULES = "signflip.networks.initialisation:TrainedModules"
PIVOTS = "signflip.checks.subspace_pivots:subspace_pivots"
POOLING = ("SUBSPACE.pivot", "NOT.adam", "NOT.forgotten-decay", "NOT.point-off-the-span")
SUBSPACE = ("SUBSPACE.flips", "SUBSPACE.init", "SUBSPACE.decay")
TRAINED = ("TRAIN.joint-law", *POOLING, *SUBSPACE, "LAZY.one-step", "NOT.any-scale")
CHECKS = "test_training.py"

MUTANTS = (
    Mutant(
        "training: momentum lost",
        "A step forgets those before.",
        edited(f"{TRAINING}:_Optimised.step", "t.momentum * self._first + gradient", "gradient"),
        (AS_TORCH,),
        blind=SHARED,
    ),
    Mutant(
        "training: nothing clipped",
        "Gradients are as long as they are.",
        edited(f"{TRAINING}:Training._clipped", "if self.clip is None", "if True"),
        (AS_TORCH,),
        blind=SHARED,
    ),
    Mutant(
        "training: a step of all points",
        "The mean over a batch is taken to be over all points.",
        edited(f"{TRAINING}:Training.run", "points[chosen], labels[chosen], trials)", "points, labels, trials)"),
        (AS_TORCH,),
        blind=SHARED,
    ),
    Mutant(
        "training: stopped trials go on",
        "A trial whose loss is small enough is trained further.",
        edited(f"{TRAINING}:_Optimised.step", "if going is not None", "if False"),
        (TESTS + "test_a_trial_stops_where_its_loss_is_small_enough",),
        blind=SHARED,
    ),
    Mutant(
        "training: out of the ball",
        "Rows go as far as they like.",
        edited(f"{TRAINING}:Training._put_back", "clamp_(min=1.0)", "clamp_(max=1.0)"),
        (TESTS + "test_rows_stay_within_the_radius_of_where_they_began",),
        blind=SHARED,
    ),
    Mutant(
        "training: steps depend on d",
        "Maps of the input stay as they were trained, on x / sqrt(d).",
        edited(f"{TRAINABLE}:Trainable.finish", "weights.div_(self._unit)", "pass"),
        (AS_TORCH,),
        blind=SHARED,
    ),
    Mutant(
        "training: modules forget",
        "Modules have their initial parameters again once training ends.",
        edited(
            "signflip.networks.initialisation:TrainedModules.finish", "parameter.copy_(self.together", "(self.together"
        ),
        (TESTS + "test_modules_are_trained_as_torch_trains_each_by_itself",),
        blind=SHARED,
    ),
    Mutant(
        "training: what the data do not see does not decay",
        "Weight decay forgets a map's part across the data.",
        edited(f"{TRAINABLE}:Trainable.embedding", "factor = self._trained(", "factor = ("),
        (TESTS + "test_what_is_kept_across_the_data_decays_as_in_torch", "TRAIN.joint-law"),
        effort="standard",
        examples=20,
        reaches=TRAINED,
    ),
    Mutant(
        "training: initial scale on the data alone",
        "A map's part across the data begins at scale 1.",
        edited(f"{TRAINABLE}:Trainable.embedding", "(self.trials, 1), self._scale)", "(self.trials, 1), 1.0)"),
        ("TRAIN.joint-law", "SUBSPACE.init"),
        effort="standard",
        examples=20,
        reaches=TRAINED,
    ),
    Mutant(
        "training: across is along",
        "A step across the data keeps the gradient's part along them.",
        edited(
            f"{TRAINABLE}:SpannedFrame.across", "torch.zeros_like(vector[..., : self.span])", "vector[..., : self.span]"
        ),
        (TESTS + "test_what_the_data_see_and_what_is_conditioned_have_the_law_of_dense_networks", "TRAIN.joint-law"),
        effort="standard",
        examples=20,
        reaches=TRAINED,
    ),
    Mutant(
        "subspace: a degree of freedom more",
        "The gradient across k dimensions is claimed to have d - k + 1 degrees of freedom.",
        edited(PIVOTS, "(dimension - known) / 2", "(dimension - known + 1) / 2"),
        ("SUBSPACE.pivot",),
        examples=30,
        reaches=POOLING,
    ),
    Mutant(
        "subspace: decay forgotten in part",
        "What is kept is claimed to decay by one step less.",
        edited(PIVOTS, "training.kept()", "training.kept() ** 0.9"),
        ("SUBSPACE.pivot",),
        examples=30,
        reaches=POOLING,
    ),
    Mutant(
        "subspace: less than a linear step",
        "A step of .9 |f| / |P grad f|^2 is claimed to flip the sign.",
        claimed(CHECKS, "Attack(2.0, direction", "Attack(0.9, direction"),
        ("SUBSPACE.flips",),
        reaches=(*SUBSPACE, "NOT.any-scale"),
    ),
    Mutant(
        "subspace: no smaller initialisation",
        "What is claimed of a smaller initialisation is judged from the usual one.",
        claimed(CHECKS, "60, initial_scale=scale,", "60, initial_scale=1.0,"),
        ("SUBSPACE.init",),
        reaches=("SUBSPACE.flips", "SUBSPACE.init", "NOT.any-scale"),
    ),
    Mutant(
        "subspace: no decay",
        "What is claimed of weight decay is judged without it.",
        claimed(CHECKS, "weight_decay=decay, attacked", "weight_decay=0.0, attacked"),
        ("SUBSPACE.decay",),
        reaches=("SUBSPACE.decay",),
    ),
    Mutant(
        "lazy: half a natural step",
        "A twentieth of the step is claimed to do as well.",
        claimed(CHECKS, "step = 10 * sizes", "step = 0.5 * sizes"),
        ("LAZY.one-step",),
        reaches=("LAZY.one-step", "NOT.any-radius"),
    ),
    Mutant(
        "control: adam is plain descent",
        "What is claimed of Adam is judged of gradient descent.",
        claimed(CHECKS, 'optimiser="adam"', 'optimiser="sgd"'),
        ("NOT.adam",),
        examples=24,
        reaches=("NOT.adam",),
    ),
    Mutant(
        "control: no decay to forget",
        "There is no weight decay.",
        claimed(CHECKS, "weight_decay=0.5)), forgets", "weight_decay=0.0)), forgets"),
        ("NOT.forgotten-decay",),
        examples=24,
        reaches=("NOT.forgotten-decay",),
    ),
    Mutant(
        "control: the point is taken out",
        "The gradient's part along the point is left out, as it should be.",
        claimed(CHECKS, '(model, off), forgets="point")', "(model, off))"),
        ("NOT.point-off-the-span",),
        examples=24,
        reaches=("NOT.point-off-the-span",),
    ),
    Mutant(
        "control: a small radius",
        "The defender stays within C = 1.",
        claimed(CHECKS, "radius=100.0", "radius=1.0"),
        ("NOT.any-radius",),
        reaches=("NOT.any-radius",),
    ),
    Mutant(
        "control: a scale of one",
        "The initial scale is 1.",
        claimed(CHECKS, "across_the_data(activation, number, 0.01)", "across_the_data(activation, number, 1.0)"),
        ("NOT.any-scale",),
        reaches=("NOT.any-scale",),
    ),
)
