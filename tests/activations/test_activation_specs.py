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
        (None, r"spec must be a dict.*got None"),
        ([], r"spec must be a dict.*got \[\]"),
        ({}, r"spec.kind must be one of abs, .*got None"),
        ({"kind": "nope"}, r"spec.kind must be one of abs, .*got 'nope'"),
        ({"kind": ["relu"]}, r"spec.kind must be .* got \['relu'\]"),
        ({"kind": "relu", "slope": 1.0}, r"spec of kind 'relu' must have the fields none, got \['slope'\]"),
        ({"kind": "leaky_relu"}, r"must have the fields slope, got \[\]"),
        ({"kind": "leaky_relu", "slope": "steep"}, r"spec.slope must be a number.*got 'steep'"),
        ({"kind": "leaky_relu", "slope": True}, r"spec.slope must be a number.*got True"),
        ({"kind": "leaky_relu", "slope": float("nan")}, r"spec.slope must be a number.*got nan"),
        ({"kind": "leaky_relu", "slope": float("inf")}, r"spec.slope must be a number.*got inf"),
        ({"kind": "leaky_relu", "slope": RELU}, r"spec.slope must be a number.*got activations.*"),
        ({"kind": "celu", "alpha": 0.0}, r"spec.alpha must be a number with 0.001 <= number.*got 0.0"),
        ({"kind": "abs_power", "exponent": 0.5}, r"spec.exponent must be .* 1 <= number <= 3.*got 0.5"),
        ({"kind": "signed_power", "exponent": 1.0}, r"spec.exponent must be .* 1 < number <= 3.*got 1.0"),
        (KINKED | {"kinks": [1.0, 1.0]}, r"spec.kinks must be a strictly increasing.*got \[1.0, 1.0\]"),
        (KINKED | {"kinks": []}, r"spec.kinks must be a list of 1 to 64.*got \(\)"),
        (KINKED | {"kinks": "01"}, r"spec.kinks must be a list.*got '01'"),
        (KINKED | {"kinks": [0.0, None]}, r"spec.kinks\[1\] must be a number.*got None"),
        (KINKED | {"slopes": [0.0, 1.0]}, r"spec.slopes must be a list of 3 numbers.*got .*"),
        (WAVES | {"phases": [0.0, 1.0]}, r"spec.phases must be a list of 1 numbers.*got .*"),
        ({"kind": "sum", "terms": [RELU]}, r"spec.terms must be a list of 2 to 64.*got .*"),
        ({"kind": "sum", "terms": [RELU, {"kind": "no"}]}, r"spec.terms\[1\].kind must be .* got 'no'"),
        ({"kind": "sum", "terms": [RELU, 3]}, r"spec.terms\[1\] must be an activation.*got 3"),
        ({"kind": "maximum", "left": RELU, "right": 1}, r"spec.right must be an activation.*got 1"),
        (
            {"kind": "affine_input", "scale": 0.0, "shift": 0.0, "of": RELU},
            r"spec.scale must be .* other than 0.*got 0.0",
        ),
        (nested(40), r"nested at most 32 levels deep"),
    ],
    ids=lambda case: repr(case)[:60],
)
def test_a_bad_spec_is_refused_by_field_value_and_what_is_allowed(spec, message):
    with pytest.raises(ValueError, match=message):
        from_spec(spec)
