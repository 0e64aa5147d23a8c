"""The command ``sample``: random networks attacked, from the shell."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from signflip import Sample

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


@click.command(short_help="Draw random networks, and attack each.")
@click.option("--activation", default="relu", show_default=True, help="Name of an activation.")
@click.option("--widths", type=Widths(), default="1000", show_default=True, help="Hidden widths, e.g. 1000,1000.")
@click.option("--input-dim", type=Whole(), default="1e12", show_default=True, help="Input dimension d.")
@click.option("--natural-steps", type=float, help="Step length in natural steps (default: 3).")
@click.option("--step", type=float, help="Step length in absolute units, instead of --natural-steps.")
@click.option("--steps", type=Whole(), default="1", show_default=True, help="Number of gradient steps.")
@click.option("--trials", type=Whole(), default="10000", show_default=True, help="Number of networks.")
@click.option(
    "--law", type=click.Choice(["conditioned", "dense", "infinite-width"]), default="conditioned", show_default=True
)
@click.option("--seed", type=Whole(), default="0", show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the table.")
@click.option(
    "--plot", type=click.Path(path_type=Path), metavar="FILE", help="Write f(x') against f(x), as svg, png or pdf."
)
def sample(**given: Any) -> None:
    """Draw random networks, attack each by gradient steps, and say what happened."""
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
    from signflip import Architecture, activations, simulate

    if given["step"] is not None and given["natural_steps"] is not None:
        raise ValueError("--step must be given without --natural-steps, got both")
    if given["plot"] is not None and given["plot"].suffix not in (".svg", ".png", ".pdf"):
        raise ValueError(f"--plot must end in .svg, .png or .pdf, got {given['plot']}")
    activation = activations.get(given["activation"])
    architecture = Architecture(given["input_dim"], given["widths"])
    t = 3.0 if given["natural_steps"] is None else given["natural_steps"]
    step = given["step"]
    if step is None:
        step = t * architecture.natural_step(activation)
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("networks", total=given["trials"])
        found = simulate(
            architecture,
            activation,
            step=step,
            trials=given["trials"],
            law=given["law"],
            seed=given["seed"],
            device=given["device"],
            progress=lambda done: bar.update(task, completed=done),
            **({"steps": given["steps"]} if given["steps"] != 1 else {}),
        )
    about = {name: given[name] for name in ("activation", "widths", "input_dim", "law", "steps", "seed")}
    t_of_step = _natural(architecture, activation, step)
    return found, {**about, "widths": list(given["widths"]), "step": step, "natural_steps": t_of_step}


def _natural(architecture: Any, activation: Any, step: float) -> float | None:
    """The step in natural steps; None where there is no natural step."""
    try:
        t = step / architecture.natural_step(activation)
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
        "limit": limit_flip_rate(t) if t is not None and about["steps"] == 1 else None,
        "quantiles": {
            name: dict(zip(map(str, LEVELS), np.quantile(getattr(found, column), LEVELS).tolist(), strict=True))
            for name, column in COLUMNS.items()
        },
    }


def _print(summary: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    widths = " x ".join(f"{width:,}" for width in summary["widths"])
    t = "" if summary["natural_steps"] is None else f" ({summary['natural_steps']:.4g} natural steps)"
    console.print(
        f"{summary['activation']}, m = {widths}, d = {summary['input_dim']:,}, step {summary['step']:.4g}{t}, "
        f"{summary['law']}, seed {summary['seed']}",
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
    """f(x') against f(x), a dot a network: the sign flipped in the shaded quadrants."""
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
