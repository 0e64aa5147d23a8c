"""The steepest step of each norm: norms by mpmath, steepness by brute force, attacks by hand, one law of two ways."""

from __future__ import annotations

import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from support import FALSE_FAIL, generator, same_law_p_value

from signflip import Architecture, Attack, Sequential, Training, activations, simulate
from signflip.networks.blocks import Conv, Pointwise, Pool
from signflip.networks.norms import lengths, steepest
from signflip.networks.randomness import Key
from signflip.sampling.configuration import Configuration
from signflip.sampling.drawing import draw_network
from signflip.sampling.trials import run_block

NORMS = (1.0, 1.5, 2.0, 4.0, math.inf)
DUALS = {1.0: math.inf, 1.5: 3.0, 2.0: 2.0, 4.0: 4.0 / 3.0, math.inf: 1.0}
TANH = activations.get("tanh")


def exact_length(vector, norm):
    sizes = [abs(mpmath.mpf(float(v))) for v in vector]
    if norm == math.inf:
        return max(sizes)
    return mpmath.fsum(size**norm for size in sizes) ** (1 / mpmath.mpf(norm))


@pytest.mark.parametrize("norm", [*NORMS, 1.01, 3.0, 100.0, 1e17])
@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1.0, 1e30, 1e300])
def test_a_length_is_exact_however_tiny_or_huge(norm, scale):
    """mpmath at 50 digits; powers of coordinates of 1e300 overflow, and those of 1e-300 are all 0."""
    vectors = scale * torch.from_numpy(generator(11, 1).standard_normal((5, 7)))
    vectors[1, 2:] = 0.0
    with mpmath.workdps(50):
        for vector, length in zip(vectors, lengths(vectors, norm), strict=True):
            # The Euclidean length, that of every attack without a norm, is torch's own, and scales nothing.
            if norm != 2.0 or 1e-150 < scale < 1e150:
                assert abs(float(length) / exact_length(vector, norm) - 1) < 1e-14
    assert lengths(torch.zeros(3, 4), norm).tolist() == [0.0] * 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1e-35, 1.0, 1e35])
@pytest.mark.parametrize("norm", [*NORMS, 1.01, 3.0, 100.0, 1e17])
def test_the_steepest_vector_has_length_1_and_reaches_the_dual_norm(norm, scale, dtype):
    """<g, u> = |g|_q is the most that Hoelder's inequality allows; mpmath."""
    gradients = (scale * torch.from_numpy(generator(11, 2).standard_normal((6, 9)))).to(dtype)
    gradients[1, 4:] = 0.0
    rounding = 20 * torch.finfo(dtype).eps
    for gradient, unit in zip(gradients, steepest(gradients, norm), strict=True):
        assert unit.dtype == dtype
        with mpmath.workdps(50):
            length = exact_length(unit, norm)
            reached = mpmath.fsum(mpmath.mpf(float(g)) * float(u) for g, u in zip(gradient, unit, strict=True))
            assert abs(length - 1) < rounding
            q = math.inf if norm == 1.0 else 1.0 if norm == math.inf else mpmath.mpf(norm) / (mpmath.mpf(norm) - 1)
            assert abs(reached / exact_length(gradient, q) - 1) < rounding
    assert not steepest(torch.zeros(2, 5, dtype=dtype), norm).any()


@pytest.mark.parametrize("norm", NORMS)
def test_no_vector_of_the_same_norm_is_steeper(norm):
    """Brute force: random vectors, and scipy's search from random starts, of at most the steepest's change."""
    rng = generator(11, 3)
    gradient = rng.standard_normal(4)
    best = float(gradient @ steepest(torch.from_numpy(gradient[None]), norm)[0].numpy())

    def change(vector):
        return gradient @ vector / np.linalg.norm(vector, ord=norm)

    assert max(map(change, rng.standard_normal((20_000, 4)))) <= best * (1 + 1e-12)
    searched = [
        -minimize(lambda v: -change(v), start, method="Nelder-Mead").fun for start in rng.standard_normal((8, 4))
    ]
    assert max(searched) <= best * (1 + 1e-12)
    assert max(searched) >= 0.99 * best


def test_the_step_of_norm_1_takes_the_first_of_equal_coordinates():
    gradients = torch.tensor([[1.0, -3.0, 3.0, -3.0], [2.0, 2.0, 2.0, 2.0], [0.0, 0.0, -1.0, 0.0]])
    expected = [[0.0, -1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0]]
    assert steepest(gradients, 1.0).tolist() == expected


@pytest.mark.parametrize("norm", NORMS)
def test_positions_have_the_norm_of_all_their_coordinates_together(norm):
    gradients = torch.from_numpy(generator(11, 4).standard_normal((3, 2, 5)))
    unit = steepest(gradients, norm)
    assert unit.shape == gradients.shape
    assert torch.equal(unit.flatten(1), steepest(gradients.flatten(1), norm))
    assert torch.equal(lengths(gradients, norm), lengths(gradients.flatten(1), norm))


def attacked_by_hand(f, x, attack, norm, steps):
    """f(x), f(x'), |g|_q, |x' - x|_p with numpy's norms, the steepest step written out."""
    start, first = x, None
    for _ in range(steps):
        x = x.detach().requires_grad_()
        value = f(x)
        (found,) = torch.autograd.grad(value, x)
        g = found.numpy().ravel()
        q = DUALS[norm]
        slope = np.linalg.norm(g, ord=q)
        first = slope if first is None else first
        if norm == 1.0:
            unit = np.zeros_like(g)
            unit[np.abs(g).argmax()] = np.sign(g[np.abs(g).argmax()])
        else:
            unit = np.sign(g) * np.abs(g) ** (q - 1) / slope ** (q - 1)
        size = attack.budget or attack.step * (
            slope if attack.unit == "absolute" else abs(float(value.detach())) / slope
        )
        way = {"gradient": -1.0, "reversed": 1.0}[attack.direction]
        x = (x + way * size * torch.sign(value) * torch.from_numpy(unit).reshape(x.shape)).detach()
    moved = np.linalg.norm((x - start).numpy().ravel(), ord=norm)
    return [float(f(start)), float(f(x)), first, moved / np.linalg.norm(start.numpy().ravel(), ord=norm)]


@pytest.mark.parametrize(
    "options",
    [{"budget": 0.4}, {"step": 0.3}, {"step": 0.3, "unit": "linear"}, {"budget": 0.4, "direction": "reversed"}],
)
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("norm", NORMS)
def test_an_attack_by_a_norm_is_its_steepest_step_by_hand(norm, steps, options):
    """By torch's autograd and numpy's norms on the same dense weights."""
    attack, arch = Attack(norm=norm, steps=steps, **options), Architecture(6, (5, 4))
    c = Configuration.of(arch, TANH, 1.0, law="dense", dtype="float64", point=(1.0, -2.0, 0.5, 3.0, -1.0, 2.0))
    c, key = replace(c, attack=attack), Key(7, "norms", "by hand")
    network, _, start = draw_network(c, c.block_trials, key.draws(0, torch.float64))
    sample = run_block(c, key, 0)
    for trial in range(40):

        def f(x, trial=trial):
            for matrix in network.matrices:
                x = torch.tanh(matrix.weights[trial] @ x)
            return network.output[trial] @ x

        got = [float(column[trial]) for column in sample.columns().values()]
        # float64 on both sides; powers of ratios lose a few digits over the steps.
        assert got == pytest.approx(attacked_by_hand(f, start[trial], attack, norm, steps), rel=1e-9, abs=1e-12)


def test_the_step_of_norm_2_is_the_gradient_step():
    arch, key = Architecture(6, (5, 4)), Key(7, "norms", "norm 2")
    for law in ("dense", "conditioned"):
        for unit in ("absolute", "linear"):
            plain = Configuration.of(arch, TANH, 0.7, steps=3, unit=unit, law=law, dtype="float64")
            by_norm = plain.varied(norm=2)
            for mine, other in zip(*(run_block(c, key, 0).columns().values() for c in (plain, by_norm)), strict=True):
                # float64 on both sides.
                assert mine == pytest.approx(other, rel=1e-10, abs=1e-12)


def test_a_euclidean_budget_needs_no_coordinates():
    """The frame of THEORY 3: d = 10^12."""
    sample = simulate(Architecture(10**12, (100,)), TANH, norm=2.0, budget=2.5, trials=500)
    assert sample.relative_perturbation == pytest.approx(2.5e-6)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("law", ["dense", "conditioned"])
def test_one_step_has_the_length_of_its_budget(law, norm):
    sample = simulate(Architecture(50, (20,)), TANH, norm=norm, budget=0.3, trials=300, law=law)
    size = 1.0 if norm == math.inf else 50 ** (1 / norm)
    # The step is float32.
    assert sample.relative_perturbation * size == pytest.approx(0.3, rel=1e-5)


def test_an_attack_by_a_norm_is_written_down_in_plain_json():
    by_budget = Attack(norm=math.inf, budget=0.1, steps=2)
    assert by_budget.to_json() == {
        "steps": 2, "direction": "gradient", "stop": "last step", "norm": "inf", "budget": 0.1
    }  # fmt: skip
    assert Attack(**by_budget.to_json()) == by_budget
    assert Attack(2, norm=1) == Attack(2.0, norm=1.0)
    assert Attack(2.0).to_json() == {"step": 2.0, "steps": 1, "direction": "gradient", "stop": "last step"}
    c = Configuration.of(Architecture(7, (5,)), TANH, None, norm="inf", budget=0.1, point=(1.0,) * 7)
    assert Configuration.from_json(c.to_json()) == c


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        (ValueError, "norm must be a number from 1 to inf, got 0.5", {"step": 1.0, "norm": 0.5}),
        (ValueError, "norm must be .*, got nan", {"step": 1.0, "norm": math.nan}),
        (TypeError, "norm must be .*, got 'two'", {"step": 1.0, "norm": "two"}),
        (TypeError, "norm must be .*, got True", {"step": 1.0, "norm": True}),
        (ValueError, "budget must be a positive finite number, got 0", {"norm": 2.0, "budget": 0}),
        (TypeError, "budget must be a positive finite number, got '1'", {"norm": 2.0, "budget": "1"}),
        (ValueError, "step must be None where a budget is given, got 1.0", {"step": 1.0, "norm": 2.0, "budget": 1.0}),
        (ValueError, "unit must be 'absolute' where", {"unit": "linear", "norm": 2.0, "budget": 1.0}),
        (ValueError, "norm must be a number from 1 to inf where a budget is given, got None", {"budget": 1.0}),
        (TypeError, "step must be a positive finite number, got None", {"norm": 2.0}),
        (TypeError, "step must be a positive finite number, got None", {}),
        (ValueError, "direction must be .* with a norm, got 'random'", {"step": 1.0, "norm": 2, "direction": "random"}),
        (ValueError, "direction must be .* with a norm, got 'across'", {"step": 1.0, "norm": 2, "direction": "across"}),
    ],
)
def test_what_an_attack_by_a_norm_cannot_be_is_refused_by_name(error, message, options):
    with pytest.raises(error, match=message):
        Attack(**options)


def test_laws_that_know_no_coordinates_are_refused_by_name():
    arch = Architecture(7, (5,))
    for options in ({"step": 1.0, "norm": 2.0}, {"norm": math.inf, "budget": 1.0}):
        with pytest.raises(ValueError, match=r"norm must be None with law='infinite-width', got (2.0|'inf')"):
            simulate(arch, TANH, law="infinite-width", trials=5, **options)
    with pytest.raises(ValueError, match="unit must be 'absolute' with law='infinite-width', got 'linear'"):
        simulate(arch, TANH, law="infinite-width", trials=5, step=1.0, unit="linear")
    with pytest.raises(ValueError, match="law must be 'dense' where a point is given"):
        simulate(arch, TANH, norm=2.0, budget=1.0, trials=5, point=(1.0,) * 7)
    with pytest.raises(MemoryError, match="one trial must fit into this machine"):
        simulate(Architecture(10**12, (5,)), TANH, norm=math.inf, budget=1.0, trials=5)


def test_memory_counts_the_coordinates_that_a_norm_looks_at():
    """As many tensors of the input's length as of the width's; without a norm the input dimension does not count."""
    arch = Architecture(10**6, (10,))
    plain = Configuration.of(arch, TANH, 1.0)
    by_norm = Configuration.of(arch, TANH, 1.0, norm=math.inf, steps=3)
    assert plain.entries_held() == plain.varied(norm=2.0).entries_held() < 1000
    assert by_norm.entries_held() >= 3 * 8 * 10**6
    assert (plain.block_trials, by_norm.block_trials) == (2048, 1)


def test_networks_after_training_are_attacked_in_coordinates_where_they_are_dense():
    training = Training(inputs=((1.0, 0.0), (0.0, 1.0)), labels=(1.0, -1.0), epochs=2, learning_rate=0.1)
    options = {"norm": math.inf, "budget": 0.1, "trials": 20, "training": training}
    sample = simulate(Architecture(9, (6,)), TANH, law="dense", dtype="float64", **options)
    # Of |x|_2 = 3 in R^9 the largest coordinate is from 1 to 3, the same in each trial.
    assert sample.relative_perturbation == pytest.approx(sample.relative_perturbation[0])
    assert 0.1 / 3 <= sample.relative_perturbation[0] <= 0.1
    with pytest.raises(ValueError, match="norm must be None or 2 with training and law='conditioned', got inf"):
        simulate(Architecture(9, (6,)), TANH, **options)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("step", [1e-4, 1e-2])
def test_a_steepest_step_has_the_dtype_of_a_gradient_step_that_goes_as_far(norm, step):
    """Single precision does not resolve the shorter one; |x' - x|_2 is s sqrt(beta), spread over all coordinates."""
    arch = Architecture(10**4, (100,))
    _, slope = arch.limit_moments(TANH)
    plain = Configuration.of(arch, TANH, step)
    assert plain.dtype == ("float64" if step < 1e-3 else "float32")
    spread = 1e4 ** (1 / norm - 0.5)
    for options in ({"step": None, "budget": step * math.sqrt(slope) * spread}, {"step": step * spread**2}):
        assert plain.varied(dtype="", norm=norm, **options).dtype == plain.dtype


TRIALS = 20_000
POINT = (3.0, 0.0, -1.0, 0.5, 2.0, -2.0, 1.0, 0.0, 0.25)
COLUMNS = {"value", "attacked_value", "gradient_norm", "relative_perturbation"}


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_conditioned_networks_in_coordinates_have_the_law_of_dense_ones(name, norm, steps):
    """Exact two-sample statements at 1e-9, five a case; x of unequal coordinates, so that each coordinate counts.

    A distance of 0.033 refutes. Changes and lengths are rounded, so that no rounding noise splits an atom.
    """
    arch, activation = Architecture(9, (6, 5)), activations.get(name)
    options = {"norm": norm, "steps": steps, "trials": TRIALS}
    budget = 1.5 * 9 ** (0.5 if norm == 1 else 1 / norm - 0.5)
    dense = simulate(arch, activation, law="dense", dtype="float64", budget=budget, seed=1, point=POINT, **options)
    point = None if norm == 2.0 else POINT  # the frame knows |x| alone
    conditioned = simulate(arch, activation, budget=budget, seed=2, point=point, **options)
    assert_one_law(dense, conditioned)


@pytest.mark.parametrize("norm", [1.0, 1.5, math.inf])
def test_conditioned_networks_of_several_positions_have_the_law_of_dense_ones(norm):
    """A convolution over three positions in R^12, more than a frame would hold; statements as above."""
    model = Sequential(12, (Conv(4), Pointwise(TANH), Pool()), grid=(3,))
    attack = Attack(norm=norm, budget=1.5 * 36 ** (1 / norm - 0.5), steps=2)
    options = {"attack": attack, "trials": TRIALS // 2, "dtype": "float64"}
    assert_one_law(simulate(model, law="dense", seed=1, **options), simulate(model, seed=2, **options))


def assert_one_law(dense, conditioned):
    assert 0.05 < dense.flipped.mean() < 0.999
    for view in (*COLUMNS, "change"):
        first, second = (
            sample.attacked_value - sample.value if view == "change" else getattr(sample, view)
            for sample in (dense, conditioned)
        )
        assert same_law_p_value(np.round(first, 5), np.round(second, 5)) >= FALSE_FAIL, view
