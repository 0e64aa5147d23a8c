"""The attacks of three libraries behind one interface: what they do to a block of classifiers (THEORY 11).

Each library is imported where it is called: nothing else needs it, and its import takes seconds.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from signflip.reference import Rows

# All inputs lie in this box, its centre the default one.
BOX = (0.0, 1.0)
OVERSHOOT = 0.02
_MODULES = ("foolbox", "torchattacks", "art")


@dataclass(frozen=True)
class Outcome:
    """The end points of an attack, in the shape of its inputs, and the successes that the library reports, if any."""

    points: torch.Tensor
    reported: torch.Tensor | None = None


# (classifier, points of shape (trials, 1, 1, d), their classes, norm, budget, steps) -> what the attack did.
Stepped = Callable[[Rows, torch.Tensor, torch.Tensor, float, float, int], Outcome]
Minimal = Callable[..., Outcome]


def missing() -> list[str]:
    """The names of the libraries that are not installed."""
    return [name for name in _MODULES if find_spec(name) is None]


def foolbox_stepped(
    classifier: Rows, points: torch.Tensor, labels: torch.Tensor, norm: float, budget: float, steps: int
) -> Outcome:
    """FGM, FGSM, or PGD from the point itself, of steps of a quarter of the budget; by foolbox."""
    foolbox = _foolbox()
    attacks = foolbox.attacks
    if steps == 1:
        attack = attacks.FGSM() if norm == math.inf else attacks.FGM()
    else:
        kind = attacks.LinfPGD if norm == math.inf else attacks.L2PGD
        attack = kind(rel_stepsize=0.25, steps=steps, random_start=False)
    model = foolbox.PyTorchModel(classifier, bounds=BOX, device="cpu")
    _, reached, successes = attack(model, points, labels, epsilons=budget)
    return Outcome(reached, successes)


def foolbox_deepfool(classifier: Rows, points: torch.Tensor, labels: torch.Tensor) -> Outcome:
    """DeepFool in the Euclidean norm, by foolbox."""
    foolbox = _foolbox()
    model = foolbox.PyTorchModel(classifier, bounds=BOX, device="cpu")
    attack = foolbox.attacks.L2DeepFoolAttack(overshoot=OVERSHOOT)
    _, reached, successes = attack(model, points, labels, epsilons=math.inf)
    return Outcome(reached, successes)


def torchattacks_stepped(
    classifier: Rows, points: torch.Tensor, labels: torch.Tensor, norm: float, budget: float, steps: int
) -> Outcome:
    """FGSM, or PGD from the point itself, one step of the budget or several of a quarter of it; by torchattacks."""
    import torchattacks

    length = budget if steps == 1 else budget / 4
    if norm == math.inf:
        sign = torchattacks.PGD(classifier, eps=budget, alpha=length, steps=steps, random_start=False)
        attack = torchattacks.FGSM(classifier, eps=budget) if steps == 1 else sign
    else:
        attack = torchattacks.PGDL2(classifier, eps=budget, alpha=length, steps=steps, random_start=False)
    return Outcome(attack(points, labels))


def torchattacks_deepfool(classifier: Rows, points: torch.Tensor, labels: torch.Tensor) -> Outcome:
    """DeepFool in the Euclidean norm, by torchattacks, which asks for one input at a time: row by row."""
    import torchattacks

    reached = []
    for row in range(len(points)):
        attack = torchattacks.DeepFool(classifier.alone(row), overshoot=OVERSHOOT)
        reached.append(attack(points[row : row + 1], labels[row : row + 1]).detach())
    return Outcome(torch.cat(reached))


def art_stepped(
    classifier: Rows, points: torch.Tensor, labels: torch.Tensor, norm: float, budget: float, steps: int
) -> Outcome:
    """The fast gradient method, or PGD from the point itself, of steps of a quarter of the budget; by ART."""
    from art.attacks.evasion import FastGradientMethod, ProjectedGradientDescentNumpy

    options = {"norm": norm, "eps": budget, "batch_size": len(points)}
    if steps == 1:
        attack = FastGradientMethod(_estimator(classifier, points), **options)
    else:
        options |= {"eps_step": budget / 4, "max_iter": steps, "verbose": False}
        attack = ProjectedGradientDescentNumpy(_estimator(classifier, points), **options)
    # A budget of 0 is divided by 0 on the way; what comes of that is not used.
    with np.errstate(invalid="ignore"):
        return Outcome(torch.from_numpy(attack.generate(points.numpy(), labels.numpy())))


def art_deepfool(
    classifier: Rows, points: torch.Tensor, labels: torch.Tensor, box: tuple[float, float] = BOX
) -> Outcome:
    """DeepFool in the Euclidean norm, by ART; ``labels`` are those that the classifier gives the points.

    At most 128 points: it asks for the classes of no more at a time, whatever its ``batch_size``.
    """
    from art.attacks.evasion import DeepFool

    del labels
    attack = DeepFool(
        _estimator(classifier, points, box), epsilon=OVERSHOOT, nb_grads=2, batch_size=len(points), verbose=False
    )
    return Outcome(torch.from_numpy(attack.generate(points.numpy())))


def _foolbox() -> Any:
    with warnings.catch_warnings():
        # foolbox 3.3.4 asks scipy.ndimage for names that SciPy 2 will not have.
        warnings.filterwarnings("ignore", "Please import .* from the `scipy.ndimage` namespace", DeprecationWarning)
        import foolbox
    return foolbox


def _estimator(classifier: Rows, points: torch.Tensor, box: tuple[float, float] = BOX) -> Any:
    from art.estimators.classification import PyTorchClassifier

    shape = tuple(points.shape[1:])
    loss = torch.nn.CrossEntropyLoss()
    return PyTorchClassifier(classifier, loss, shape, nb_classes=2, clip_values=box, device_type="cpu")
