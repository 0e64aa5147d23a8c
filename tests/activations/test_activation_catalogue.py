"""The catalogue and its names; homogeneity."""

import numpy as np
import pytest
from hypothesis import given, settings

from signflip import activations
from strategies.activations import activations as any_activation


def test_the_catalogue_is_large_and_without_doubles():
    members = activations.catalogue()
    assert tuple(members) == activations.names()
    assert len(members) >= 24
    assert len({activation.digest for activation in members.values()}) == len(members)


def test_the_catalogue_cannot_be_changed_from_outside():
    activations.catalogue().clear()
    assert activations.names()


@pytest.mark.parametrize("name", ["nope", "", None, ["relu"]])
def test_an_unknown_name_is_refused_with_all_names(name):
    with pytest.raises(activations.UnknownActivationError) as caught:
        activations.get(name)
    assert isinstance(caught.value, KeyError)
    assert repr(name) in str(caught.value)
    assert all(known in str(caught.value) for known in activations.names())


def test_a_misspelt_name_is_answered_with_close_ones():
    with pytest.raises(activations.UnknownActivationError, match=r"close to .*hard_tanh"):
        activations.get("hardtanh")


@given(any_activation())
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_homogeneous_activations_are_homogeneous(activation):
    z = np.linspace(-5.0, 5.0, 101)
    if activation.is_homogeneous:
        np.testing.assert_allclose(activation.values_at(4.0 * z), 4.0 * activation.values_at(z), rtol=1e-14)


def test_the_homogeneous_members_of_the_catalogue_are_known():
    homogeneous = {name for name, activation in activations.catalogue().items() if activation.is_homogeneous}
    assert homogeneous == {"abs", "identity", "leaky_relu", "prelu_-0.5", "prelu_0.25", "relu"}
