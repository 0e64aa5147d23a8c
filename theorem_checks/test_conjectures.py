"""CONJ: one step fools networks for which we know of no theorem: transformers, layer norms, uniform weights."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from signflip.activations import Activation, get
from signflip.checks import claim
from signflip.checks.check import Check
from signflip.checks.families import Pilot
from signflip.checks.quantifiers import LARGEST_DIMENSION, adversarial
from signflip.claims.reach import rate_at_least
from signflip.networks.architecture import Architecture
from signflip.networks.behind import Behind
from signflip.networks.blocks import LayerNorm, Linear, Pointwise
from signflip.networks.fully_connected import FullyConnected
from signflip.networks.model import Model
from signflip.networks.sequential import Sequential

RATE, CAP = 0.99, 8_000
PILOT = 512
# |x' - x| / |x| is within this many times 1 / sqrt(d); fewer where d is small: .4 at d = 2500.
ORDER, SMALL_ORDER = 50.0, 20.0
ONE_STEP = (
    "one gradient step finds x' with f(x) f(x') < 0 and |x' - x| <= {order:g} |x| / sqrt(d), with probability at least "
    "0.99."
)
REACH = (rate_at_least(RATE, effect=0.02, room=0.0095, trials=CAP),)


def judge(evidence: Check, model: Model, t: float, order: float = ORDER, **options: str) -> None:
    """Claim a flip within the order |x| / sqrt(d), after t natural steps, as a pilot on separate draws finds them."""
    subject = Pilot.of(evidence, model, PILOT, **options).at(t)
    bound = order / math.sqrt(model.input_dim)
    evidence.rate_at_least(RATE, adversarial(bound), subject, name=f"adversarial at t={t:g}", cap=CAP)


def transformers() -> st.SearchStrategy[Behind]:
    """PyTorch's encoder layer behind a Gaussian embedding that three or four tokens share."""
    return st.builds(
        lambda width, heads, tokens: Behind(
            LARGEST_DIMENSION, width, "strategies.modules:encoder", {"width": width, "heads": heads}, tokens
        ),
        st.sampled_from([32, 64]),
        st.sampled_from([2, 4]),
        st.integers(3, 4),
    )


@claim(
    "CONJ.transformer",
    mark="conjecture",
    statement="In transformers at PyTorch's initialisation, behind a Gaussian embedding of the tokens, "
    + ONE_STEP.format(order=ORDER),
    domain="one encoder layer, width 32 and 64, 2 and 4 heads; 3 and 4 tokens of 10^12 dimensions; t = 10",
    tolerance=RATE,
    detects="a probability below 0.99",
    examples=1,
    reach=REACH,
)
@given(model=transformers())
def test_one_gradient_step_fools_transformers_at_initialisation(model: Model, evidence: Check) -> None:
    judge(evidence, model, 10.0)


@claim(
    "CONJ.layer-norm",
    mark="conjecture",
    figure={"of": "P(x′ is adversarial)"},
    statement="In networks with layer norms " + ONE_STEP.format(order=ORDER),
    domain="two hidden layers of 300 neurons, a layer norm before sigma (relu, tanh, gelu), t = 8; PyTorch's "
    "perceptron of 128 neurons with its LayerNorm, biases and initialisation, behind a Gaussian map of 128 rows, t "
    "= 10; d = 10^12",
    tolerance=RATE,
    detects="a probability below 0.99",
    examples=2,
    statements=2,
    reach=REACH,
)
@given(activation=st.sampled_from([get(name) for name in ("relu", "tanh", "gelu")]))
def test_one_gradient_step_fools_networks_with_layer_norms(activation: Activation, evidence: Check) -> None:
    layer = (Linear(300), LayerNorm(), Pointwise(activation))
    judge(evidence, Sequential(LARGEST_DIMENSION, layer * 2), 8.0)
    arguments = {"width": 128, "hidden": 128, "normalised": True}
    judge(evidence, Behind(LARGEST_DIMENSION, 128, "strategies.modules:perceptron", arguments), 10.0)


@claim(
    "CONJ.uniform-weights",
    mark="conjecture",
    statement="In networks whose weights are all uniform, as PyTorch draws them, " + ONE_STEP.format(order=SMALL_ORDER),
    domain="dense networks of two hidden layers of 64 neurons, weights uniform of variance 1/n; tanh, gelu; d = 2500; "
    "t = 10",
    tolerance=RATE,
    detects="a probability below 0.99",
    examples=1,
    reach=REACH,
)
@given(activation=st.sampled_from([get("tanh"), get("gelu")]))
def test_one_gradient_step_fools_networks_of_uniform_weights(activation: Activation, evidence: Check) -> None:
    model = FullyConnected(Architecture(2500, (64, 64)), activation)
    judge(evidence, model, 10.0, SMALL_ORDER, law="dense", entries="uniform")


@claim(
    "NOT.transformer-short-step",
    mark="derived",
    statement="One natural step does as well: in transformers " + ONE_STEP.format(order=ORDER),
    domain="as CONJ.transformer; t = 1",
    tolerance=RATE,
    detects="a probability below 0.99",
    expect="REFUTED",
    examples=1,
    reach=REACH,
)
@given(model=transformers())
def test_a_natural_step_does_not_suffice_for_transformers(model: Model, evidence: Check) -> None:
    judge(evidence, model, 1.0)
