"""LIB: the attacks of three libraries on random networks, whose law is known (THEORY 11)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import Activation, get
from signflip.checks import Experiment, claim
from signflip.checks.check import Check
from signflip.claims.reach import identity, rate_at_least, same_law
from signflip.laws.norms import limit_budget
from signflip.networks.architecture import Architecture
from signflip.networks.modules import Chain, value_and_gradient
from signflip.networks.norms import lengths, steepest
from signflip.networks.randomness import Draws
from signflip.networks.spaces import Space
from signflip.reference import CENTRED, Rows
from signflip.sampling.configuration import Configuration
from signflip.sampling.drawing import draw_chain
from strategies import attack_libraries as libraries
from strategies.attack_libraries import Minimal, Outcome, Stepped

if absent := libraries.missing():
    pytest.skip(f"not installed: {', '.join(absent)}; pip install 'signflip[attacks]'", allow_module_level=True)

SIZE = 64
NORMS = {"2": 2.0, "infinity": math.inf}
STEPS, TRIALS, OURS = 6, 4096, 8_192
# Of networks attacked one by one, and in one batch by a library that splits longer ones.
FEW = 128
TOLERANCE = 0.15
# PGD took no success of one step back in pilots of 2,048.
NO_WORSE, LOSS = 0.98, 0.015
# Both f and f(x') are sums over m neurons of sums over d coordinates whose terms add up to at most sqrt(d m), about.
ROUNDING = 2 * SIZE * SIZE * float(np.finfo(np.float32).eps)
# So are the gradient's coordinates over m neurons; of the smallest of them not even the sign is sure.
UNSURE = ROUNDING / SIZE
# Coordinates near 1/2 are rounded to 2^-25, all of them to 2.4e-7, and budgets are above 0.06.
KEPT = 1e-5
# DeepFool adds its overshoot of 0.02, and 1e-4 to each step, to what it takes to be the distance.
OVER, STRAY = 1.0 + libraries.OVERSHOOT, 2e-4
NAMES = ("tanh", "relu", "sin", "softplus")


def activations(first: str) -> st.SearchStrategy[Activation]:
    """Those of `NAMES`; Hypothesis draws the ``first`` where it draws one."""
    return st.sampled_from([get(name) for name in sorted(NAMES, key=lambda name: name != first)])


def step_of(activation: Activation, norm: float, widths: tuple[int, ...] = (SIZE,)) -> Configuration:
    """Dense networks, attacked by the steepest step of one natural step's budget."""
    architecture = Architecture(SIZE, widths)
    budget = limit_budget(architecture, activation, norm, 1.0)
    return Configuration.of(architecture, activation, None, norm=norm, budget=budget, law="dense")


class Block:
    """Networks as a batch of classifiers, their inputs as images in a box, and their classes there."""

    def __init__(self, chain: Chain, space: Space, point: torch.Tensor) -> None:
        self.chain, self.space, self.point = chain, space, point
        self.rows = Rows(chain, CENTRED).eval()
        self.images = (CENTRED * point).reshape(len(point), 1, 1, SIZE).clone()
        self.value = self.at(self.images)
        self.labels = (self.value < 0).long()

    def at(self, images: torch.Tensor) -> torch.Tensor:
        """f at images, shape (trials,)."""
        with torch.no_grad():
            logits = self.rows(images)
        return logits[:, 0] - logits[:, 1]

    def length(self, outcome: Outcome, norm: float) -> torch.Tensor:
        """How far an attack went in images, shape (trials,); infinite where that is no number."""
        moved = outcome.points.double() - self.images.double()
        return lengths(moved, norm).nan_to_num(nan=math.inf)

    def success(self, outcome: Outcome) -> torch.Tensor:
        """Whether the class changed, shape (trials,)."""
        return (self.at(outcome.points) < 0).long() != self.labels


def theirs(attack: Stepped, name: str, configuration: Configuration) -> Experiment:
    """A library's attack on separate networks: f(x), f(x') after one step, and the success of several."""
    norm, budget = configuration.attack.norm, configuration.attack.budget
    assert norm is not None
    assert budget is not None

    def draw(generator: np.random.Generator, trials: int) -> np.ndarray:
        words = [int(word) for word in generator.integers(0, 2**32, 8)]
        block = Block(*draw_chain(configuration, trials, Draws(np.random.SeedSequence(words), torch.float32)))
        once, often = (
            attack(block.rows, block.images, block.labels, norm, CENTRED * budget, steps) for steps in (1, STEPS)
        )
        return torch.stack((block.value, block.at(once.points), block.success(often).float()), dim=1).double().numpy()

    return Experiment({"library": name, "configuration": configuration.to_json()}, draw)


def column(of: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[Any], np.ndarray]:
    """A function of f(x) and f(x'), of their rows or of our sample."""
    return lambda rows: of(*(rows[:, :2].T if isinstance(rows, np.ndarray) else (rows.value, rows.attacked_value)))


LAWS = {
    "success": column(lambda value, attacked: (np.sign(value) != np.sign(attacked)).astype(np.float64)),
    "fall of |f|": column(lambda value, attacked: np.sign(value) * (value - attacked)),
}


def no_worse(rows: np.ndarray) -> np.ndarray:
    """Whether several steps succeeded, or one did not."""
    return (rows[:, 2] == 1) | (np.sign(rows[:, 0]) == np.sign(rows[:, 1]))


def judge_steps(evidence: Check, attack: Stepped, name: str, activation: Activation, zero: tuple[str, ...]) -> None:
    """Claim all that a library's steps must do; ``zero`` are the norms of which a budget of 0 is tried."""
    for word, norm in NORMS.items():
        configuration = step_of(activation, norm)
        budget = configuration.attack.budget
        assert budget is not None
        block = Block(*evidence.block(configuration, TRIALS // 2))
        ours = configuration.attack.run(block.chain, block.space, block.point)
        run = [attack(block.rows, block.images, block.labels, norm, CENTRED * budget, n) for n in (1, STEPS)]

        def exact(what: str, discrepancies: Any, bound: float, word: str = word, about: Any = configuration) -> None:
            evidence.identity(np.asarray(discrepancies), bound, name=f"{word}-norm: {what}", about=about)

        _, gradient = value_and_gradient(block.chain, block.point)
        # Where f bends, a sign step that takes the other sign of a null coordinate ends at another f.
        sure = (gradient.abs().amin(dim=1) > UNSURE) | (norm != math.inf)
        # Libraries put what leaves the box back into it; about one softplus network in 10,000 leaves it.
        moved = CENTRED * budget * steepest(gradient, norm)
        sure &= moved.abs().amax(dim=1) <= CENTRED * (1 - KEPT)
        gap = (block.at(run[0].points) - ours.attacked_value).abs()
        exact("one step within the box ends where ours does", gap[sure], ROUNDING)
        excess = torch.cat([block.length(one, norm) / (CENTRED * budget) - 1 for one in run])
        exact("the budget is kept", excess.clamp_min(0), KEPT)
        if run[0].reported is not None:
            exact("successes are those reported", (run[0].reported != block.success(run[0])).double(), 0.0)
        if word in zero:
            still = attack(block.rows, block.images, block.labels, norm, 0.0, 1)
            exact("a budget of 0 changes nothing", block.length(still, norm), 0.0)
        experiment = theirs(attack, name, configuration)
        evidence.same_law(
            *(experiment, configuration.varied(law="conditioned")),
            of={f"{word}-norm: {law}": view for law, view in LAWS.items()},
            trials=TRIALS,
            tolerance=TOLERANCE,
            second_trials=OURS,
        )
        evidence.rate_at_least(NO_WORSE, no_worse, experiment, name=f"{word}-norm: several steps do no worse")


REACH = (
    identity(8),
    same_law(TOLERANCE, trials=TRIALS, second_trials=OURS, count=2 * len(LAWS)),
    rate_at_least(NO_WORSE, effect=0.02, room=LOSS, count=2),
)


def about(first: str) -> dict[str, Any]:
    """The fields of a claim on steps, of which a standard run draws one activation."""
    return {
        "mark": "derived",
        "domain": f"one step and six; p = 2 and infinity, t = 1; {first} (nightly: {', '.join(NAMES)}); m = d = 64; "
        "inputs in [0, 1]^d",
        "tolerance": TOLERANCE,
        "detects": "a KS distance of 0.15; an end point, a length or a success that differs from ours or from the "
        "one reported",
        "examples": 1,
        "statements": 14,
        "reach": REACH,
    }


STEPPED = (
    "steps of length t sqrt(V) / |grad f|_q that stay in the box end where ours do; success and fall of |f| have "
    "our law; steps keep their budget, and several do no worse than one"
)


@claim("LIB.foolbox-steps", statement=f"foolbox: {STEPPED}; 0 changes nothing; reports are true.", **about("relu"))
@given(activation=activations("relu"))
def test_the_steps_of_foolbox_have_the_law_of_ours(activation: Activation, evidence: Check) -> None:
    judge_steps(evidence, libraries.foolbox_stepped, "foolbox", activation, zero=("2", "infinity"))


@claim("LIB.torchattacks-steps", statement=f"torchattacks: {STEPPED}.", **about("tanh"))
@given(activation=activations("tanh"))
def test_the_steps_of_torchattacks_have_the_law_of_ours(activation: Activation, evidence: Check) -> None:
    judge_steps(evidence, libraries.torchattacks_stepped, "torchattacks", activation, zero=("infinity",))


@claim("LIB.art-steps", statement=f"ART: {STEPPED}; 0 changes nothing.", **about("softplus"))
@given(activation=activations("softplus"))
def test_the_steps_of_art_have_the_law_of_ours(activation: Activation, evidence: Check) -> None:
    judge_steps(evidence, libraries.art_stepped, "art", activation, zero=("2", "infinity"))


def wrong_way(
    classifier: Rows, points: torch.Tensor, labels: torch.Tensor, norm: float, budget: float, steps: int
) -> Outcome:
    """Steps that climb away from the boundary: they raise the loss of the other class."""
    return libraries.torchattacks_stepped(classifier, points, 1 - labels, norm, budget, steps)


@claim(
    "NOT.broken-attack",
    statement="Steps that raise the loss of the other class have the law of ours.",
    expect="REFUTED",
    **about("tanh"),
)
@given(activation=activations("tanh"))
def test_an_attack_of_the_wrong_class_is_found_out(activation: Activation, evidence: Check) -> None:
    judge_steps(evidence, wrong_way, "wrong way", activation, zero=())


@claim(
    "NOT.zero-budget",
    mark="derived",
    statement="The Euclidean step of torchattacks leaves its input unchanged where budget and step are 0.",
    domain="torchattacks 3.5.1; otherwise as LIB.torchattacks-steps",
    tolerance=TOLERANCE,
    detects="any change",
    expect="REFUTED",
    examples=1,
    statements=1,
    reach=(identity(),),
)
@given(activation=activations("tanh"))
def test_torchattacks_divides_a_step_of_0_by_its_length(activation: Activation, evidence: Check) -> None:
    configuration = step_of(activation, 2.0)
    block = Block(*evidence.block(configuration, FEW))
    still = libraries.torchattacks_stepped(block.rows, block.images, block.labels, 2.0, 0.0, 1)
    changed = block.length(still, 2.0) > 0
    evidence.identity(changed.double(), 0.0, name="inputs that changed", about=configuration)


def judge_distance(evidence: Check, attack: Minimal, widths: tuple[int, ...], trials: int, **options: Any) -> None:
    """Claim that a minimal perturbation of linear networks succeeds, is no shorter than it must be, and hardly longer.

    The least is |f| / |grad f|; found in float32, it is short by rounding of f at most. Networks whose boundary is so
    far that the box could be in the way are left out.
    """
    configuration = step_of(get("identity"), 2.0, widths)
    block = Block(*evidence.block(configuration, trials))
    ours = configuration.attack.run(block.chain, block.space, block.point)
    least = CENTRED * ours.value.abs().double() / ours.gradient_norm
    outcome = attack(block.rows, block.images, block.labels, **options)
    length, rounding = block.length(outcome, 2.0), CENTRED * ROUNDING / ours.gradient_norm
    parts = {
        "no shorter than the distance": (least - rounding - length).clamp_min(0),
        "no longer than overshoot makes it": (length - OVER * least - STRAY - rounding).clamp_min(0),
        "all succeed": (~block.success(outcome)).double(),
    }
    within = OVER * least + STRAY <= CENTRED
    for name, discrepancies in parts.items():
        evidence.identity(discrepancies[within], 0.0, name=name, about=configuration)


LINEAR = st.sampled_from([(SIZE,), (SIZE, SIZE)])
MINIMAL: dict[str, Any] = {
    "mark": "derived",
    "domain": "linear networks of one and two layers, m = d = 64; inputs in [0, 1]^d; an overshoot of 0.02",
    "tolerance": libraries.OVERSHOOT,
    "detects": "any length that is shorter, or longer than the overshoot makes it",
    "examples": 2,
    "statements": 3,
    "reach": (identity(3),),
}
LEAST = (
    "DeepFool ends across the boundary of a linear network, no nearer than |f| / |grad f| and further by at most 2 "
    "percent and 2e-4."
)


@claim("LIB.foolbox-deepfool", statement=f"foolbox: {LEAST}", **MINIMAL)
@given(widths=LINEAR)
def test_the_deepfool_of_foolbox_goes_as_far_as_it_must(widths: tuple[int, ...], evidence: Check) -> None:
    judge_distance(evidence, libraries.foolbox_deepfool, widths, TRIALS // 2)


@claim("LIB.torchattacks-deepfool", statement=f"torchattacks: {LEAST}", **MINIMAL)
@given(widths=LINEAR)
def test_the_deepfool_of_torchattacks_goes_as_far_as_it_must(widths: tuple[int, ...], evidence: Check) -> None:
    judge_distance(evidence, libraries.torchattacks_deepfool, widths, FEW)


@claim("LIB.art-deepfool", statement=f"ART: {LEAST}", **MINIMAL)
@given(widths=LINEAR)
def test_the_deepfool_of_art_goes_as_far_as_it_must(widths: tuple[int, ...], evidence: Check) -> None:
    judge_distance(evidence, libraries.art_deepfool, widths, FEW)


@claim(
    "NOT.deepfool-in-any-box",
    statement=f"ART, in the box [-4, 6]^d: {LEAST}",
    expect="REFUTED",
    **MINIMAL,
)
@given(widths=LINEAR)
def test_the_deepfool_of_art_depends_on_its_box(widths: tuple[int, ...], evidence: Check) -> None:
    judge_distance(evidence, libraries.art_deepfool, widths, FEW, box=(-4.0, 6.0))
