"""The documents in parts: shell lines, examples, the targets of the Makefile."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in page.parts]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def shell_lines(page: str = README) -> list[str]:
    """Every line of every shell block."""
    return [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines() if line]


def example(name: str, page: str = README) -> str:
    """The Python block under the comment ``<!-- example: name -->``."""
    (block,) = re.findall(rf"<!-- example: {name} -->\n```python\n(.*?)```", page, re.DOTALL)
    return str(block)


def make_targets() -> set[str]:
    """The targets that the Makefile offers."""
    (phony,) = re.findall(r"^\.PHONY: (help .*)$", MAKEFILE, re.MULTILINE)
    return set(phony.split())
