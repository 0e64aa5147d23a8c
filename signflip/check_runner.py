"""Runs the test function of one check: Hypothesis chooses configurations, the record says what came of them.

What Hypothesis draws depends on the master seed and the check alone: not on the environment, a database,
other tests, or on which modules happen to be loaded.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.errors import HypothesisException
from hypothesis.internal.conjecture import providers

from signflip import replay
from signflip.checking import Evidence
from signflip.claims import canonical
from signflip.codec import decode, encode
from signflip.evidence import check_verdict

# Configurations that may be tried to make a failing one simpler; each costs as much as an example.
SHRINK_EXAMPLES = 20


class SteadyProvider(providers.HypothesisProvider):
    """Hypothesis's own source of draws, without the constants it collects from whatever modules are loaded."""

    def _maybe_draw_constant(self, *_: Any, **__: Any) -> None:
        return None


@contextmanager
def _steady_draws() -> Generator[None]:
    usual = providers.AVAILABLE_PROVIDERS["hypothesis"]
    providers.AVAILABLE_PROVIDERS["hypothesis"] = f"{__name__}.{SteadyProvider.__name__}"
    try:
        yield
    finally:
        providers.AVAILABLE_PROVIDERS["hypothesis"] = usual


def hypothesis_settings(examples: int) -> hypothesis.settings:
    """The settings of a check that draws ``examples`` configurations; nothing in them depends on the environment."""
    return hypothesis.settings(
        max_examples=examples,
        # Set, not inherited: Hypothesis changes both by itself where it sees a CI variable.
        derandomize=False,
        database=None,
        deadline=None,
        print_blob=False,
        verbosity=Verbosity.normal,
        report_multiple_bugs=False,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=(
            # One evidence object serves all examples of a check, on purpose: it holds their budget.
            HealthCheck.function_scoped_fixture,
            # An example samples thousands of networks; slow is its business, and the trial caps bound it.
            HealthCheck.too_slow,
        ),
    )


class CheckRunner:
    """One run of one check.

    Args:
        function: the test function, under @given or plain (then it is one example).
        evidence: its fixture.
        replayed: a parsed --theorem-replay, or None.
    """

    def __init__(self, function: Any, evidence: Evidence, replayed: Mapping[str, Any] | None) -> None:
        self._function = function
        self._evidence = evidence
        self._replayed = replayed
        self._seen: dict[str, BaseException | None] = {}
        self._failed = False
        self._shrinks_left = SHRINK_EXAMPLES
        self._error: str | None = None

    def run(self, fixtures: Mapping[str, Any]) -> None:
        """Run all examples, then judge the pools; raises what a failing example raised."""
        __tracebackhide__ = True
        arguments = {name: fixtures[name] for name in inspect.signature(self._function).parameters}
        try:
            if self._replayed is not None:
                drawn = {name: decode(value) for name, value in self._replayed["draws"].items()}
                handle = getattr(self._function, "hypothesis", None)
                self._example(handle.inner_test if handle else self._function, {**arguments, **drawn})
            elif hasattr(self._function, "hypothesis"):
                self._explore(arguments)
            else:
                self._example(self._function, arguments)
            self._evidence.close()
        except AssertionError:
            raise
        except BaseException as error:
            self._error = f"{type(error).__name__}: {error}"
            raise

    def _explore(self, arguments: Mapping[str, Any]) -> None:
        handle = self._function.hypothesis
        inner = handle.inner_test

        def example(**values: Any) -> None:
            self._example(inner, values)

        handle.inner_test = example
        hypothesis.seed(self._evidence.hypothesis_seed)(self._function)
        try:
            with _steady_draws():
                self._function(**arguments)
        finally:
            handle.inner_test = inner

    def _example(self, body: Callable[..., None], values: Mapping[str, Any]) -> None:
        """One configuration: judged once, however often Hypothesis comes back to it."""
        draws = {name: encode(value) for name, value in values.items() if value is not self._evidence}
        key = canonical(draws)
        if key in self._seen:
            if (known := self._seen[key]) is not None:
                raise known
            return
        if self._failed:
            if self._shrinks_left == 0:
                return
            self._shrinks_left -= 1
        self._evidence.begin(draws, shrinking=self._failed)
        try:
            body(**values)
            self._evidence.end()
        except HypothesisException:  # the draw was rejected: no example after all
            self._evidence.examples.pop()
            raise
        except BaseException as error:
            self._seen[key] = error
            self._failed = True
            raise
        self._seen[key] = None

    def record(self, nodeid: str) -> dict[str, Any]:
        """The check's record: plain data, as evidence holds it."""
        evidence = self._evidence
        record = {
            "id": evidence.claim.id,
            "nodeid": nodeid,
            "claim": evidence.claim.to_json(),
            "alpha": evidence.alpha,
            "allowed_examples": evidence.allowed_examples,
            "examples": evidence.examples,
            "pooled": evidence.pooled,
            "networks": evidence.networks,
            "configurations": evidence.configurations,
            "error": self._error,
        }
        return {**record, "verdict": check_verdict(record)}

    def explanation(self, nodeid: str) -> str:
        """A failure in words: the claim, the first and the simplest failing example, and the line that replays it."""
        claim, evidence = self._evidence.claim, self._evidence
        failing = [e for e in evidence.examples if e["verdict"] not in (claim.expect, None)]
        lines = [
            f"{claim.id} [{claim.mark}]: {claim.statement}",
            f"domain: {claim.domain}",
            f"expected: {claim.expect}; tolerance {claim.tolerance:g}; detects: {claim.detects}",
            f"error rate of each statement: {evidence.alpha:.3g}",
        ]
        if self._error is not None:
            lines.append(f"error: {self._error}")
            failing = failing or evidence.examples[-1:]
        if evidence.pooled is not None:
            lines += ["pooled over all examples:", *_statements(evidence.pooled, claim.expect)]
        for title, example in zip(("first failing example", "shrunk example"), _ends(failing), strict=False):
            lines += [f"{title}: {canonical(example['draws'])}", *_statements(example, claim.expect)]
        if failing or evidence.examples:
            case = (failing or evidence.examples)[-1]
            lines += ["replay:", replay.command(nodeid, claim.id, evidence.seed, evidence.alpha, case["draws"])]
        return "\n".join(lines)


def _ends(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return items if len(items) < 2 else [items[0], items[-1]]


def _statements(part: Mapping[str, Any], expected: str) -> list[str]:
    return [
        f"  {s['verdict']:<12} {s['name']} {canonical(s['about'])}: {s['sentence']}"
        for s in part["statements"]
        if s["verdict"] != expected
    ]

