"""The tutorial runs as it stands, and README shows what a run printed."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

from readme import README, ROOT

sys.path.insert(0, str(ROOT / "docs"))
from results import rows, summary

TUTORIAL = (ROOT / "docs/start/first-run.md").read_text(encoding="utf-8")
RESULTS = (ROOT / "docs/question/results.txt").read_text(encoding="utf-8")


def test_the_tutorials_commands_run_in_turn_and_say_what_it_promises(tmp_path: Path) -> None:
    blocks = re.findall(r"<!-- run -->\n```sh\n(.*?)\n```", TUTORIAL, re.DOTALL)
    assert len(blocks) == 3
    printed = []
    for line in blocks:
        program, *words = shlex.split(line.replace("reports/first-run", str(tmp_path)))
        command = [str(Path(sys.executable).with_name(Path(program).name)), *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        printed.append(done.stdout)
    sampled, checked, verified = printed
    assert re.search(r"flip", sampled)
    assert re.search(r"^LIMIT\.erf +\[derived\] +SUPPORTED ", checked, re.MULTILINE)
    assert (tmp_path / "index.html").exists()
    assert "every verdict follows" in verified


def test_the_readmes_rows_are_those_of_the_kept_run() -> None:
    (shown,) = re.findall(r"<!-- rows -->\n(.*?)\n<!-- /rows -->", README, re.DOTALL)
    assert shown.splitlines()[2:] == rows(RESULTS)
    registered = int(re.findall(r"^(\d+) of \d+ checks ended as claimed", RESULTS, re.MULTILINE)[0])
    assert f"Ten of the {registered} rows" in README


def test_the_kept_run_is_what_a_run_prints() -> None:
    log = RESULTS.replace("evidence: reports/", "evidence: /somewhere/reports/")
    assert summary(f"before\n{log}page: /somewhere\n") == RESULTS


def test_the_readme_quotes_the_measured_faults() -> None:
    faults = json.loads((ROOT / "calibration/measured.json").read_text(encoding="utf-8"))[0]
    assert " ".join(faults["lines"][0].split()) in " ".join(README.split())


def test_the_readme_fits_on_130_lines_and_shows_code_within_20() -> None:
    lines = README.splitlines()
    assert len(lines) <= 130
    assert "```sh" in lines[:20]
