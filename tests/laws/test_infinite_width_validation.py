"""What the infinite-width law does not have is refused before any work, with the argument named."""

import math

import pytest

from signflip import Architecture, activations, simulate


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"steps": 2}, ("steps=2", "allows only 1")),
        ({"direction": "random"}, ("direction='random'", "allows only 'gradient'")),
        ({"entries": "rademacher"}, ("entries='rademacher'", "allows only 'gaussian'")),
        ({"output": "rademacher"}, ("output='rademacher'", "allows only None")),
        ({"output": "gaussian"}, ("output='gaussian'", "allows only None")),
        ({"projection": "no layer"}, ("projection='no layer'", "allows only 'every layer'")),
        ({"stop": "sign change"}, ("stop='sign change'", "allows only 'last step'")),
        ({"compare_gradients": True}, ("compare_gradients=True", "allows only False")),
        ({"point": (1.0, 0.0, 0.0)}, ("point=", "allowed with law='dense'")),
    ],
    ids=lambda value: repr(value) if isinstance(value, dict) else "",
)
def test_what_the_law_does_not_have_is_refused_by_name(arguments, parts):
    with pytest.raises(ValueError, match="law='infinite-width'") as caught:
        simulate(Architecture(3, (1,)), activations.get("gelu"), step=1.0, trials=10, law="infinite-width", **arguments)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("angle", [0.0, -1.0, 3.2, math.nan, math.inf])
def test_a_second_input_lies_at_an_angle_above_0_and_up_to_pi(angle):
    with pytest.raises(ValueError, match=r"allowed are angles 0 < companion <= pi"):
        simulate(
            Architecture(3, (1,)), activations.get("gelu"), step=1.0, trials=10, law="infinite-width", companion=angle
        )


def test_a_second_input_needs_a_second_dimension():
    with pytest.raises(ValueError, match=r"companion=1.0: allowed with input_dim from 2"):
        simulate(
            Architecture(1, (1,)), activations.get("gelu"), step=1.0, trials=10, law="infinite-width", companion=1.0
        )


def test_unknown_laws_are_refused_and_the_three_named():
    with pytest.raises(ValueError, match=r"law='infinite': allowed are 'dense', 'conditioned', 'infinite-width'"):
        simulate(Architecture(3, (1,)), activations.get("gelu"), step=1.0, trials=10, law="infinite")
