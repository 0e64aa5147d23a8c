"""Every command of the README and of the site exists: targets, options, modules, files."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from readme import MAKEFILE, PAGES, ROOT, make_targets, shell_lines

from signflip.claims.registry import registered_checks
from signflip.command import main
from signflip.plugin import hooks


class Recorder:
    """Stands in for pytest's parser, and keeps what the plugin adds to it."""

    def __init__(self) -> None:
        self.options: dict[str, dict[str, Any]] = {}

    def getgroup(self, *_: str) -> Recorder:
        return self

    def addoption(self, name: str, **details: Any) -> None:
        self.options[name] = details

    def addini(self, *_: Any, **__: Any) -> None:
        """Not the README's business."""


def plugin_options() -> dict[str, dict[str, Any]]:
    recorder = Recorder()
    hooks.pytest_addoption(recorder)  # type: ignore[arg-type]
    return recorder.options


PYTEST_FLAGS = {"-n", "0", "auto", "gpu", "--collect-only", "-k", "-m", "not mutant", "--dist", "worksteal"}


def judge_make(words: list[str]) -> None:
    target, *settings = words
    assert target in make_targets()
    for setting in settings:
        name, value = setting.split("=", 1)
        assert f"$({name})" in MAKEFILE or f"$(if $({name})" in MAKEFILE
        if name == "ARGS":
            judge_pytest(["theorem_checks/", *shlex.split(value)])


def judge_pytest(words: list[str]) -> None:
    paths = 0
    for position, word in enumerate(words):
        name, _, value = word.partition("=")
        if name.startswith("--theorem-"):
            choices = plugin_options()[name].get("choices")
            assert choices is None or value in choices
        elif words[position - 1] == "-k" and position:
            known = [*registered_checks(ROOT / "theorem_checks"), *registered_checks(ROOT / "theorem_checks").values()]
            assert any(word in name for name in known), f"-k {word} selects nothing"
        elif word not in PYTEST_FLAGS:
            assert (ROOT / word).exists(), word
            paths += 1
    assert paths or words == ["--help"]


def judge_python(words: list[str]) -> None:
    assert words[0] == "-m"
    if words[1] == "venv":
        assert words[2] == ".venv"
    elif words[1] == "pip":
        arguments = words[3:]
        assert words[2] == "install"
        assert arguments[:2] == ["-c", "constraints.txt"]
        # The same installation as the Makefile's, word for word.
        assert " ".join(shlex.quote(word) if "[" in word else word for word in arguments[2:]) in MAKEFILE
    else:
        module = ROOT / Path(*words[1].split("."))
        assert module.with_suffix(".py").exists() or (module / "__main__.py").exists()


def judge_signflip(words: list[str]) -> None:
    """Parses as the command itself does; nothing is run."""
    name, *arguments = words
    main.commands[name].make_context(name, arguments)


def shown() -> list[str]:
    """Each line of a shell block that a document shows; those for another repository are tested from a wheel."""
    texts = [page.read_text(encoding="utf-8") for page in PAGES if page.name != "own-repository.md"]
    return sorted({*shell_lines(), *(line for text in texts for line in shell_lines(text))})


@pytest.mark.parametrize("line", shown())
def test_each_command_of_the_documents_exists(line: str) -> None:
    program, *words = shlex.split(line)
    judges = {"make": judge_make, ".venv/bin/pytest": judge_pytest, ".venv/bin/signflip": judge_signflip}
    judges |= dict.fromkeys(("python3", ".venv/bin/python"), judge_python)
    judges[program](words)


def test_the_readme_names_its_two_commands_first() -> None:
    assert shell_lines()[:2] == ["make theorems", "make test"]


def test_the_options_table_holds_exactly_the_plugins_options_with_their_defaults() -> None:
    page = (ROOT / "docs/howto/options.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(--theorem-[a-z-]+)=([^`]*)` \| (?:`([^`]*)`)? ?\|", page, re.MULTILINE)
    options = plugin_options()
    assert {name: default or None for name, _, default in rows} == {
        name: details["default"] for name, details in options.items()
    }
    for name, values, _ in rows:
        choices = options[name].get("choices")
        assert choices is None or tuple(values.split("\\|")) == tuple(choices)


def test_links_and_paths_of_the_documents_exist() -> None:
    documents = [ROOT / "README.md", ROOT / "CHANGELOG.md", *PAGES]
    for document in documents:
        text = document.read_text(encoding="utf-8")
        targets = [link for link in re.findall(r"\]\(([^)#]+)", text) if not link.startswith("http")]
        assert all((document.parent / target).exists() for target in targets), document.name
        # Paths in code marks, from the root; what a run writes below reports/ need not be there.
        paths = re.findall(r"`((?:signflip|strategies|theorem_checks|tests|docs|benchmarks)/[\w/.]*)`", text)
        assert all((ROOT / path).exists() for path in paths), document.name
