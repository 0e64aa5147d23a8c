"""Bad input raises before any work, and the message names the argument, its value and what is allowed."""

from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest
import torch

from signflip import Architecture, activations, simulate
from signflip.sampling.configuration import Configuration

ARCH = Architecture(3, (4,))
TANH = activations.get("tanh")
WHOLE = "a whole number from 1"
POSITIVE = "a positive finite number"


def refused(error, parts, architecture=ARCH, activation=TANH, **arguments):
    with pytest.raises(error) as caught:
        simulate(architecture, activation, **({"step": 1.0, "trials": 10} | arguments))
    message = str(caught.value)
    for part in parts:
        assert part in message, message


SIZES = [
    (0, ValueError),
    (-3, ValueError),
    (2**53 + 1, ValueError),
    (10**400, ValueError),
    (True, TypeError),
    (2.0, TypeError),
    (math.nan, TypeError),
    ("7", TypeError),
    (None, TypeError),
]


@pytest.mark.parametrize(("size", "error"), SIZES, ids=lambda v: str(v)[:12])
def test_sizes_are_whole_numbers_from_1_to_2_to_the_53(size, error):
    for make, name in (
        (lambda: Architecture(size, (3,)), "input_dim"),
        (lambda: Architecture(3, (3, size)), "widths"),
    ):
        with pytest.raises(error) as caught:
            make()
        for part in (f"{name} must be", f"got {size!r}", WHOLE, "9,007,199,254,740,992"):
            assert part in str(caught.value)


@pytest.mark.parametrize("widths", [(), [], 5, None, "55"], ids=repr)
def test_widths_are_a_tuple_of_one_or_more(widths):
    with pytest.raises(ValueError, match="widths must be one or more hidden widths") as caught:
        Architecture(3, widths)
    assert f"got {widths!r}" in str(caught.value)


@pytest.mark.parametrize("step", [0, 0.0, -1.0, -5, math.nan, math.inf, -math.inf], ids=repr)
def test_the_step_is_positive_and_finite(step):
    refused(ValueError, ("step must be", f"got {step!r}", POSITIVE), step=step)


@pytest.mark.parametrize("step", [True, "1", None, 1j, (1.0,), np.ones(1)], ids=repr)
def test_the_step_is_a_number(step):
    refused(TypeError, ("step must be", f"got {step!r}", POSITIVE), step=step)


def test_a_step_too_large_for_a_float_is_refused_by_name():
    refused(ValueError, ("step must be", "got 1000", POSITIVE), step=10**400)


@pytest.mark.parametrize("name", ["trials", "steps"])
@pytest.mark.parametrize(
    ("count", "error"),
    [
        (0, ValueError),
        (-1, ValueError),
        (True, TypeError),
        (1.0, TypeError),
        ("3", TypeError),
        (None, TypeError),
    ],
    ids=repr,
)
def test_trials_and_steps_are_counts(name, count, error):
    refused(error, (f"{name} must be", f"got {count!r}", WHOLE), **{name: count})


@pytest.mark.parametrize("seed", [-1, True, 0.0, "0", None], ids=repr)
def test_the_seed_is_a_whole_number_from_0(seed):
    refused((TypeError, ValueError), ("seed must be", f"got {seed!r}", "a whole number from 0"), seed=seed)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("law", "sparse", ("'dense'", "'conditioned'")),
        ("law", "Dense", ("'dense'", "'conditioned'")),
        ("law", None, ("'dense'", "'conditioned'")),
        ("dtype", "float16", ("'float32'", "'float64'")),
        ("dtype", torch.float32, ("'float32'", "'float64'")),
        ("direction", "sideways", ("'gradient'", "'reversed'", "'random'")),
        ("entries", "cauchy", ("'gaussian'", "'rademacher'", "'student-t'", "'uniform'")),
    ],
    ids=repr,
)
def test_choices_are_named_with_what_is_allowed(name, value, allowed):
    refused(ValueError, (f"{name} must be", f"got {value!r}", *allowed), **{name: value})


def test_an_unknown_option_is_named_with_the_known_ones():
    refused(TypeError, ("got stepz=3", "an option must be one of", "steps", "dtype", "point"), stepz=3)


def test_an_architecture_and_an_activation_are_asked_for():
    refused(TypeError, ("architecture must be an Architecture", "got (3, 4)"), architecture=(3, 4))
    refused(TypeError, ("activation must be an Activation", "activations.get", "got 'tanh'"), activation="tanh")


@pytest.mark.parametrize("entries", ["rademacher", "student-t", "uniform"])
def test_controls_of_the_entries_need_dense_networks(entries):
    refused(ValueError, ("entries must be", f"got {entries!r}", "law='conditioned'", "law='dense'"), entries=entries)


def test_the_control_of_the_projection_needs_conditioned_networks():
    refused(
        ValueError,
        ("projection must be 'every layer'", "law='dense'", "got 'no layer'"),
        projection="no layer",
        law="dense",
    )


@pytest.mark.parametrize("projection", [True, "no", None], ids=repr)
def test_a_projection_of_no_known_kind_is_refused(projection):
    refused(ValueError, ("projection must be", f"got {projection!r}", "'first layer'"), projection=projection)


def test_a_point_needs_dense_networks():
    refused(ValueError, ("law must be 'dense' where a point is given", "got 'conditioned'"), point=(1.0, 0.0, 0.0))


@pytest.mark.parametrize("point", [(1.0,), (1.0, 2.0, 3.0, 4.0), ()], ids=str)
def test_a_point_has_input_dim_coordinates(point):
    refused(ValueError, ("point must have input_dim=3 coordinates", f"got {len(point)}"), point=point, law="dense")


@pytest.mark.parametrize("bad", [(0.0, 0.0, 0.0), (math.nan, 1.0, 0.0), (math.inf, 1.0, 0.0)], ids=str)
def test_a_point_has_a_finite_length_above_0(bad):
    refused(ValueError, ("point must be finite and not 0", "of norm"), point=bad, law="dense")


@pytest.mark.parametrize("point", [5, "abc", ("a", "b", "c"), (None, 1.0, 2.0)], ids=repr)
def test_a_point_is_a_tuple_of_numbers(point):
    refused((TypeError, ValueError), ("point must",), point=point, law="dense")


@pytest.mark.parametrize("size", [1e200, 1e-200, 1e308, 1e-320])
def test_a_point_of_any_representable_length_is_scaled_to_the_sphere(size):
    """|x|^2 overflows or underflows at these lengths, |x| does not. Only the direction of x counts, so tanh networks
    have values that are finite and not 0; x lost to 0 or to infinity would show in every trial."""
    sample = simulate(ARCH, TANH, step=1.0, trials=50, law="dense", dtype="float64", point=(size, 0.0, 0.0))
    assert np.isfinite(sample.value).all()
    assert (np.abs(sample.value) > 0).all()
    assert np.median(sample.gradient_norm) > 0.1


@pytest.mark.parametrize(
    ("architecture", "arguments"),
    [
        (Architecture(10**12, (10,)), {"law": "dense"}),
        (Architecture(10, (10**6, 10**6)), {"law": "dense", "dtype": "float64"}),
        (Architecture(2**53, (2**53,)), {"law": "dense"}),
        (Architecture(10, (2,)), {"law": "conditioned", "steps": 10**15}),
    ],
    ids=["wide input", "two wide layers", "the largest", "conditioned, many steps"],
)
def test_networks_larger_than_the_machine_are_refused_at_once(architecture, arguments):
    """Before any work: within half a second, where drawing the weights would take minutes or the machine down."""
    start = time.perf_counter()
    refused(
        MemoryError,
        ("input_dim=", "widths=", f"law={arguments['law']!r}", "GiB", "must fit"),
        architecture,
        **arguments,
    )
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize("device", ["gpu", 0, None, "cuda:1"], ids=repr)
def test_a_device_of_no_known_kind_is_refused(device):
    refused(ValueError, ("device must be", f"got {device!r}", "'cpu'", "'cuda'"), device=device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_gpu_that_is_not_there_is_refused():
    refused(RuntimeError, ("device must be 'cpu'", "got 'cuda'", "no CUDA device"), device="cuda")


def test_networks_that_would_run_for_days_are_refused():
    refused(ValueError, ("widths must be at most", "neurons", "got (1000000000000,)"), Architecture(10, (10**12,)))


@pytest.mark.parametrize("stop", ["never", True, None, 3], ids=repr)
def test_a_stop_of_no_known_kind_is_refused(stop):
    refused(ValueError, ("stop must be", f"got {stop!r}", "'last step'", "'sign change'"), stop=stop)


@pytest.mark.parametrize("output", ["signs", True, 3], ids=repr)
def test_an_output_of_no_known_kind_is_refused(output):
    refused(ValueError, ("output must be", f"got {output!r}", "'gaussian'", "'rademacher'"), output=output)


@pytest.mark.parametrize("angle", [0, 0.0, -1.0, 3.2, math.nan, math.inf, -math.inf], ids=repr)
def test_a_companion_lies_at_an_angle_above_0_and_up_to_pi(angle):
    refused(ValueError, ("companion must be", f"got {angle!r}", "0 < companion <= pi"), companion=angle)


@pytest.mark.parametrize("angle", [True, "1", (1.0,)], ids=repr)
def test_the_angle_of_a_companion_is_a_number(angle):
    refused(TypeError, ("companion must be", f"got {angle!r}", "0 < companion <= pi"), companion=angle)


@pytest.mark.parametrize("law", ["dense", "conditioned"])
def test_a_companion_needs_a_plane(law):
    refused(ValueError, ("input_dim must be from 2", "companion"), Architecture(1, (4,)), companion=1.0, law=law)


@pytest.mark.parametrize("compare", [1, None, "yes"], ids=repr)
def test_the_comparison_of_gradients_is_asked_for_by_a_bool(compare):
    refused(TypeError, ("compare_gradients must be", f"got {compare!r}", "True or False"), compare_gradients=compare)


def test_an_angle_has_one_digest_whatever_its_type():
    whole, real = (Configuration.of(ARCH, TANH, 1.0, companion=angle) for angle in (2, 2.0))
    assert whole.digest == real.digest


@pytest.mark.parametrize(
    "change",
    [{"stop": "sign change"}, {"output": "rademacher"}, {"companion": 1.0}, {"compare_gradients": True}],
    ids=str,
)
def test_each_option_has_a_digest_of_its_own_and_comes_back_from_json(change):
    changed = Configuration.of(ARCH, TANH, 1.0, **change)
    assert changed.digest != Configuration.of(ARCH, TANH, 1.0).digest
    again = Configuration.from_json(json.loads(json.dumps(changed.to_json())))
    assert again == changed
    assert again.digest == changed.digest


def test_errors_come_before_any_work():
    """A bad last argument beside a network that takes a second a block."""
    large = Architecture(10**12, (10**6,))
    start = time.perf_counter()
    refused(ValueError, ("direction must be", "got 'up'"), large, trials=10**9, direction="up")
    refused(ValueError, ("seed must be", "got -1"), large, trials=10**9, seed=-1)
    refused(TypeError, ("got speed=1",), large, trials=10**9, speed=1)
    assert time.perf_counter() - start < 0.5
