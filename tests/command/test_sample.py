"""``signflip sample``: networks from the shell, as the library gives them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest
from support import command

from signflip import Architecture, Sequential, activations, blocks, natural_step, simulate

SMALL = ["sample", "--widths", "50,40", "--input-dim", "1e6", "--trials", "3000", "--seed", "7"]


def test_the_json_is_what_the_library_gives(capsys: pytest.CaptureFixture[str]) -> None:
    assert command([*SMALL, "--activation", "tanh", "--natural-steps", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    architecture, tanh = Architecture(10**6, (50, 40)), activations.get("tanh")
    sample = simulate(architecture, tanh, step=2 * architecture.natural_step(tanh), trials=3000, seed=7)
    assert found["flips"] == int(sample.flipped.sum())
    interval = binomtest(found["flips"], 3000).proportion_ci(0.95, "exact")
    assert found["interval"] == pytest.approx([interval.low, interval.high], abs=1e-9)
    assert found["quantiles"]["f(x)"]["0.5"] == pytest.approx(float(np.median(sample.value)))
    # The limit is printed from erf(2 / sqrt 2) = 0.95450: four digits tell it from any other t.
    assert found["limit"] == pytest.approx(0.9545, abs=1e-4)


def test_the_table_says_the_rate_its_interval_and_its_limit(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(SMALL) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "signs flipped: rate 0." in text
    assert "limit erf(t / sqrt 2) = 0.9973" in text
    assert "|x' - x| / |x|" in text


def test_a_steepest_step_of_a_norm_has_its_budget_and_its_limit(capsys: pytest.CaptureFixture[str]) -> None:
    """relu: V = beta = 1/2, so that two natural steps are 2 sqrt(pi / (2 d)) in each coordinate."""
    budget = 2 * float(np.sqrt(np.pi / 1000))
    small = ["sample", "--widths", "300", "--input-dim", "500", "--trials", "2000", "--norm", "inf"]
    assert command([*small, "--budget", str(budget), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    sample = simulate(
        Architecture(500, (300,)), activations.get("relu"), norm=float("inf"), budget=budget, trials=2000, seed=0
    )
    assert found["flips"] == int(sample.flipped.sum())
    assert (found["norm"], found["budget"]) == ("inf", budget)
    assert found["natural_steps"] == pytest.approx(2.0)
    assert found["limit"] == pytest.approx(0.9545, abs=1e-4)
    assert command([*small, "--budget", str(budget)]) == 0
    assert "in the inf-norm (2 natural steps), conditioned" in " ".join(capsys.readouterr().out.split())
    for wrong in ([], ["--budget", "0.1", "--step", "1"], ["--budget", "0.1", "--natural-steps", "1"]):
        assert command([*small, *wrong]) == 2
        assert "must be given with" in capsys.readouterr().err


MODEL = Sequential(10**6, (blocks.Linear(50), blocks.Pointwise(activations.get("tanh"))))


@pytest.mark.parametrize("in_a_file", [True, False])
def test_a_model_is_sampled_by_its_place_or_its_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, in_a_file: bool
) -> None:
    monkeypatch.setattr("signflip.MODEL", MODEL, raising=False)
    place = tmp_path / "model.json" if in_a_file else "signflip:MODEL"
    (tmp_path / "model.json").write_text(json.dumps(MODEL.to_json()))
    arguments = ["sample", "--model", str(place), "--trials", "2000", "--seed", "7"]
    assert command([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    sample = simulate(MODEL, step=3 * natural_step(MODEL), trials=2000, seed=7)
    assert found["flips"] == int(sample.flipped.sum())
    assert found["model"] == MODEL.to_json()
    assert command(arguments) == 0
    assert "signflip.networks.sequential:Sequential, step" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_plot_is_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"plot.{suffix}"
    assert command([*SMALL, "--plot", str(path)]) == 0
    assert path.stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--activation", "rely"], "activation must be one of"),
        (["--widths", "0"], "widths must be a whole number from 1"),
        (["--input-dim", "1.5"], "must be a whole number, such as 1000 or 1e12, got '1.5'"),
        (["--trials", "0"], "trials must be a whole number from 1"),
        (["--step", "-1"], "step must be a positive finite number, got -1.0"),
        (["--step", "1", "--natural-steps", "1"], "got both"),
        (
            ["--model", "signflip:absent"],
            "--model must be package.module:name, importable here, or a file, got 'signflip:absent'",
        ),
        (["--model", "signflip:simulate"], "--model must name a Model, got <function simulate"),
        (["--model", "signflip:simulate", "--widths", "3"], "--model must be given without --widths, got both"),
        (["--model", __file__], "--model must be a file with the JSON of a model"),
        (["--plot", "plot.txt"], "--plot must end in .svg, .png or .pdf"),
        (["--law", "infinite-width", "--steps", "2"], "steps must be 1 with law='infinite-width', got 2"),
    ],
)
def test_bad_input_is_one_clear_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["sample", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_help_and_version_wait_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("verify", "report", "diff", "nightly", "sample", "claims"):
        assert command([name, "--help"]) == 0
        assert "Usage: signflip" in capsys.readouterr().out
    assert command(["--version"]) == 0


def test_a_night_looks_at_its_options_before_it_deletes_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "evidence.json"
    kept.write_text("of the last night")
    for option in ("--effort=bogus", "--seed=-1", f"--suite={tmp_path / 'absent'}"):
        assert command(["nightly", "-o", str(tmp_path), option]) == 2
        assert kept.read_text() == "of the last night"
    assert "must be a whole number from 0, or 'random'" in capsys.readouterr().err
