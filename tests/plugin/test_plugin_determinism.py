"""Evidence is a function of the seed, the options and the code: never of workers, order, subset or environment."""

from __future__ import annotations

import json
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis.internal.conjecture import providers

from signflip.canonical import canonical

Documents = dict[str, dict[str, Any]]
# Hypothesis collects constants from the modules of a project, and draws them now and then.
CONSTANTS = f"CONSTANTS = {[random.Random(1).randrange(10**6) for _ in range(400)]}\nMORE = [0.625, 1.375, 1.8125]\n"


def outside_circumstances(document: dict[str, Any]) -> str:
    return canonical({key: value for key, value in document.items() if key != "circumstances"})


def many_examples(checks: dict[str, str]) -> dict[str, str]:
    """The same checks, forty examples of B.near among them."""
    return {**checks, "test_b.py": checks["test_b.py"].replace("examples=2", "examples=40")}


@pytest.fixture(scope="module")
def documents(
    tmp_path_factory: pytest.TempPathFactory,
    build_suite: Callable[..., Path],
    every_kind: dict[str, str],
    python: Callable[..., subprocess.CompletedProcess[str]],
) -> Documents:
    """One suite run in several ways, each with the seed that the first one, with two workers, has drawn."""
    folder = build_suite(tmp_path_factory.mktemp("steady"), many_examples(every_kind))
    found: Documents = {}

    def run(name: str, *arguments: str, **environment: str) -> str:
        done = python(folder, "-m", "pytest", f"--theorem-report={name}", *arguments, **environment)
        assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr  # A.refuted
        found[name] = json.loads((folder / name / "evidence.json").read_text())
        return done.stdout

    printed = run("workers", "-n2", "--theorem-seed=random")
    (seed,) = set(re.findall(r"seed[= ](\d+)", printed))
    assert found["workers"]["run"]["seed"] == int(seed)
    option = f"--theorem-seed={seed}"
    run("serial", option, "--hypothesis-seed=3", "-p", "no:xdist")
    (folder / "constants.py").write_text(CONSTANTS)
    (folder / "conftest.py").write_text((folder / "conftest.py").read_text() + "import constants\n")
    reversed_files = [f"theorem_checks/test_{name}.py" for name in "cba"]
    run("elsewhere", option, *reversed_files, CI="true", GITHUB_ACTIONS="true")
    return found


@pytest.mark.parametrize("way", ["serial", "elsewhere"])
def test_evidence_is_byte_equal_whatever_ran_it(documents: Documents, way: str) -> None:
    # "elsewhere": reversed order of files, a CI's variables, and a module full of constants.
    assert outside_circumstances(documents[way]) == outside_circumstances(documents["workers"])
    assert documents[way]["circumstances"] != documents["workers"]["circumstances"]


def test_a_subset_has_the_records_and_the_thresholds_of_the_full_run(
    documents: Documents, suite: Any, every_kind: dict[str, str]
) -> None:
    suite.write(many_examples(every_kind))
    full = documents["workers"]
    assert suite.run(f"--theorem-seed={full['run']['seed']}", "theorem_checks/test_b.py").ret == 0
    subset = suite.document()
    assert [check["id"] for check in subset["checks"]] == ["B.control", "B.near"]
    assert all(check in full["checks"] for check in subset["checks"])
    assert subset["run"] == full["run"]


def test_draws_spread_over_their_range(documents: Documents) -> None:
    (near,) = (check for check in documents["serial"]["checks"] if check["id"] == "B.near")
    assert len(near["examples"]) == 40
    assert len({canonical(example["draws"]) for example in near["examples"]}) == 40


def test_another_seed_or_another_id_draws_other_examples(suite: Any) -> None:
    twice = (
        "@claim('T.{0}', **words(examples=8))\n@given(n=st.integers(1, 10**9))\ndef test_{0}(n, evidence):\n"
        "    evidence.rate_at_least(0.3, coin, network(), name='heads')\n"
    )
    suite.write(twice.format("one") + twice.format("two"))
    drawn = {}
    for seed in (1, 2):
        suite.run(f"--theorem-seed={seed}")
        for name, check in suite.checks().items():
            drawn[seed, name] = [example["draws"]["n"] for example in check["examples"]]
            drawn[seed, name, "counts"] = [e["statements"][0]["statement"]["successes"] for e in check["examples"]]
    assert len({canonical(values) for values in drawn.values()}) == len(drawn)


def test_hypothesis_gets_its_own_provider_back(suite: Any, usual_checks: dict[str, str]) -> None:
    before = dict(vars(providers.HypothesisProvider))
    suite.write(usual_checks)
    suite.run()
    assert before == dict(vars(providers.HypothesisProvider))
