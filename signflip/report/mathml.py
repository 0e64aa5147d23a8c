r"""A small part of TeX's notation as MathML, which browsers typeset themselves: no script, no font, no network.

It has letters, numbers, operators, ``_`` and ``^``, groups in braces, ``\frac``, ``\sqrt``, ``\text`` and the named
signs below; ``\quad`` is where a narrow page may break a formula.
"""

from __future__ import annotations

import re
from html import escape

_SIGNS = {
    "sigma": "σ",
    "delta": "δ",
    "epsilon": "ε",
    "kappa": "κ",
    "beta": "β",
    "chi": "χ",
    "pi": "π",
    "gamma": "γ",
    "rho": "ρ",
    "theta": "θ",
    "infty": "∞",
    "le": "≤",
    "ge": "≥",
    "to": "→",
    "sim": "∼",
    "nabla": "∇",
    "forall": "∀",
    "exists": "∃",
    "in": "∈",
    "times": "×",
    "cdot": "·",
    "dots": "…",
    "perp": "⊥",
    "pm": "±",
    "ne": "≠",
    "ll": "≪",
    "gg": "≫",
    "approx": "≈",
    "langle": "⟨",
    "rangle": "⟩",
    "ell": "ℓ",
    "Rightarrow": "⇒",
    "sum": "∑",
    "prime": "′",
    "mid": "|",
}
_OPERATORS = set("≤≥→∼∀∃∈×·…⊥±≠≪≫≈⟨⟩⇒=<>+−-()[],:;|/!∇")
_NAMES = {"sign", "erf", "log", "exp", "sqrt", "med", "sin", "cos", "arccos", "o", "O"}
_TOKEN = re.compile(r"\\text\{([^}]*)\}|\\([A-Za-z]+)|(\d+(?:\.\d+)?)|([A-Za-z])|(\S)")


def mathml(source: str) -> tuple[str, ...]:
    """A formula as ``<math>`` elements that belong side by side, broken at each quad.

    Raises:
        ValueError: where the source is not of this little language.
    """
    return tuple(_element(part.strip()) for part in source.split("\\quad"))


def _element(source: str) -> str:
    tokens = list(_TOKEN.finditer(source))
    body, left = _row(tokens, 0)
    if left != len(tokens):
        raise ValueError(f"a brace closes nothing in {source!r}")
    return f'<math display="inline">{body}</math>'


def _row(tokens: list[re.Match[str]], at: int) -> tuple[str, int]:
    """Everything up to the end, or to the brace that closes this group."""
    parts: list[str] = []
    while at < len(tokens) and tokens[at][0] != "}":
        if tokens[at][0] in ("_", "^"):
            if not parts:
                raise ValueError("a script belongs to what is before it")
            scripts = {}
            while at < len(tokens) and tokens[at][0] in ("_", "^") and tokens[at][0] not in scripts:
                sign = tokens[at][0]
                scripts[sign], at = _one(tokens, at + 1)
            base = parts.pop()
            if len(scripts) == 2:
                parts.append(f"<msubsup>{base}{scripts['_']}{scripts['^']}</msubsup>")
            else:
                name = "msub" if "_" in scripts else "msup"
                parts.append(f"<{name}>{base}{next(iter(scripts.values()))}</{name}>")
        else:
            part, at = _one(tokens, at)
            parts.append(part)
    return f"<mrow>{''.join(parts)}</mrow>", at


def _one(tokens: list[re.Match[str]], at: int) -> tuple[str, int]:
    """One thing: a sign, a number, a group, or a command with its arguments."""
    if at >= len(tokens) or tokens[at][0] == "}":
        raise ValueError("something is missing at the end of a formula or group")
    words, command, number, letter, other = tokens[at].groups()
    if words is not None:
        return f"<mtext>&#160;{escape(words)}&#160;</mtext>", at + 1
    if command == "frac":
        above, after = _one(tokens, at + 1)
        below, after = _one(tokens, after)
        return f"<mfrac>{above}{below}</mfrac>", after
    if command == "sqrt":
        inside, after = _one(tokens, at + 1)
        return f"<msqrt>{inside}</msqrt>", after
    if command is not None and command in _SIGNS:
        return _symbol(_SIGNS[command]), at + 1
    if command is not None and command in _NAMES:
        return f'<mspace width="0.17em"/><mi>{command}</mi><mspace width="0.08em"/>', at + 1
    if command is not None:
        raise ValueError(f"\\{command} is not in this little language")
    if number is not None:
        return f"<mn>{number}</mn>", at + 1
    if letter is not None:
        return f"<mi>{letter}</mi>", at + 1
    if other == "{":
        row, after = _row(tokens, at + 1)
        if after >= len(tokens):
            raise ValueError("a brace is not closed")
        return row, after + 1
    return _symbol({"'": "′", "-": "−"}.get(other, other)), at + 1


def _symbol(sign: str) -> str:
    if sign in _OPERATORS:
        # Bars and brackets stand between ordinary letters here: they must not stretch to what is beside them.
        still = ' stretchy="false" lspace="0" rspace="0"' if sign in "|()⟨⟩[]" else ""
        return f"<mo{still}>{escape(sign)}</mo>"
    return "<mo>′</mo>" if sign == "′" else f"<mi>{escape(sign)}</mi>"
