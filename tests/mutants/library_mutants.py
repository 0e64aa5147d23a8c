"""Faults in networks as classifiers, in attacks of libraries, and in the controls of these."""

from __future__ import annotations

from planting import Mutant, claimed, edited

TESTS = "tests/reference/test_reference.py::"
IN_ITS_ROW = TESTS + "test_a_plain_step_by_torch_does_to_it_what_simulate_did_in_its_row"
ALONE = TESTS + "test_each_row_of_a_block_is_its_network_alone_in_values_and_gradients"
REFERENCE, ADAPTERS, CHECKS = "signflip.reference", "strategies.attack_libraries", "test_attack_libraries.py"
STEPS = ("LIB.foolbox-steps", "LIB.torchattacks-steps", "LIB.art-steps", "NOT.broken-attack", "NOT.zero-budget")
LEAST = ("LIB.foolbox-deepfool", "LIB.torchattacks-deepfool", "LIB.art-deepfool", "NOT.deepfool-in-any-box")

MUTANTS = (
    Mutant(
        "reference: rows are not scaled back",
        "A block takes its inputs for x, whatever their scale.",
        edited(f"{REFERENCE}:Rows.forward", "/ self.scale) / 2", "* 1.0) / 2"),
        (ALONE, "LIB.foolbox-steps"),
        reaches=(*STEPS, *LEAST),
    ),
    Mutant(
        "reference: a plain network is not scaled back",
        "The first map of a plain network takes its inputs for x.",
        edited(f"{REFERENCE}:Rows.alone", "weights if number else weights / self.scale", "weights"),
        (IN_ITS_ROW,),
        blind="the one claim that attacks plain networks is of linear ones: |f| / |grad f| has no scale.",
        reaches=LEAST,
    ),
    Mutant(
        "reference: the classes are exchanged",
        "A plain network has the logits (-f, f) / 2.",
        edited(f"{REFERENCE}:Rows.alone", "torch.stack((half, -half))", "torch.stack((-half, half))"),
        (IN_ITS_ROW, "LIB.torchattacks-deepfool"),
        reaches=LEAST,
    ),
    Mutant(
        "reference: the next block's first row twice",
        "Of each block the networks of many begin at the first's row.",
        edited(f"{REFERENCE}:_endless", "block, row = block + 1, 0", "block, row = block + 1, row"),
        (IN_ITS_ROW,),
        blind="claims draw blocks of their own.",
    ),
    Mutant(
        "reference: budgets in units of x",
        "The budget of t natural steps forgets the scale of the inputs.",
        edited(f"{REFERENCE}:Reference.budget", "self.scale * ", "1.0 * "),
        (TESTS + "test_the_prediction_is_the_erf_law_in_units_of_the_inputs",),
        blind="claims take their budgets from the limit law.",
    ),
    Mutant(
        "library: a budget exceeded",
        "foolbox is given a budget that is a tenth too large.",
        edited(f"{ADAPTERS}:foolbox_stepped", "epsilons=budget", "epsilons=1.1 * budget"),
        ("LIB.foolbox-steps",),
        reaches=("LIB.foolbox-steps",),
    ),
    Mutant(
        "library: half a step",
        "The one Euclidean step of torchattacks is half of its budget.",
        edited(f"{ADAPTERS}:torchattacks_stepped", "length = budget if", "length = budget / 2 if"),
        ("LIB.torchattacks-steps",),
        reaches=("LIB.torchattacks-steps", "NOT.broken-attack", "NOT.zero-budget"),
    ),
    Mutant(
        "library: another norm",
        "ART takes Euclidean steps in every norm.",
        edited(f"{ADAPTERS}:art_stepped", '{"norm": norm,', '{"norm": 2,'),
        ("LIB.art-steps",),
        reaches=("LIB.art-steps",),
    ),
    Mutant(
        "library: short of the boundary",
        "Of what DeepFool of foolbox found, half is taken.",
        edited(f"{ADAPTERS}:foolbox_deepfool", "Outcome(reached,", "Outcome((points + reached) / 2,"),
        ("LIB.foolbox-deepfool",),
        reaches=LEAST,
    ),
    Mutant(
        "library: far beyond the boundary",
        "DeepFool of torchattacks goes half as far again as it must.",
        edited(f"{ADAPTERS}:torchattacks_deepfool", "overshoot=OVERSHOOT", "overshoot=0.5"),
        ("LIB.torchattacks-deepfool",),
        reaches=LEAST,
    ),
    Mutant(
        "library: beyond the boundary, by ART",
        "DeepFool of ART goes half as far again as it must.",
        edited(f"{ADAPTERS}:art_deepfool", "epsilon=OVERSHOOT", "epsilon=0.5"),
        ("LIB.art-deepfool",),
        reaches=LEAST,
    ),
    Mutant(
        "control: the right class",
        "The attack that is to be found out raises the loss of the right class.",
        claimed(CHECKS, "1 - labels", "labels"),
        ("NOT.broken-attack",),
        reaches=("NOT.broken-attack",),
    ),
    Mutant(
        "control: no division by a length of 0",
        "Budgets of 0 are tried of sign steps.",
        claimed(CHECKS, "block.labels, 2.0, 0.0, 1)", "block.labels, math.inf, 0.0, 1)"),
        ("NOT.zero-budget",),
        reaches=("NOT.zero-budget",),
    ),
    Mutant(
        "control: the box of length 1",
        "DeepFool of ART is tried in the box that it is made for.",
        claimed(CHECKS, "box=(-4.0, 6.0)", "box=(0.0, 1.0)"),
        ("NOT.deepfool-in-any-box",),
        reaches=("NOT.deepfool-in-any-box",),
    ),
)
