"""The code blocks of the documents run as they stand, and do what the text around them says."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from readme import ROOT, example

from signflip.evidence.document import load
from signflip.sampling import process


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A suite of one file, that of the page on adding a claim, in a folder of its own."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    process.export_one_thread()
    page = (ROOT / "docs/howto/add-a-claim.md").read_text(encoding="utf-8")
    pytester.mkdir("theorem_checks").joinpath("test_example.py").write_text(example("claim", page), encoding="utf-8")
    return pytester


def run(suite: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return suite.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error", *arguments)


def test_the_example_claim_is_supported_its_control_refuted_and_the_evidence_verifies(suite: pytest.Pytester) -> None:
    run(suite, "theorem_checks/").assert_outcomes(passed=2)
    verdicts = {check.id: check.verdict for check in load(suite.path / "reports/latest/evidence.json").checks}
    assert verdicts == {"EXAMPLE.two-steps": "SUPPORTED", "NOT.example-one-step": "REFUTED"}
    verified = suite.run(Path(sys.executable).with_name("signflip"), "verify", "reports/latest/evidence.json")
    assert verified.ret == 0
    verified.stdout.fnmatch_lines(
        ["*2 checks, 4 statements: every verdict follows", "2 of 2 registered checks ended as claimed"]
    )


def test_a_false_claim_fails_and_the_line_it_prints_replays_that_case_alone(suite: pytest.Pytester) -> None:
    path = suite.path / "theorem_checks" / "test_example.py"
    control_as_claim = path.read_text(encoding="utf-8").replace('    expect="REFUTED",\n', "")
    path.write_text(control_as_claim, encoding="utf-8")
    failed = run(suite, "theorem_checks/")
    failed.assert_outcomes(passed=1, failed=1)
    (line,) = set(re.findall(r"^pytest .*--theorem-replay=.*$", failed.stdout.str(), re.MULTILINE))
    evidence = suite.path / "reports/latest/evidence.json"
    before = evidence.read_bytes()
    run(suite, *shlex.split(line)[1:]).assert_outcomes(failed=1)
    (check,) = load(evidence.with_name("replay.json")).checks
    assert (check.verdict, len(check.examples)) == ("REFUTED", 1)
    assert evidence.read_bytes() == before


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("README.md", "library"),
        ("docs/start/sample-networks.md", "convolution"),
        ("docs/question/does-training-help.md", "training"),
        *(
            ("docs/howto/networks.md", "convolution"),
            ("docs/howto/networks.md", "own"),
            ("docs/howto/networks.md", "norm"),
        ),
        ("docs/howto/attack-libraries.md", "attack"),
    ],
)
def test_the_examples_of_networks_print_what_they_say(page: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = example(name, (ROOT / page).read_text(encoding="utf-8"))
    exec(compile(text, page, "exec"), {"__name__": "__main__"})
    (promised,) = re.findall(r"print\(.*\)  # (.*)", text)
    assert capsys.readouterr().out.strip() == promised


def test_the_example_of_a_module_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs/howto/networks.md").read_text(encoding="utf-8")
    (tmp_path / "encoder.py").write_text(example("encoder", page), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    text = example("behind", page)
    exec(compile(text, "docs/howto/networks.md", "exec"), {"__name__": "__main__"})
    (promised,) = re.findall(r"print\(.*\)  # (.*)", text)
    assert capsys.readouterr().out.strip() == promised


def test_the_library_example_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    page = "docs/start/sample-networks.md"
    text = example("library", (ROOT / page).read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    exec(compile(text, page, "exec"), names)
    (promised,) = re.findall(r"print\(.*\)  # (.*)", text)
    assert capsys.readouterr().out.strip() == promised
    sample = names["sample"]
    for column in ("value", "attacked_value", "gradient_norm", "relative_perturbation"):
        values = getattr(sample, column)
        assert (values.dtype, values.shape) == (np.float64, (10_000,))
    assert (sample.flipped.dtype, sample.flipped.shape) == (np.bool_, (10_000,))  # type: ignore[attr-defined]
