"""What Hypothesis draws survives as JSON, values and types; anything else is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signflip import Architecture, activations
from signflip.plugin.codec import decode, encode
from signflip.sampling.configuration import Configuration
from strategies.activations import activations as any_activation
from strategies.architectures import architectures
from strategies.networks import networks
from strategies.subjects import dense_subjects

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
SIZES = st.integers(1, 12)
MODELS = networks(dimensions=SIZES, channels=SIZES, outputs=SIZES)
LEAVES = PLAIN | any_activation() | architectures(depth=2) | dense_subjects(max_depth=2) | MODELS
VALUES = st.recursive(LEAVES, lambda of: st.lists(of, max_size=3) | st.lists(of, max_size=3).map(tuple), max_leaves=4)


def same(first, second):
    """Equal, and of equal types all the way down (1, 1.0 and True are equal in Python)."""
    if type(first) is not type(second):
        return False
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


@given(VALUES)
@settings(max_examples=150)
def test_whatever_the_strategies_draw_comes_back_from_strict_json(value):
    assert same(decode(json.loads(json.dumps(encode(value), allow_nan=False))), value)


def test_a_tuple_is_told_from_a_list_and_a_number_from_a_truth_value():
    value = (1, [1.0, (True,), ()], "tuple", None)
    assert same(decode(json.loads(json.dumps(encode(value)))), value)


def test_whole_configurations_come_back_with_their_digests():
    arch = Architecture(10**12, (3, 4))
    c = Configuration.of(arch, activations.get("relu"), 0.1 + 0.2, steps=3, direction="random", dtype="float64")
    again = decode(json.loads(json.dumps(encode([c, arch]))))
    assert again == [c, arch]
    assert again[0].digest == c.digest


@pytest.mark.parametrize("value", [{1: 2}, {1}, 1j, np.int64(3), np.ones(2), b"x", object], ids=repr)
def test_other_values_are_refused_by_name(value):
    with pytest.raises(TypeError, match="what a check draws must be"):
        encode([value])


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"set": [1]},
        {"tuple": [1], "activation": {}},
        {"activation": {"kind": "nonsense"}},
        [{"unknown": 1}],
    ],
    ids=repr,
)
def test_data_of_no_known_shape_is_refused(data):
    with pytest.raises(ValueError, match=r".+"):
        decode(data)


@pytest.mark.parametrize(
    "data", [{"tuple": 5}, {"architecture": {"input_dim": 3}}, {"configuration": []}, {"activation": 7}, {"who": 1}, {}]
)
def test_what_describes_nothing_is_refused_with_its_text(data):
    with pytest.raises(ValueError, match=r"must (be|have)"):
        decode(data)
