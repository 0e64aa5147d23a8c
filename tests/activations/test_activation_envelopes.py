"""The certified growth of every activation, on random and adversarial pairs."""

import numpy as np
import pytest
from hypothesis import given, settings

from signflip import activations
from signflip.activations import AffineInput, Compose, Envelope, Maximum, Sum
from strategies.activations import generated_activations

ROUNDING = 1.0 + 1e-9


def adversarial_points(activation):
    """Many scales, both signs, and both sides of each kink."""
    rng = np.random.default_rng(0)
    scales = 10.0 ** rng.uniform(-4, 1.5, size=3000)
    kinks = activation.kinks(-32.0, 32.0)
    return np.concatenate([scales, -scales, np.linspace(-32, 32, 4001), kinks, kinks + 1e-6, kinks - 1e-6, [0.0]])


def assert_envelope_holds(activation):
    envelope = activation.envelope
    u = adversarial_points(activation)
    slopes = np.abs(activation.slopes_at(u))
    bounds = np.array([envelope.slope_bound(radius) for radius in np.abs(u)])
    assert (slopes <= bounds * ROUNDING).all()

    # Pairs at random, and neighbours: the steepest secants are the short ones.
    rng = np.random.default_rng(1)
    ordered = np.unique(u)
    for left, right in ((u, rng.permutation(u)), (ordered[:-1], ordered[1:])):
        change = np.abs(activation.values_at(right) - activation.values_at(left))
        if envelope.power == 0:
            growth = np.ones_like(left)
        else:
            growth = 1.0 + np.abs(left) ** envelope.power + np.abs(right) ** envelope.power
        noise = 1e-13 * (np.abs(activation.values_at(right)) + 1.0)
        if activation.spec["kind"] == "softplus":
            noise += 3e-9  # torch's own softplus steps by exp(-20) to the identity at z = 20
        assert (change <= envelope.constant * growth * np.abs(right - left) * ROUNDING + noise).all()


@pytest.mark.parametrize("name", activations.names())
def test_the_envelope_of_a_catalogue_member_holds(name):
    assert_envelope_holds(activations.get(name))


@pytest.mark.parametrize("name", activations.names())
def test_the_constant_of_a_globally_lipschitz_member_is_tight(name):
    activation = activations.get(name)
    if activation.envelope.power == 0:
        steepest = np.abs(activation.slopes_at(np.linspace(-20, 20, 400_001))).max()
        assert steepest >= 0.999 * activation.envelope.constant


@given(generated_activations())
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_the_envelope_of_a_generated_activation_holds(activation):
    envelope = activation.envelope
    u = adversarial_points(activation)
    bounds = np.array([envelope.slope_bound(radius) for radius in np.abs(u)])
    assert (np.abs(activation.slopes_at(u)) <= bounds * ROUNDING).all()


@pytest.mark.parametrize(
    "activation",
    [
        AffineInput(2.0, 3.0, activations.get("cubic")),
        AffineInput(0.25, -5.0, activations.get("square")),
        Compose(activations.get("cubic"), activations.get("cubic")),
        Compose(activations.get("square"), activations.get("softplus")),
        Compose(activations.get("cubic"), AffineInput(1.0, 4.0, activations.get("square"))),
        Sum((activations.get("square"), activations.get("cubic"), activations.get("abs"))),
        Maximum(activations.get("square"), activations.get("cubic")),
    ],
    ids=str,
)
def test_the_rules_of_combination_hold_for_growing_functions(activation):
    assert_envelope_holds(activation)


def test_an_envelope_too_small_is_caught():
    class Understated(activations.Elementary):
        @property
        def envelope(self):
            return Envelope(1.12)

    with pytest.raises(AssertionError):
        assert_envelope_holds(Understated("gelu"))
