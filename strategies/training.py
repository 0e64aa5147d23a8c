"""Strategies for training: data in a subspace, schedules, and which point is attacked (THEORY 10)."""

from __future__ import annotations

from hypothesis import strategies as st

from signflip.networks.training import Training

DATA = ("in a subspace", "clustered", "nearly orthogonal")
LOSSES = ("logistic", "hinge", "square")
_COORDINATES = st.sampled_from([-1.5, -1.0, -0.5, 0.5, 1.0, 1.5])
# What `trainings` draws, in words.
SCHEDULES = (
    "one to six points in a subspace, clustered or nearly orthogonal; one to six epochs of logistic, hinge or square "
    "loss, full batch or minibatches, gradients clipped at 1 or 10, momentum 0 or 0.9, weight decay 0 or 0.5, initial "
    "scale 0.3, 1 or 2"
)


@st.composite
def trainings(draw: st.DrawFn, most: int, positions: int = 1) -> Training:
    """Training on data of at most ``most`` - 1 dimensions; they shrink to one point, one epoch and plain steps.

    The attacked point is a training point, a point of their span, or one outside it; data of several positions lie in a
    subspace.
    """
    kind = draw(st.sampled_from(DATA if positions == 1 else DATA[:1]), label="data")
    labels = st.sampled_from([1.0, -1.0])
    if kind == DATA[0]:
        span, points = draw(st.integers(1, min(3, most - 1)), label="span"), draw(st.integers(1, 6), label="points")
        inputs = [draw(st.tuples(*[_COORDINATES] * span * positions), label="input") for _ in range(points)]
        data = Training(tuple(inputs), tuple(draw(labels) for _ in inputs), 1.0, 0, positions=positions)
    else:
        points = draw(st.integers(1, min(4, most - 1)), label="points")
        within, apart = (0.9, -0.2) if kind == DATA[1] else (0.1, 0.1)
        gram = [[1.0 if i == j else within if i % 2 == j % 2 else apart for j in range(points)] for i in range(points)]
        data = Training.of_gram(gram, [draw(labels) for _ in gram], learning_rate=1.0, epochs=0)
    attacked = draw(st.sampled_from(["training point", "in the span", "outside the span"]), label="attacked")
    across = [0.7] * (attacked == "outside the span")
    point = [number for _ in range(positions) for number in (*(draw(_COORDINATES) for _ in range(data.span)), *across)]
    return Training(
        data.inputs,
        data.labels,
        draw(st.sampled_from([0.1, 0.3]), label="learning rate"),
        draw(st.integers(1, 6), label="epochs"),
        draw(st.sampled_from(LOSSES), label="loss"),
        draw(st.one_of(st.none(), st.integers(1, len(data.inputs))), label="batch"),
        draw(st.sampled_from([0.0, 0.9]), label="momentum"),
        draw(st.sampled_from([0.0, 0.5]), label="weight decay"),
        draw(st.sampled_from([1.0, 0.3, 2.0]), label="initial scale"),
        # Of networks that several maps make, some would diverge.
        clip=draw(st.sampled_from([1.0, 10.0]), label="clip"),
        attacked=None if attacked == "training point" else tuple(point),
        positions=positions,
    )
