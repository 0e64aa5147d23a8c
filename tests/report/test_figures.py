"""Figures show what claims declare, and what evidence holds; they guess nothing from a claim's id or from words."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import sample

from signflip.checks.check import Check
from signflip.checks.quantifiers import configuration, flips
from signflip.claims.claim import Claim
from signflip.report.figures import panels, svg
from signflip.report.figures.choose import figures_of
from signflip.report.figures.figure import Figure
from signflip.report.figures.margins import margins_figure, used_of
from signflip.report.figures.theorem import theorem_figures
from signflip.report.reading import groups_of


def drawn(checks: dict[str, Any], change: Any = None) -> dict[str, list[Figure]]:
    """The figures of a small run, by claim; ``change`` may change its document first."""
    document = sample.run(checks)
    if change is not None:
        change(document)
    with svg.settings():
        return {check.id: figures_of(check) for check in sample.whole(sample.again(document)).checks}


def words(figure: Figure) -> str:
    """All that a reader reads of a figure."""
    return " ".join([figure.title, figure.caption, *(key.text for key in figure.keys), *figure.panels])


def stays(evidence: Check) -> None:
    for width in (1, 2, 4):
        subject = configuration(sample.get("relu"), (width,), 10**6, 3.0)
        evidence.rate_at_least(0.6**width, lambda s: ~flips(s), subject, name=f"P(no flip) at b={width}", cap=400)


def rows(evidence: Check) -> None:
    for threshold in (0.3, 0.1):
        evidence.rate_at_least(
            threshold,
            flips,
            configuration(sample.get("tanh"), (50,), 9, 1.5),
            name=f"failure <= {1 - threshold:g}",
            cap=300,
        )


def falls(evidence: Check) -> None:
    for name, power in (("tanh", -0.5), ("relu", -0.25)):
        ladder = {d: sample.np.linspace(0.9, 1.1, 600) * d**power for d in (100, 1000, 10_000)}
        evidence.decay_exponent(
            ladder, ceiling=-0.1, predicted=power, tolerance=0.06, name="exponent", about={"activation": name}
        )


def approaches(evidence: Check) -> None:
    ladder = {m: (configuration(sample.get("relu"), (m,), 8, 1.0), 3000) for m in (2, 16)}
    limit = (configuration(sample.get("relu"), (500,), 8, 1.0), 3000)
    evidence.approach(ladder, limit, of={"|grad f(x)|": lambda s: s.gradient_norm}, predicted=-1, tolerance=0.45)


def test_a_rate_of_no_flip_is_named_so_and_never_meets_the_law_of_flips() -> None:
    declared = {"of": "P(no flip)", "against": ("width",)}
    (figure,) = drawn({"A.stays": ({"statements": 3, "figure": declared}, stays)})["A.stays"]
    assert "erf" not in words(figure)
    assert figure.title == "P(no flip) against width m of the smallest layer"
    assert ">P(no flip)</text>" in figure.panels[0]


def test_a_bound_that_differs_by_configuration_is_drawn_at_each() -> None:
    (figure,) = drawn({"A.stays": ({"statements": 3}, stays)})["A.stays"]
    assert "claimed: at least this, by configuration" in words(figure)
    assert figure.panels[0].count("<use") >= 3


def test_the_law_of_flips_is_drawn_where_a_claim_declares_it_and_nowhere_else() -> None:
    plain = drawn({"LIMIT.erf": ({"statements": 3}, sample._limit)})["LIMIT.erf"][0]
    declared = {"of": "P(flip)", "against": ("step",), "beside": "erf"}
    told = drawn({"A.any-id": ({"statements": 3, "figure": declared}, sample._limit)})["A.any-id"][0]
    assert "erf(t" not in words(plain)
    assert "limit law of a flip, erf(t/√2)" in words(told)


def test_a_declared_figure_that_the_evidence_cannot_fill_is_an_error() -> None:
    def forget(document: dict[str, Any]) -> None:
        for example in document["checks"][0]["examples"]:
            for entry in example["statements"]:
                del entry["about"]["natural_steps"]

    declared = {"of": "P(flip)", "against": ("step",)}
    with pytest.raises(LookupError, match=r"A\.one: its figure must show step t, .*'P\(flip\) at t=0.5' does not hold"):
        drawn({"A.one": ({"statements": 3, "figure": declared}, sample._limit)}, forget)
    with pytest.raises(LookupError, match=r"A\.one: its figure must colour curves by 'scale'"):
        drawn({"A.one": ({"figure": {"series": "scale"}}, sample._decay)})


@pytest.mark.parametrize(
    ("figure", "says"),
    [
        ({"on": "x"}, "figure must have fields of of, against, beside, series, got 'on'"),
        ({"against": ("depth",)}, "figure: against must be of width, dimension, step, size, scale, got 'depth'"),
        ({"against": "width"}, "figure: against must be a tuple of width"),
        ({"beside": "gamma"}, "figure: beside must be of erf, got 'gamma'"),
        ({"of": 3}, "figure: of must be a text, got 3"),
        ("P(flip)", "figure must name its fields, got 'P(flip)'"),
    ],
)
def test_a_declaration_that_says_nothing_is_refused(figure: Any, says: str) -> None:
    with pytest.raises(ValueError, match=r"claim 'A\.one': ") as error:
        Claim(id="A.one", statement="s", mark="derived", domain="d", tolerance=0.1, detects="x", figure=figure)
    assert says in str(error.value)


def test_rows_are_told_apart_with_a_threshold_each_and_legends_show_what_is_drawn() -> None:
    (figure,) = drawn({"A.rows": ({"statements": 2}, rows)})["A.rows"]
    assert "failure &lt;= 0.7" in figure.panels[0]
    assert "failure &lt;= 0.9" in figure.panels[0]
    colours = {key.text: (key.shape, key.colour) for key in figure.keys}
    assert colours["observed rate"] == ("dot", "1")
    assert colours["claimed: at least this, by configuration"] == ("tick", "4")
    assert "var(--series-4)" in figure.panels[0]
    assert "var(--series-2)" not in figure.panels[0]


def test_one_rate_alone_is_no_forest() -> None:
    assert drawn({"A.one": ({}, sample._open)})["A.one"] == []


def test_families_of_a_decay_have_a_fitted_and_a_claimed_slope_each() -> None:
    declared = {"of": "median of |∇f(x′) − ∇f(x)|", "against": ("size",)}
    (figure,) = drawn({"LOCAL.any": ({"statements": 2, "figure": declared}, falls)})["LOCAL.any"]
    told = [key.text for key in figure.keys]
    assert told == [
        "tanh: fitted slope −0.500, claimed −0.500 ± 0.06 (dashed)",
        "relu: fitted slope −0.250, claimed −0.250 ± 0.06 (dashed)",
    ]
    assert "|x′ − x|" not in words(figure)
    assert "m = d" in figure.panels[0]


def test_an_approach_shows_its_intervals_and_the_slopes_that_are_claimed() -> None:
    (figure,) = drawn({"INF.any": ({}, approaches)})["INF.any"]
    told = " ".join(key.text for key in figure.keys)
    assert "relu, |∇f(x)|: slope in [" in told
    assert "claimed slopes: within 0.45 of −1" in told
    assert "predicted" not in words(figure)


def test_equal_laws_look_equal_however_many_networks_each_sample_has() -> None:
    def ten_times_more(document: dict[str, Any]) -> None:
        for comparison in document["checks"][0]["figures"]["comparisons"]:
            joint = comparison["joint"]
            joint["first"] = [10 * count for count in joint["second"]]
            joint["outside"] = [10 * joint["outside"][1], joint["outside"][1]]

    def equal(document: dict[str, Any]) -> None:
        for comparison in document["checks"][0]["figures"]["comparisons"]:
            joint = comparison["joint"]
            joint["first"], joint["outside"] = joint["second"], [joint["outside"][1]] * 2

    checks = {"A.laws": ({"statements": 8}, sample._laws("every layer"))}
    many, same = (drawn(copy.deepcopy(checks), change)["A.laws"][1].panels[0] for change in (ten_times_more, equal))
    assert many == same


def test_the_picture_of_the_theorem_and_the_margins_are_drawn_from_the_evidence(document: dict[str, Any]) -> None:
    changed = copy.deepcopy(document)
    check = next(check for check in changed["checks"] if check["id"] == "MW-1.sample")
    about = {"activation": "relu", "widths": [9], "input_dim": 100, "natural_steps": 2.0}
    check["figures"]["paths"] = [{"about": about, "values": [[1.0, 0.2, -1.0], [-2.0, 0.0, 1.0], [3.0, 2.0, 1.0]]}]
    check["claim"]["figure"] |= {"of": "P(x′ is adversarial)", "against": ["width", "dimension"]}
    whole = sample.whole(sample.again(changed))
    with svg.settings():
        paths, plane = theorem_figures(whole)
        margins = margins_figure([(group.title, group.checks) for group in groups_of(whole)])
    assert "2 of 3 networks end with the opposite sign." in paths.caption
    rates = {(row[0], row[1]): float(row[4]) for row in plane.table.rows}
    for entry in check["examples"][0]["statements"]:
        cell = min(rates, key=lambda place: place != cell_of(entry["about"]))
        assert rates[cell] <= entry["statement"]["successes"] / entry["statement"]["trials"] + 1e-4
    assert margins is not None
    for entry in (entry for one in whole.checks for part in one.parts for entry in part.statements):
        used = used_of(entry)
        assert used is not None, entry.name
        assert used.bound <= 1 or entry.verdict == "REFUTED", entry.name
        assert used.observed <= used.bound or entry.verdict == "REFUTED", entry.name


def cell_of(about: dict[str, Any]) -> tuple[str, str]:
    """The cell of the plane: two decades of d, one of m."""
    d, m = len(str(about["input_dim"])) - 1, len(str(min(about["widths"]))) - 1
    return panels.power(d // 2 * 2), panels.power(m)
