"""The house: imports run one way between packages, there is no circle, and the statistics wing never needs torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import signflip

PACKAGE = Path(signflip.__file__).parent
ROOT = PACKAGE.parent
# What each package may import, besides itself. Statistics, sampling, roof, from the ground up.
ALLOWED: dict[str, set[str]] = {
    "canonical": set(),
    "atomic": set(),
    "environment": set(),
    "inference": set(),
    "claims": {"inference"},
    "evidence": {"atomic", "canonical", "claims", "inference"},
    "activations": {"canonical"},
    "networks": {"activations", "canonical"},
    "laws": {"activations", "networks"},
    "sampling": {"activations", "canonical", "laws", "networks"},
    "reference": {"activations", "laws", "networks", "sampling"},
    "checks": {"activations", "canonical", "claims", "evidence", "inference", "laws", "networks", "sampling"},
    "plugin": {
        "activations",
        "canonical",
        "checks",
        "claims",
        "environment",
        "evidence",
        "inference",
        "networks",
        "sampling",
    },
    "report": {"atomic", "canonical", "claims", "environment", "evidence", "inference", "laws"},
    "command": {
        "activations",
        "canonical",
        "claims",
        "environment",
        "evidence",
        "inference",
        "laws",
        "report",
        "sampling",
    },
}
STATISTICS = ("atomic", "canonical", "environment", "inference", "claims", "evidence", "report")


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(path: Path) -> Iterator[str]:
    """Modules of this package that a file imports anywhere: at the top, in a function, for types alone."""
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "signflip")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: name in full what is imported"
            assert node.module is not None
            if node.module.split(".")[0] != "signflip":
                continue
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else node.module


ARROWS = {name: sorted(set(imported(path)) - {name}) for name, path in MODULES.items()}


def package_of(module: str) -> str:
    """The package, or the module beside the packages, that a module belongs to; "" for signflip itself."""
    return module.split(".")[1] if "." in module else ""


def test_every_package_has_its_place() -> None:
    assert {package_of(module) for module in MODULES} - {""} == set(ALLOWED)


def test_imports_run_one_way_between_packages() -> None:
    wrong = [
        f"{module} imports {other}, but {package_of(module)}/ may import only {sorted(ALLOWED[package_of(module)])}"
        for module, others in ARROWS.items()
        for other in others
        # What signflip itself offers (Architecture, simulate, ..) is loaded by name, at its first use.
        if package_of(module) and package_of(other) not in {*ALLOWED[package_of(module)], package_of(module), ""}
    ]
    assert not wrong, "\n".join(wrong)


def test_the_order_of_packages_has_no_circle() -> None:
    placed: set[str] = set()
    while placed != set(ALLOWED):
        free = {name for name, below in ALLOWED.items() if name not in placed and below <= placed}
        assert free, f"{sorted(set(ALLOWED) - placed)} may import one another"
        placed |= free


def test_no_module_imports_itself_by_way_of_others() -> None:
    below = {name: {o for o in others if o != "signflip"} for name, others in ARROWS.items()}
    while free := {name for name, others in below.items() if not others & below.keys()}:
        below = {name: others for name, others in below.items() if name not in free}
    # Every one that is left imports one that is left: follow them until one comes again.
    way = sorted(below)[:1]
    while way and way[-1] not in way[:-1]:
        way.append(min(below[way[-1]] & below.keys()))
    assert not below, f"a circle: {' imports '.join(way[way.index(way[-1]) :])}"


def test_the_library_imports_neither_the_suite_nor_its_strategies() -> None:
    for module, path in MODULES.items():
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            roots = {name.split(".")[0] for name in names}
            assert not roots & {"strategies", "theorem_checks", "tests"}, module


def test_the_statistics_wing_and_the_page_are_imported_where_torch_cannot_be() -> None:
    modules = [module for module in MODULES if package_of(module) in STATISTICS]
    code = f"import sys; sys.modules['torch'] = None\nfor name in {modules!r}: __import__(name)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", [module for module in MODULES if package_of(module)])
def test_a_module_is_one_idea_of_at_most_450_lines(module: str) -> None:
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= 450


def test_no_two_test_files_have_one_name() -> None:
    """Files of tests/ and theorem_checks/ are modules by their names alone: one would hide the other."""
    names = [path.stem for folder in ("tests", "theorem_checks") for path in (ROOT / folder).rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
