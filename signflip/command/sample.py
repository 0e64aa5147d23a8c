"""The command ``sample``: random networks attacked, from the shell."""

from __future__ import annotations

import json
import math
import pkgutil
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from signflip import Attack, Model, Sample

LEVELS = (0.01, 0.25, 0.5, 0.75, 0.99)
CONFIDENCE = 0.95
COLUMNS = {
    "f(x)": "value",
    "f(x')": "attacked_value",
    "|grad f(x)|": "gradient_norm",
    "|x' - x| / |x|": "relative_perturbation",
}


class Whole(click.ParamType):  # type: ignore[type-arg]  # generic in some versions of click only
    """A whole number, also written as 1e12."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or number != int(number):
            self.fail(f"must be a whole number, such as 1000 or 1e12, got {value!r}", param, ctx)
        return int(number)


class Widths(click.ParamType):  # type: ignore[type-arg]  # generic in some versions of click only
    """Hidden widths, separated by commas."""

    name = "widths"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """The widths."""
        if isinstance(value, tuple):
            return value
        return tuple(Whole().convert(part, param, ctx) for part in str(value).split(","))


@click.command(short_help="Draw random networks and attack each.")
@click.option("--activation", show_default="relu", help="Name of an activation.")
@click.option("--widths", type=Widths(), show_default="1000", help="Hidden widths, e.g. 1000,1000.")
@click.option("--input-dim", type=Whole(), show_default="1e12", help="Input dimension d.")
@click.option(
    "--model",
    metavar="PLACE",
    help="A model, instead of these three: package.module:name, or a file with the JSON of its to_json().",
)
@click.option("--natural-steps", type=float, help="Step length in natural steps (default: 3).")
@click.option("--step", type=float, help="Step length in absolute units, instead of --natural-steps.")
@click.option("--norm", type=float, help="Steepest steps in the p-norm, p from 1 to inf, each of length --budget.")
@click.option("--budget", type=float, help="Length of a step in the norm, instead of --natural-steps and --step.")
@click.option("--steps", type=Whole(), default="1", show_default=True, help="Number of gradient steps.")
@click.option("--trials", type=Whole(), default="10000", show_default=True, help="Number of networks.")
@click.option(
    "--law", type=click.Choice(["conditioned", "dense", "infinite-width"]), default="conditioned", show_default=True
)
@click.option("--seed", type=Whole(), default="0", show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the table.")
@click.option(
    "--plot", type=click.Path(path_type=Path), metavar="FILE", help="Plot f(x') against f(x), as .svg, .png or .pdf."
)
def sample(**given: Any) -> None:
    """Draw random networks, attack each by gradient steps, and print how many signs flipped."""
    from signflip.sampling import process

    process.settle()
    try:
        found, about = _drawn(given)
    except (ValueError, TypeError, LookupError, MemoryError, ArithmeticError, RuntimeError) as error:
        raise click.UsageError(str(error)) from error
    if given["plot"] is not None:
        _plot(found, given["plot"])
    summary = _summary(found, about)
    if given["as_json"]:
        from signflip.canonical import canonical

        click.echo(canonical(summary))
    else:
        _print(summary)


def _drawn(given: dict[str, Any]) -> tuple[Sample, dict[str, Any]]:
    """The sample, and what was sampled."""
    from signflip import simulate

    if given["step"] is not None and given["natural_steps"] is not None:
        raise ValueError("--step must be given without --natural-steps, got both")
    if given["plot"] is not None and given["plot"].suffix not in (".svg", ".png", ".pdf"):
        raise ValueError(f"--plot must end in .svg, .png or .pdf, got {given['plot']}")
    model, about, natural = _subject(given)
    attack, t = _attack(given, model, natural)
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("networks", total=given["trials"])
        found = simulate(
            model,
            attack=attack,
            trials=given["trials"],
            law=given["law"],
            seed=given["seed"],
            device=given["device"],
            progress=lambda done: bar.update(task, completed=done),
        )
    about |= {name: given[name] for name in ("law", "steps", "seed")}
    about |= {"step": attack.step} if attack.norm is None else {"norm": str(attack.norm), "budget": attack.budget}
    return found, {**about, "natural_steps": t, "outputs": model.outputs}


def _attack(given: dict[str, Any], model: Model, natural_step: Callable[[], float]) -> tuple[Attack, float | None]:
    """The attack, and its length in natural steps: in a norm it is known of fully connected networks."""
    from signflip import Attack, FullyConnected
    from signflip.laws.norms import limit_budget

    norm, budget, steps = given["norm"], given["budget"], given["steps"]
    if (norm is None) != (budget is None):
        raise ValueError(f"--norm must be given with --budget, got {norm} with {budget}")
    if norm is None:
        t = 3.0 if given["natural_steps"] is None else given["natural_steps"]
        step = t * natural_step() if given["step"] is None else given["step"]
        return Attack(step, steps), _natural(natural_step, step)
    for name in ("step", "natural_steps"):
        if given[name] is not None:
            raise ValueError(f"--budget must be given without {_option(name)}, got both")
    attack, t = Attack(steps=steps, norm=norm, budget=budget), None
    if isinstance(model, FullyConnected) and not model.bias:
        t = _natural(lambda: limit_budget(model.architecture, model.activation, norm, 1.0), budget)
    return attack, t


def _subject(given: dict[str, Any]) -> tuple[Model, dict[str, Any], Callable[[], float]]:
    """The model, what is said of it, and what finds its natural step: of a fully connected one that of the limit."""
    from signflip import Architecture, FullyConnected, activations, natural_step

    chain = {name: given[name] for name in ("activation", "widths", "input_dim") if given[name] is not None}
    if given["model"] is not None:
        if chain:
            raise ValueError(f"--model must be given without {_option(next(iter(chain)))}, got both")
        model = _model(given["model"])
        return model, {"model": model.to_json()}, cache(lambda: natural_step(model))
    about: dict[str, Any] = {"activation": "relu", "widths": (1000,), "input_dim": 10**12} | chain
    activation, architecture = activations.get(about["activation"]), Architecture(about["input_dim"], about["widths"])
    about["widths"] = list(about["widths"])
    return FullyConnected(architecture, activation), about, lambda: architecture.natural_step(activation)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _model(place: str) -> Model:
    """The model that is found at package.module:name, or described in a file.

    Raises:
        ValueError: if there is none.
    """
    from signflip import Model

    if (file := Path(place)).is_file():
        try:
            return Model.from_json(json.loads(file.read_text(encoding="utf-8")))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"--model must be a file with the JSON of a model, got {place}: {error}") from error
    try:
        found = pkgutil.resolve_name(place)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"--model must be package.module:name, importable here, or a file, got {place!r}") from error
    if not isinstance(found, Model):
        raise ValueError(f"--model must name a Model, got {found!r}")
    return found


def _natural(natural_step: Callable[[], float], step: float) -> float | None:
    """The step in natural steps; None where there is no natural step."""
    try:
        t = step / natural_step()
    except (ValueError, ArithmeticError):
        return None
    return float(t) if math.isfinite(t) else None


def _summary(found: Sample, about: dict[str, Any]) -> dict[str, Any]:
    """Plain data: the flip rate with its interval and its limit, and quantiles of each outcome."""
    import numpy as np

    from signflip.inference import clopper_pearson
    from signflip.laws.limits import limit_flip_rate

    flips, trials = int(found.flipped.sum()), len(found)
    interval = clopper_pearson(flips, trials, 1 - CONFIDENCE)
    t = about["natural_steps"]
    return {
        **about,
        "trials": trials,
        "flips": flips,
        "flip_rate": flips / trials,
        "interval": [interval.lower, interval.upper],
        "confidence": CONFIDENCE,
        "limit": limit_flip_rate(t) if t is not None and _has_limit(about) else None,
        "quantiles": {
            name: dict(zip(map(str, LEVELS), np.quantile(getattr(found, column), LEVELS).tolist(), strict=True))
            for name, column in COLUMNS.items()
        },
    }


def _has_limit(about: dict[str, Any]) -> bool:
    """Whether the flip rate tends to erf(t / sqrt 2): of one step, one output, and a norm other than 1."""
    return bool(about["steps"] == about["outputs"] == 1 and about.get("norm") != "1")


def _print(summary: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if "model" in summary:
        subject = str(summary["model"]["kind"])
    else:
        widths = " x ".join(f"{width:,}" for width in summary["widths"])
        subject = f"{summary['activation']}, m = {widths}, d = {summary['input_dim']:,}"
    t = "" if summary["natural_steps"] is None else f" ({summary['natural_steps']:.4g} natural steps)"
    length = (
        f"step {summary['step']:.4g}"
        if "step" in summary
        else f"budget {summary['budget']:.4g} in the {summary['norm']}-norm"
    )
    console.print(
        f"{subject}, {length}{t}, {summary['law']}, seed {summary['seed']}",
        highlight=False,
    )
    low, high = summary["interval"]
    limit = "" if summary["limit"] is None else f"; limit erf(t / sqrt 2) = {summary['limit']:.4f}"
    console.print(
        f"{summary['flips']:,} of {summary['trials']:,} signs flipped: rate {summary['flip_rate']:.4f}, "
        f"{CONFIDENCE:.0%} interval [{low:.4f}, {high:.4f}]{limit}",
        highlight=False,
    )
    table = Table("outcome", *(f"{level:.0%}" for level in LEVELS), title="quantiles")
    for name, quantiles in summary["quantiles"].items():
        table.add_row(name, *(f"{value:.4g}" for value in quantiles.values()))
    console.print(table)


def _plot(found: Sample, path: Path) -> None:
    """f(x') against f(x), one dot per network: the sign flipped in the shaded quadrants."""
    from signflip.environment import without_backend

    with without_backend():
        from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.add_subplot()
    reach = 1.05 * float(max(abs(found.value).max(), abs(found.attacked_value).max(), 1e-300))
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xlabel="f(x)", ylabel="f(x')")
    axes.fill_between([-reach, 0.0], 0.0, reach, color="0.93", linewidth=0)
    axes.fill_between([0.0, reach], -reach, 0.0, color="0.93", linewidth=0)
    axes.scatter(found.value, found.attacked_value, s=2, linewidths=0, alpha=0.5, rasterized=True)
    axes.set_title(f"{found.flipped.mean():.4f} of {len(found):,} signs flipped (shaded)")
    figure.savefig(path)
