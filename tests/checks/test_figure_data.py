"""Summaries for figures: right, bounded in size, and strict JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from signflip.activations import get
from signflip.checks import figure_data
from signflip.checks.figure_data import FigureData
from signflip.checks.sampler import Sampler
from signflip.checks.views import JOINT_PROJECTIONS
from signflip.networks.architecture import Architecture
from signflip.sampling.configuration import Configuration
from signflip.sampling.fingerprint import code_digest
from signflip.sampling.sample import Sample
from signflip.sampling.trials import simulate


def configuration(width: int = 3, name: str = "relu") -> Configuration:
    return Configuration.of(Architecture(4, (width,)), get(name), 1.0)


def drawn(seed: int, name: str = "relu") -> Sample:
    return simulate(Architecture(4, (3,)), get(name), step=1.0, trials=500, law="conditioned", seed=seed)


def compared(distances: list[float]) -> dict[str, object]:
    found = FigureData()
    names = dict(list(JOINT_PROJECTIONS.items())[:1])
    for i, distance in enumerate(distances):
        found.compared({"i": i}, {}, (drawn(1), drawn(2)), names, [distance])
    return found.to_json()


def test_the_comparisons_with_the_largest_distances_are_kept() -> None:
    kept = compared([0.1, 0.4, 0.2, 0.3, 0.4])["comparisons"]
    assert isinstance(kept, list)
    assert [entry["about"]["i"] for entry in kept] == [1, 4]


def test_counts_are_those_of_the_samples() -> None:
    first, second = drawn(1), drawn(2)
    found = FigureData()
    found.compared({}, {}, (first, second), JOINT_PROJECTIONS, [0.1] * len(JOINT_PROJECTIONS))
    (entry,) = found.to_json()["comparisons"]
    joint = entry["joint"]
    assert sum(joint["first"]) + joint["outside"][0] == 500
    assert sum(joint["second"]) + joint["outside"][1] == 500
    part = entry["projections"]["|grad f(x)|"]
    assert part["first"][-1] == part["second"][-1] == 500
    assert len(part["points"]) <= figure_data.LEVELS + 1
    k = len(part["points"]) // 2
    assert part["first"][k] == pytest.approx(np.sum(first.gradient_norm <= part["points"][k]), abs=2)


def test_the_place_where_two_samples_differ_most_is_among_the_points() -> None:
    first, second = drawn(1), drawn(2, "tanh")
    found = figure_data._distribution_functions(first.value, second.value)
    seen = max(abs(a - b) / 500 for a, b in zip(found["first"], found["second"], strict=True))
    both = np.concatenate([first.value, second.value])
    true = max(abs(np.mean(first.value <= v) - np.mean(second.value <= v)) for v in both)
    assert seen == pytest.approx(true)


def test_a_sample_that_is_one_atom_has_a_histogram() -> None:
    still = Sample(*(np.full(10, value) for value in (1e300, 1e300, 0.0, 0.0)))
    found = FigureData()
    found.compared({}, {}, (still, still), {"f(x)": lambda sample: sample.value}, [0.0])
    (entry,) = json.loads(json.dumps(found.to_json(), allow_nan=False))["comparisons"]
    assert sum(entry["joint"]["first"]) == 10


def test_sizes_and_activations_are_bounded_and_the_rest_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_data, "MOST_SIZES", 3)
    monkeypatch.setattr(figure_data, "MOST_ACTIVATIONS", 2)
    found = FigureData()
    for name in ("relu", "tanh", "abs"):
        for width in (3, 2, 1, 5, 5):
            found.saw(configuration(width, name))
    data = found.to_json()
    assert [size["least_width"] for size in data["sizes"]] == [1, 2, 3]
    assert data["sizes_left_out"] == 1
    assert sorted(curve["name"] for curve in data["activations"].values()) == ["relu", "tanh"]
    assert data["activations_left_out"] == 1
    assert all(len(curve["values"]) == figure_data.CURVE_POINTS for curve in data["activations"].values())


def test_the_digest_of_the_code_follows_names_and_texts(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "a.py").write_text("x = 1\n")
    first = code_digest([folder])
    assert code_digest([folder, tmp_path / "missing"]) == first
    (folder / "notes.txt").write_text("not code")
    assert code_digest([folder]) == first
    (folder / "a.py").write_text("x = 2\n")
    second = code_digest([folder])
    (folder / "a.py").rename(folder / "b.py")
    assert len({first, second, code_digest([folder])}) == 3


def test_a_traced_path_runs_from_f_at_x_to_f_at_the_end_of_the_step() -> None:
    subject = Configuration.of(Architecture(6, (5, 4)), get("tanh"), 2.0, dtype="float64")
    network, _, point = Sampler("A", 1).block(subject, 7, "picture")
    found = FigureData()
    found.traced({"n": 1}, network, point, subject.attack.step)
    (path,) = found.to_json()["paths"]
    network, space, point = Sampler("A", 1).block(subject, 7, "picture")
    attacked = subject.attack.run(network, space, point)
    values = np.asarray(path["values"])
    assert values.shape == (7, figure_data.PATH_POINTS)
    np.testing.assert_allclose(values[:, 0], attacked.value.numpy(), rtol=2e-3)
    # The last answer of a second layer is fresh in part, so that x' has its law only: the linear part is seen at x.
    descent = -subject.attack.step * np.sign(values[:, 0]) * attacked.gradient_norm.numpy() ** 2
    first_step = (values[:, 1] - values[:, 0]) * (figure_data.PATH_POINTS - 1)
    assert np.all(np.sign(first_step) == np.sign(descent))


def test_pictures_have_draws_of_their_own() -> None:
    subject = configuration()
    one, other = (Sampler("A", 1).block(subject, 4, use)[0] for use in ("picture", "confirm"))
    assert not np.allclose(one.output.numpy(), other.output.numpy())
