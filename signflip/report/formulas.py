"""What claims say, as formulas; looked up by the whole id of a claim, so that no claim has another one's.

The words of a claim are the claim; a formula only says them shorter, and a claim without one is shown in words alone.
"""

from __future__ import annotations

from signflip.report.mathml import mathml

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
_ERF = r"s = t \frac{\sqrt{V}}{\beta} : \quad P [ f(x) f(x') < 0 ] \to \erf ( \frac{t}{\sqrt{2}} )"
_PAIR = r"(f(x), f(x'), | \nabla f(x) |, f(y))"
_BCGT = r"f(x) = \frac{1}{\sqrt{k}} \sum_i \pm \sigma ( \langle w_i , x \rangle ) , \quad " + _FLIP + r" \ge 1 - \gamma"
_DISTANCE = r"| x' - x | \frac{\sqrt{d}}{|x|}"
_ANY_PIVOT = r"U = P_x^{\perp} \nabla f(x) : \quad \text{tr} ( G^{-1} U U^T ) \sim \chi^2_{\text{rank} G (d - r)}"
_RATIO = r"\frac{|f(x)|}{| \nabla f(x) |} \frac{\sqrt{d}}{|x|}"
_UNIT = r"\sqrt{\frac{V}{\beta}} \frac{| x |_p}{\sqrt{d}}"
_CHANGE = r"\frac{| \nabla f(x') - \nabla f(x) |}{| \nabla f(x) |}"
_LIBRARY = r"x'_{\text{library}} = x'_{\text{ours}} , \quad | x' - x |_p \le \epsilon"
_LEAST = (
    r"f \text{ linear: } \quad \frac{|f(x)|}{| \nabla f |} \le | x' - x | \le "
    r"1.02 \frac{|f(x)|}{| \nabla f |} + \frac{2}{10000}"
)
_FORMULAS = {
    **dict.fromkeys(
        (
            "MW-1.catalogue",
            "MW-1.generated",
            "MW-1.hard",
            "MW-1.biases",
            "MW-1.million-neurons",
            "MW-1.small-failure",
            "MW-1.small-failure.generated",
            "MW-2.several-layers",
            "MW-2.extreme-ratios",
            "MW-2.small-failure",
            "MW-2.biases",
            "CNN.one-step",
        ),
        _QUANTIFIED,
    ),
    "MW-3.decay": r"\frac{| x' - x |}{|x|} \to 0 \quad \text{as } d \to \infty , \quad s = o ( \sqrt{d} )",
    "MW-3.limit-law": r"\frac{| x' - x |}{|x|} \approx s \sqrt{\frac{\beta}{d}} , \quad | \nabla f(x) |^2 \to \beta",
    **dict.fromkeys(("MW-4.pivots", "MW-4.pivots.deep"), _PIVOTS),
    **dict.fromkeys((f"MW-4.joint-law.{size}" for size in ("small", "moderate", "deep", "many-steps")), _SAME_LAW),
    "MW-5.small-failure": r"m = d^a , \quad a = \frac{1}{4}, \frac{1}{2}, 1 : \quad " + _FLIP + r" \ge 1 - \delta",
    "MW-5.regimes": r"m = d^a , \quad a = \frac{1}{4}, \frac{1}{2}, 1, \frac{3}{2}, 2 : \quad "
    + _FLIP
    + r" \ge 1 - \delta",
    "MW-5.exact-law": _SAME_LAW,
    **dict.fromkeys(("LIMIT.erf", "LIMIT.erf.deep", "NET.erf"), _ERF),
    **dict.fromkeys(("NET.pivots", "NET.pivots.modules"), _ANY_PIVOT),
    "NORM.erf": r"| x' - x |_p = t \frac{\sqrt{V}}{| \nabla f |_q} , \quad | \nabla f |_q \to "
    r"\sqrt{\frac{\beta}{d}} { ( d E |Z|^q ) }^{1/q} : \quad " + _FLIP + r" \to \erf ( \frac{t}{\sqrt{2}} )",
    "NORM.order": r"| x' - x |_p = 4 " + _UNIT + r" \text{ flips, } \quad \frac{1}{20} " + _UNIT + r" \text{ does not}",
    "NORM.logarithm": r"| x' - x |_1 = 4 \sqrt{\frac{V}{\beta}} \sqrt{\frac{d}{2 \log d}} \text{ flips, } \quad "
    r"\frac{1}{20} \text{ of it does not}",
    "LIB.foolbox-steps": _LIBRARY,
    "LIB.torchattacks-steps": _LIBRARY,
    "LIB.art-steps": _LIBRARY,
    "LIB.foolbox-deepfool": _LEAST,
    "LIB.torchattacks-deepfool": _LEAST,
    "LIB.art-deepfool": _LEAST,
    "NET.joint-law": _SAME_LAW,
    "NET.outputs": r"P [ \text{argmax changes} ] \quad \to P [ N_{(1)} - N_{(2)} < 2 t ]",
    "MW-5.settles": r"m \ge e^d : \quad " + _FLIP + r" \approx \text{that at } m = \infty",
    "INF.rate": r"\text{KS distance at width } m \sim m^a , \quad | a + 1 | \le 0.45",
    "INF.joint-law": r"m \to \infty : \quad (f(x), f(x'), | \nabla f(x) |) "
    r"\quad \sim \text{Gaussian process, conditioned}",
    "INF.fall": r"m \to \infty : \quad \frac{ \sign f(x) ( f(x) - f(x') ) }{ s | \nabla f(x) |^2 } \quad \sim "
    r"\text{Gaussian process, conditioned}",
    "GRAD.direction": STEP + r" , \quad \langle \nabla f(x) , w \rangle \approx \frac{f(x + w) - f(x - w)}{2}",
    "GRAD.path": r"x_{k + 1} = x_k - s \sign f(x_k) \nabla f(x_k)",
    "INF.limit-law": r"m = \infty , \quad s = t \frac{\sqrt{V}}{\beta} : \quad "
    + _FLIP
    + r" \to \erf ( \frac{t}{\sqrt{2}} )",
    "TAIL.limit": r"m = \infty : \quad P [ f(x) f(x') \ge 0 ] = \quad "
    r"( 1 - \erf ( \frac{t}{\sqrt{2}} ) ) ( 1 + O ( d^{-a} ) )",
    "TAIL.sqrt-log": r"m = \infty , \quad t = \sqrt{ 2 \log ( \frac{1}{\gamma} ) } : \quad "
    r"P [ f(x) f(x') \ge 0 ] \le \gamma",
    "PAIR.joint-law": _PAIR + r"_{\text{dense}} \quad \sim " + _PAIR + r"_{\text{conditioned}}",
    "PAIR.infinite-width": r"m \to \infty : \quad " + _PAIR + r" \quad \sim \text{Gaussian process, conditioned}",
    "DS.bounded-distance": _DISTANCE + r" \le 3 \quad \text{at the first sign change}",
    "DS.distance-law": _DISTANCE + r" \to | N(0, V) | \frac{1}{\sqrt{\beta}} \quad \text{(small steps)}",
    "DS.exact-law": _SAME_LAW,
    **dict.fromkeys(("BCGT.smooth", "BCGT.relu", "BCGT.million-neurons"), _BCGT),
    "BCGT.sqrt-log": r"t = \sqrt{ 2 \log ( \frac{1}{\gamma} ) } : \quad P [ f(x) f(x') \ge 0 ] \le \gamma",
    "BCGT.value-of-order-1": r"\frac{1}{10} \sqrt{V} \le |f(x)| \le 3 \sqrt{V}",
    "BBC.one-step": _FLIP + r" \ge 0.9 , \quad | x' - x | \approx t \sqrt{\frac{V}{\beta}} \frac{|x|}{\sqrt{d}}",
    "BBC.bottleneck-last": _FLIP + r" \le 1 - 2 { ( \frac{3}{4} ) }^b + 2^{-b}",
    "BBC.bottleneck-anywhere": _FLIP + r" \le 1 - ( 1 + b ) 2^{-b}",
    "BBC.correlation-map": r"\rho_{\ell + 1} = \frac{1}{\pi} ( \sin \theta + ( \pi - \theta ) \cos \theta ) , \quad "
    r"\theta = \arccos \rho_{\ell} : \quad P [ f(x) f(y) < 0 ] \to \frac{1}{\pi} \arccos \rho_L",
    "DE-PALMA.distance-law": _RATIO + r" \to | N(0, V) | \frac{1}{\sqrt{\beta}}",
    "DE-PALMA.norms": r"\frac{|f(x)|}{| \nabla f(x) |_q} \frac{\sqrt{d}}{| x |_p} \to "
    r"| N(0, \frac{V}{\beta}) | { ( E |Z|^q ) }^{-1/q} , \quad \frac{1}{p} + \frac{1}{q} = 1",
    "DE-PALMA.order": _RATIO + r" \text{ is of order } 1",
    "LOCAL.flips-without-linearity": r"f(x) f(x') < 0 \quad \text{although} \quad " + _CHANGE + r" \ge \frac{1}{2}",
    "LOCAL.linear-in-the-limit": r"m = d \to \infty : \quad " + _CHANGE + r" \to 0",
    "LOCAL.large-turn": r"{ ( " + _CHANGE + r" ) }^2 \to { ( 1 - r ) }^2 + q^2 + 1 - b^2",
    "BOUND.bounded-width": r"P [ f(x) f(x') < 0 ] \to 1 - 2 { ( \frac{3}{4} ) }^m + 2^{-m}",
    "BOUND.constant-activation": r"\sigma = 1 \Rightarrow f(x') = f(x)",
    "INV.scaled-activation": r"( \sigma , s ) \text{ and } ( c \sigma , \frac{s}{c} ) \text{ give one } x'",
    "INV.scaled-homogeneous-activation": r"( \sigma , s ) \text{ and } ( c \sigma , s c^{-L} ) \text{ give one } x'",
    "INV.scaled-input": r"(x, s) \to x' \Rightarrow ( r x , r s ) \to r x'",
    "INV.rotation": r"( R x , W_1 R^{-1} ) \text{ gives } R x' , \quad f(x) , f(x') \text{ unchanged}",
    "NOT.step-of-order-sqrt-d": r"s = c \sqrt{d} : \quad \frac{| x' - x |}{|x|} \to 0",
    "NOT.fixed-step-for-all-gamma": r"P [ f(x) f(x') \ge 0 ] \le \gamma \quad "
    r"\text{for every } \gamma \quad \text{at the } t \text{ of } \gamma = 0.3",
    "NOT.half-the-step": r"t = \frac{1}{2} \sqrt{ 2 \log ( \frac{1}{\gamma} ) } : \quad "
    r"P [ f(x) f(x') \ge 0 ] \le \gamma",
    "NOT.fixed-step": r"P [ f(x) f(x') < 0 ] \ge 0.9 \quad \text{at } t = 1",
    "NOT.bounded-width": r"P [ f(x) f(x') < 0 ] \ge 0.9 \quad \text{for every } m \le 8",
}


def formula(claim_id: str) -> tuple[str, ...]:
    """The formula of a claim as MathML elements that belong side by side, none where there is no formula."""
    return mathml(_FORMULAS[claim_id]) if claim_id in _FORMULAS else ()
