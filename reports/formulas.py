"""What each family of claims says, as a formula; looked up by the beginning of a claim's id, longest first.

The words of a claim are the claim; a formula only says them shorter, and a claim without one is shown in words alone.
"""

from __future__ import annotations

from reports.mathml import mathml

STEP = r"x' = x - s \sign f(x) \nabla f(x)"
_QUANTIFIED = (
    r"\forall \delta , \epsilon > 0 \quad \exists t , m_0 , d_0 : \quad "
    r"P [ f(x) f(x') < 0 , \quad | x' - x | \le \epsilon | x | ] \ge 1 - \delta \quad \forall m \ge m_0 , d \ge d_0"
)
_SAME_LAW = (
    r"(f(x), f(x'), | \nabla f(x) | )_{\text{dense}} \quad \sim (f(x), f(x'), | \nabla f(x) | )_{\text{conditioned}}"
)
_PIVOTS = (
    r"\frac{\sqrt{n}}{|h|} W h \sim N(0, I) , \quad \frac{n |u|^2}{|D|^2} \sim \chi^2_{n-1} , \quad "
    r"\sqrt{n} \langle w , W v \rangle \sim N(0, 1) , \quad \langle D , W u \rangle = |u|^2"
)
_FLIP = r"P [ f(x) f(x') < 0 ]"
_FORMULAS = {
    "MW-1": _QUANTIFIED,
    "MW-2": _QUANTIFIED,
    "MW-3.decay": r"\frac{| x' - x |}{|x|} \to 0 \quad \text{as } d \to \infty , \quad s = o ( \sqrt{d} )",
    "MW-3.limit-law": r"\frac{| x' - x |}{|x|} \approx s \sqrt{\frac{\beta}{d}} , \quad | \nabla f(x) |^2 \to \beta",
    "MW-4.pivots": _PIVOTS,
    "MW-4.joint-law": _SAME_LAW,
    "MW-5.regimes": r"m = d^a , \quad a = \frac{1}{4}, \frac{1}{2}, 1, \frac{3}{2}, 2 : \quad "
    + _FLIP
    + r" \ge 1 - \delta",
    "MW-5.exact-law": _SAME_LAW,
    "LIMIT.erf": r"s = t \frac{\sqrt{V}}{\beta} : \quad P [ f(x) f(x') < 0 ] \to \erf ( \frac{t}{\sqrt{2}} )",
    "BOUND.bounded-width": r"P [ f(x) f(x') < 0 ] \to 1 - 2 { ( \frac{3}{4} ) }^m + 2^{-m}",
    "BOUND.constant-activation": r"\sigma = 1 \Rightarrow f(x') = f(x)",
    "INV.scaled-activation": r"( \sigma , s ) \text{ and } ( c \sigma , \frac{s}{c} ) \text{ give one } x'",
    "INV.scaled-homogeneous-activation": r"( \sigma , s ) \text{ and } ( c \sigma , s c^{-L} ) \text{ give one } x'",
    "INV.scaled-input": r"(x, s) \to x' \Rightarrow ( r x , r s ) \to r x'",
    "INV.rotation": r"( R x , W_1 R^{-1} ) \text{ gives } R x' , \quad f(x) , f(x') \text{ unchanged}",
    "NOT.step-of-order-sqrt-d": r"s = c \sqrt{d} : \quad \frac{| x' - x |}{|x|} \to 0",
    "NOT.fixed-step": r"P [ f(x) f(x') < 0 ] \ge 0.9 \quad \text{at } t = 1",
    "NOT.bounded-width": r"P [ f(x) f(x') < 0 ] \ge 0.9 \quad \text{for every } m \le 8",
}


def formula(claim_id: str) -> tuple[str, ...]:
    """The formula of a claim as MathML elements that belong side by side, none where there is no formula."""
    fitting = [
        prefix for prefix in _FORMULAS if claim_id == prefix or claim_id.startswith((f"{prefix}.", f"{prefix}-"))
    ]
    return mathml(_FORMULAS[max(fitting, key=len)]) if fitting else ()
