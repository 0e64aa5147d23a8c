"""``python docs/results.py LOG EVIDENCE``: keep what a run showed, for the documents.

LOG is what ``make theorems`` printed. Its table goes to docs/question/results.txt and ten of its rows to README.md. The
exponents in EVIDENCE, the run's evidence.json, go to docs/explain/rates.json.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TABLE, RATES, README = ROOT / "docs/question/results.txt", ROOT / "docs/explain/rates.json", ROOT / "README.md"
ROWS = {
    "MW-1.catalogue": "one step flips two-layer networks, for every activation of the catalogue",
    "MW-1.small-failure": "it fails for at most one network in a thousand: relu, tanh, abs",
    "MW-2.several-layers": "it flips networks with two to six hidden layers",
    "MW-4.joint-law.small": "conditioned networks have exactly the law of dense ones",
    "MW-5.regimes": "one step size serves all widths from d^(1/4) to d^2",
    "LIMIT.erf": "at a fixed step of t natural steps the flip rate tends to erf(t / sqrt 2)",
    "NET.joint-law": "random convolutional and residual networks, too, can be conditioned exactly",
    "SUBSPACE.flips": "a step across the data flips trained networks",
    "CONJ.transformer": "one step flips transformers at PyTorch's initialisation",
    "NOT.reversed-sign": "false: a step with the wrong sign flips the output",
}
HEAD = ["quantity", "activation", "ladder", "exponent", "claimed"]
_ROW = re.compile(r"(\S+) +(\[\w+\]) +([A-Z]+(?:, as it must be)?) +[\d,]+ +([\d,]+) +\S+ +(.*?) +[\d.]+")


def rows(table: str) -> list[str]:
    """The rows of README's table, of the run that printed ``table``."""
    cells = {found[1]: found.groups()[1:] for line in table.splitlines() if (found := _ROW.fullmatch(line))}
    return [f"| {' | '.join((name, words, *cells[name]))} |" for name, words in ROWS.items()]


def summary(log: str) -> str:
    """The table in the output of a run, down to the line on its evidence, without the folder that it ran in."""
    lines = log.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("claim ") and "verdict" in line)
    last = next(i for i in range(first, len(lines)) if lines[i].startswith("evidence:"))
    evidence = re.sub(r"evidence: .*?reports/", "evidence: reports/", lines[last])
    return "\n".join(line.rstrip() for line in [*lines[first:last], evidence]) + "\n"


def rates(evidence: dict[str, Any]) -> list[list[str]]:
    """Of each exponent that INF.rate and LOCAL.linear-in-the-limit judge: quantity, sigma, ladder, interval, claim."""
    found = []
    for check in evidence["checks"]:
        if check["id"] not in ("INF.rate", "LOCAL.linear-in-the-limit"):
            continue
        for entry in (entry for example in check["examples"] for entry in example["statements"]):
            statement, (low, high) = entry["statement"], entry["bounds"]
            at = statement.get("widths") or statement["dimensions"]
            approach = "widths" in statement
            found.append(
                [
                    f"KS distance of {entry['name']} from infinite width"
                    if approach
                    else "change of the gradient, m = d",
                    entry["about"]["activation"],
                    f"{'m' if approach else 'm = d'} from {at[0]:,} to {at[-1]:,}",
                    f"[{low:.2f}, {high:.2f}]",
                    f"{statement['predicted']:g} ± {statement['tolerance']:g}",
                ]
            )
    return found


if __name__ == "__main__":
    found = summary(Path(sys.argv[1]).read_text(encoding="utf-8"))
    TABLE.write_text(found, encoding="utf-8")
    evidence = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    RATES.write_text(
        json.dumps({"head": HEAD, "rows": rates(evidence)}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    page = README.read_text(encoding="utf-8")
    begin, end = "<!-- rows -->\n", "<!-- /rows -->"
    before, rest = page.split(begin)
    head = "\n".join(rest.splitlines()[:2])
    README.write_text(
        f"{before}{begin}{head}\n" + "\n".join(rows(found)) + f"\n{end}{rest.split(end)[1]}", encoding="utf-8"
    )
