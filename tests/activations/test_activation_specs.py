"""Specs: round trips, identity by digest, refusals."""

import json
import pickle

import pytest
from hypothesis import given, settings

from signflip import activations
from signflip.activations import from_spec
from strategies.activations import generated_activations

RELU = {"kind": "relu"}
KINKED = {"kind": "piecewise_linear", "kinks": [0.0, 1.0], "slopes": [0.0, 1.0, 2.0], "intercept": 0.0}
WAVES = {"kind": "trigonometric", "amplitudes": [1.0], "frequencies": [1.0], "phases": [0.0]}


def nested(levels):
    spec = RELU
    for _ in range(levels):
        spec = {"kind": "scale_output", "factor": 1.0, "of": spec}
    return spec


@pytest.mark.parametrize("name", activations.names())
def test_a_catalogue_spec_survives_the_round_trip_through_json(name):
    activation = activations.get(name)
    again = from_spec(json.loads(json.dumps(activation.spec, allow_nan=False)))
    assert again == activation
    assert hash(again) == hash(activation)
    assert again.digest == activation.digest


@given(generated_activations())
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
def test_a_generated_spec_survives_the_round_trip_through_json(activation):
    again = from_spec(json.loads(json.dumps(activation.spec, allow_nan=False)))
    assert again == activation
    assert again.spec == activation.spec
    assert again.name == activation.name


@given(generated_activations())
@settings(max_examples=30, deadline=None, derandomize=True, database=None)
def test_the_repr_is_an_expression_that_gives_the_activation_back(activation):
    assert eval(repr(activation), {"activations": activations}) == activation


@given(generated_activations())
@settings(max_examples=30, deadline=None, derandomize=True, database=None)
def test_an_activation_can_be_sent_to_another_process(activation):
    assert pickle.loads(pickle.dumps(activation)) == activation


def test_the_digest_is_pinned():
    # Evidence refers to activations by digest: a change of format must be noticed.
    assert activations.get("relu").digest == "8f8f7aa5f9d24cc40f703d429a64045ad3468f2acca29f98c3d1f214b4f15927"


def test_equal_numbers_give_equal_activations():
    assert activations.LeakyRelu(0) == activations.LeakyRelu(-0.0) == activations.LeakyRelu(0.0)
    assert activations.LeakyRelu(0) != activations.get("relu")
    assert activations.get("relu") != "relu"


def test_an_activation_cannot_be_changed():
    activation = from_spec(KINKED)
    with pytest.raises(AttributeError):
        activation.slopes = (1.0,)
    activation.spec["slopes"].append(5.0)
    assert activation.spec == KINKED


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (None, r"spec is None; allowed is a dict"),
        ([], r"spec is \[\]; allowed is a dict"),
        ({}, r"spec.kind is None; allowed are abs, "),
        ({"kind": "nope"}, r"spec.kind is 'nope'; allowed are abs, "),
        ({"kind": ["relu"]}, r"spec.kind is \['relu'\]"),
        ({"kind": "relu", "slope": 1.0}, r"spec of kind 'relu' has the fields \['slope'\]; needed are none"),
        ({"kind": "leaky_relu"}, r"has the fields \[\]; needed are slope"),
        ({"kind": "leaky_relu", "slope": "steep"}, r"spec.slope is 'steep'; allowed is a number"),
        ({"kind": "leaky_relu", "slope": True}, r"spec.slope is True; allowed is a number"),
        ({"kind": "leaky_relu", "slope": float("nan")}, r"spec.slope is nan; allowed is a number"),
        ({"kind": "leaky_relu", "slope": float("inf")}, r"spec.slope is inf; allowed is a number"),
        ({"kind": "leaky_relu", "slope": RELU}, r"spec.slope is activations.*; allowed is a number"),
        ({"kind": "celu", "alpha": 0.0}, r"spec.alpha is 0.0; allowed is a number with 0.001 <= number"),
        ({"kind": "abs_power", "exponent": 0.5}, r"spec.exponent is 0.5; allowed is .* 1 <= number <= 3"),
        ({"kind": "signed_power", "exponent": 1.0}, r"spec.exponent is 1.0; allowed is .* 1 < number <= 3"),
        (KINKED | {"kinks": [1.0, 1.0]}, r"spec.kinks is \[1.0, 1.0\]; allowed is a strictly increasing"),
        (KINKED | {"kinks": []}, r"spec.kinks is \(\); allowed is a list of 1 to 64"),
        (KINKED | {"kinks": "01"}, r"spec.kinks is '01'; allowed is a list"),
        (KINKED | {"kinks": [0.0, None]}, r"spec.kinks\[1\] is None; allowed is a number"),
        (KINKED | {"slopes": [0.0, 1.0]}, r"spec.slopes is .*; allowed is a list of 3 numbers"),
        (WAVES | {"phases": [0.0, 1.0]}, r"spec.phases is .*; allowed is a list of 1 numbers"),
        ({"kind": "sum", "terms": [RELU]}, r"spec.terms is .*; allowed is a list of 2 to 64"),
        ({"kind": "sum", "terms": [RELU, {"kind": "no"}]}, r"spec.terms\[1\].kind is 'no'"),
        ({"kind": "sum", "terms": [RELU, 3]}, r"spec.terms\[1\] is 3; allowed is an activation"),
        ({"kind": "maximum", "left": RELU, "right": 1}, r"spec.right is 1; allowed is an activation"),
        (
            {"kind": "affine_input", "scale": 0.0, "shift": 0.0, "of": RELU},
            r"spec.scale is 0.0; allowed is .* other than 0",
        ),
        (nested(40), r"nested deeper than 32 levels"),
    ],
    ids=lambda case: repr(case)[:60],
)
def test_a_bad_spec_is_refused_by_field_value_and_what_is_allowed(spec, message):
    with pytest.raises(ValueError, match=message):
        from_spec(spec)
