"""Small suites in a folder of their own, run by pytester; torch is loaded once, so a run in process is cheap."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import signflip.checks.check  # loaded here, they stay loaded over pytester's runs in process
import signflip.report.page
from signflip.evidence import lines
from signflip.evidence.records import CheckRecord

# Drawing the page takes longer than a small suite: a run that is to draw it is given PAGE. Where this project is
# installed in place and pytest runs without workers, pytest finds the plugin's package only inside a run, too late to
# rewrite its asserts, and would warn in every run that it is loaded already.
INI = """
[pytest]
addopts = -p no:randomly -p no:cacheprovider -p no:signflip-report
strict = true
filterwarnings =
  error
  ignore:Module already imported so cannot be rewritten; signflip:pytest.PytestAssertRewriteWarning
"""
PAGE = ("-p", "signflip-report")
# What every check of a small suite may use: odd networks of a few neurons, and events whose rates are known.
CHEAP = """
import numpy as np
import pytest
from hypothesis import assume, example, given, settings, strategies as st
from signflip.activations import get
from signflip.checks import claim
from signflip.networks.architecture import Architecture
from signflip.sampling.configuration import Configuration

def network(width=3):
    return Configuration.of(Architecture(4, (width,)), get("tanh"), 1.0)

def always(sample):
    return np.ones(len(sample), bool)

def never(sample):
    return np.zeros(len(sample), bool)

def coin(sample):
    return sample.value > 0

def words(**changed):
    usual = dict(mark="derived", statement="Heads come up half of the time.", domain="tiny networks", tolerance=0.5)
    return {**usual, "detects": "a rate below 1/2", "examples": 3, **changed}
"""
CHECKS = {
    "test_a.py": """
@claim("A.supported", **words())
@given(width=st.integers(1, 50))
def test_supported(width, evidence):
    evidence.rate_at_least(0.5, always, network(width), name="heads")

@claim("A.refuted", **words())
@given(width=st.integers(1, 50))
def test_refuted(width, evidence):
    evidence.rate_at_least(0.5, never if width >= 7 else always, network(width), name="heads")
""",
    "test_b.py": """
@claim("B.near", **words(examples=2, statements=2))
@given(width=st.integers(1, 10**6), scale=st.floats(0.5, 2))
def test_near(width, scale, evidence):
    evidence.rate_near(0.5, 0.2, coin, network(1 + width % 9), name="heads")
    evidence.rate_at_least(0.3, coin, network(3), name="heads again")

@claim("B.control", **words(expect="REFUTED"))
def test_control(evidence):
    evidence.rate_at_least(0.9, coin, network(), name="heads")
""",
}
# One check of each way to sample: pilots, laws, exponents, tables and pools beside the rates of the usual ones.
KINDS = """
from dataclasses import replace
from signflip.checks.pivots import INDEPENDENT_PAIRS, PIVOTS

@claim("C.law", **words(statements=2, examples=2, tolerance=0.2))
@given(width=st.integers(2, 5))
def test_law(width, evidence):
    first = replace(network(width), law="dense")
    second = replace(first, law="conditioned")
    of = {"value": lambda sample: sample.value, "moved": lambda sample: sample.relative_perturbation}
    evidence.same_law(first, second, of=of, trials=9000, tolerance=0.2)

@claim("C.limit", **words())
@given(width=st.integers(1, 9))
def test_limit(width, evidence):
    subject = replace(network(width), law="infinite-width")
    if evidence.pilot_rate(coin, subject, accept=0.4, reject=0.3, cap=10**5):
        evidence.note("the pilot agrees")
    evidence.tabulate("heads", coin, [network(1), subject], trials=5000)

@claim("C.pooled", **words(statements=0, pooled=len(PIVOTS) + len(INDEPENDENT_PAIRS) + 1, tolerance=0.5))
@given(width=st.integers(2, 5))
def test_pooled(width, evidence):
    evidence.pool_pivots(replace(network(width), law="dense", dtype="float64"), trials=3000)
"""


def build(folder: Path, files: dict[str, str], conftest: str = "") -> Path:
    """Write a suite of the check files given, each with the names of CHEAP, into ``folder``."""
    suite = folder / "theorem_checks"
    suite.mkdir(parents=True, exist_ok=True)
    (folder / "pytest.ini").write_text(INI)
    (folder / "conftest.py").write_text(conftest)
    (folder / "cheap.py").write_text(CHEAP)
    for name, text in files.items():
        path = folder / name if "/" in name else suite / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"from cheap import *\n{text}")
    return folder


class Suite:
    """A small suite, and what its runs left."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.folder = pytester.path

    def write(self, files: dict[str, str] | str, conftest: str = "") -> None:
        build(self.folder, {"test_a.py": files} if isinstance(files, str) else files, conftest)

    def run(self, *arguments: str) -> pytest.RunResult:
        """pytest in this process, without workers unless -n asks for them."""
        # pytester would pass a KeyboardInterrupt inside on to the session outside, and end it.
        return self.pytester.runpytest_inprocess(*arguments, no_reraise_ctrlc=True)

    def document(self, name: str = "evidence.json") -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "reports/latest" / name).read_text())
        return found

    def checks(self, name: str = "evidence.json") -> dict[str, dict[str, Any]]:
        """The checks by id; "../latest-partial/evidence.json" has those of a run of some, beside a whole one."""
        return {check["id"]: check for check in self.document(name)["checks"]}

    def lines(self) -> list[CheckRecord]:
        """The checks that evidence.jsonl holds, in the order in which they came."""
        text = (self.folder / "reports/latest/evidence.jsonl").read_text()
        return [line.check for line in lines.read(text)[1]]


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    """An empty suite in a folder of its own."""
    return Suite(pytester)


@pytest.fixture(scope="session")
def usual_checks() -> dict[str, str]:
    """Four checks in two files; A.refuted fails."""
    return CHECKS


@pytest.fixture(scope="session")
def green_checks() -> dict[str, str]:
    """Three checks in two files, all of which end as claimed."""
    return {**CHECKS, "test_a.py": CHECKS["test_a.py"].split('@claim("A.refuted"')[0]}


@pytest.fixture(scope="session")
def every_kind() -> dict[str, str]:
    """The usual checks, and one of each other way to sample; A.refuted fails."""
    return {**CHECKS, "test_c.py": KINDS}


@pytest.fixture(scope="session")
def build_suite() -> Callable[..., Path]:
    """`build`, for suites that outlive a test."""
    return build


@pytest.fixture(scope="session")
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run this interpreter in a folder: arguments, and changes of the environment."""

    def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("PYTEST")},
                "PYTHONPATH": str(Path(signflip.__file__).parents[1]),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def replay_arguments() -> Callable[[str], list[str]]:
    """The arguments of the one replay line in a run's output."""

    def found(output: str) -> list[str]:
        (line,) = re.findall(r"^pytest .* --theorem-replay=.*$", output, re.MULTILINE)
        return shlex.split(line)[1:]

    return found
