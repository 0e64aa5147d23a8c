"""What the infinite-width law does not have is refused before any work, with the argument named."""

import math

import pytest

from signflip import Architecture, activations, simulate


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"steps": 2}, ("steps must be 1 with law", "got 2")),
        ({"direction": "random"}, ("direction must be 'gradient' with law", "got 'random'")),
        ({"entries": "rademacher"}, ("entries must be 'gaussian' unless law='dense'", "got 'rademacher'")),
        ({"output": "rademacher"}, ("output must be None with law", "got 'rademacher'")),
        ({"output": "gaussian"}, ("output must be None with law", "got 'gaussian'")),
        ({"projection": "no layer"}, ("projection must be 'every layer' with law", "got 'no layer'")),
        ({"stop": "sign change"}, ("stop must be 'last step' with law", "got 'sign change'")),
        ({"compare_gradients": True}, ("compare_gradients must be False with law", "got True")),
        ({"point": (1.0, 0.0, 0.0)}, ("law must be 'dense' where a point is given", "got 'infinite-width'")),
    ],
    ids=lambda value: repr(value) if isinstance(value, dict) else "",
)
def test_what_the_law_does_not_have_is_refused_by_name(arguments, parts):
    with pytest.raises(ValueError, match="infinite-width") as caught:
        simulate(Architecture(3, (1,)), activations.get("gelu"), step=1.0, trials=10, law="infinite-width", **arguments)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("angle", [0.0, -1.0, 3.2, math.nan, math.inf])
def test_a_second_input_lies_at_an_angle_above_0_and_up_to_pi(angle):
    with pytest.raises(ValueError, match=r"companion must be an angle with 0 < companion <= pi"):
        simulate(
            Architecture(3, (1,)), activations.get("gelu"), step=1.0, trials=10, law="infinite-width", companion=angle
        )


def test_a_second_input_needs_a_second_dimension():
    with pytest.raises(ValueError, match=r"input_dim must be from 2 with a companion"):
        simulate(
            Architecture(1, (1,)), activations.get("gelu"), step=1.0, trials=10, law="infinite-width", companion=1.0
        )


def test_unknown_laws_are_refused_and_the_three_named():
    with pytest.raises(
        ValueError, match=r"law must be one of 'dense', 'conditioned', 'infinite-width', got 'infinite'"
    ):
        simulate(Architecture(3, (1,)), activations.get("gelu"), step=1.0, trials=10, law="infinite")
