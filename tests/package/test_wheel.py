"""The package as others get it: the wheel, claims in another repository, and silence where there are none."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import signflip

ROOT = Path(__file__).parents[2]
Python = Callable[..., subprocess.CompletedProcess[str]]
PAGE = (ROOT / "docs/howto/own-repository.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL))


def test_the_wheel_holds_the_package_alone(names: list[str]) -> None:
    roots = {name.split("/")[0] for name in names}
    assert roots == {"signflip", f"signflip-{signflip.__version__}.dist-info"}
    for name in ("py.typed", "report/templates/page.html.j2", "report/templates/style.css", "sampling/engines/dask.py"):
        assert f"signflip/{name}" in names


def test_the_version_stands_in_one_place() -> None:
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    cited = re.findall(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert cited == [signflip.__version__]


@pytest.fixture(scope="module")
def another_repository(elsewhere: Python, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The repository of docs/howto/own-repository.md, after `pytest`; and what pytest printed."""
    folder = tmp_path_factory.mktemp("another")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    done = elsewhere(folder, "-W", "error", "-m", "pytest", "-n0")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


def test_claims_of_another_repository_give_verdicts_evidence_and_a_page(another_repository: tuple[Path, str]) -> None:
    folder, said = another_repository
    assert "2 of 2 checks ended as claimed" in said
    document = json.loads((folder / "reports/latest/evidence.json").read_text(encoding="utf-8"))
    verdicts = {check["id"]: check["verdict"] for check in document["checks"]}
    assert verdicts == {"OURS.heads": "SUPPORTED", "OURS.positive": "SUPPORTED"}
    page = (folder / "reports/latest/index.html").read_text(encoding="utf-8")
    for text in (
        "<h1>Heads and tails</h1>",
        "Jacob Bernoulli, Ars Conjectandi",
        "not proved, as far as",
        "-n auto my_claims/",
    ):
        assert text in page
    assert "Montanari" not in page


def test_a_failure_there_is_repeated_by_the_line_that_it_prints(
    another_repository: tuple[Path, str], elsewhere: Python
) -> None:
    folder, _ = another_repository
    path = folder / "my_claims/test_wrong.py"
    path.write_text(FILES["my_claims/test_ours.py"].replace("OURS.", "WRONG.").replace("0.5, 0.1,", "0.7, 0.1,"))
    report = "--theorem-report=wrong"
    failed = elsewhere(folder, "-m", "pytest", "-n0", "my_claims/test_wrong.py", report)
    (line,) = re.findall(r"^pytest .*--theorem-replay=.*$", failed.stdout, re.MULTILINE)
    again = elsewhere(folder, "-m", *shlex.split(line), "-n0", report)
    path.unlink()
    assert again.returncode == 1, again.stdout + again.stderr
    assert "WRONG.positive is REFUTED" in again.stdout


def test_the_command_judges_and_lists_there(another_repository: tuple[Path, str], elsewhere: Python) -> None:
    folder, _ = another_repository
    main = "from signflip.command import main; main(prog_name='signflip')"
    verified = elsewhere(folder, "-W", "error", "-c", main, "verify", "--as-claimed", "reports/latest/evidence.json")
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.endswith("2 of 2 registered checks ended as claimed\n")
    listed = elsewhere(folder, "-c", main, "claims", "--suite", "my_claims")
    assert "OURS.positive [conjecture] expected SUPPORTED: Random tanh networks" in listed.stdout, listed.stderr


def test_a_project_without_claims_does_not_notice_the_plugin(elsewhere: Python, tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text(
        "import os, sys\n"
        "def test_plain():\n"
        "    assert 'OMP_NUM_THREADS' not in os.environ\n"
        "    assert not {'torch', 'numpy', 'msgspec', 'matplotlib'} & set(sys.modules)\n",
        encoding="utf-8",
    )
    # Hypothesis's and xdist's plugins are left out: it is ours that must load nothing.
    quiet = ("-p", "no:hypothesispytest", "-p", "no:xdist")
    done = elsewhere(tmp_path, "-X", "importtime", "-m", "pytest", *quiet, "test_plain.py")
    assert done.returncode == 0, done.stdout
    assert "theorem" not in done.stdout
    microseconds = sum(int(own) for own in re.findall(r"import time: +(\d+) \| +\d+ \| +signflip", done.stderr))
    assert 0 < microseconds < 50_000
