"""Networks whose law is known, as classifiers in plain torch: a ground truth for any attack (THEORY 11).

The network of a trial is the one that `simulate` attacks in this row, so an attack can be compared with ours network by
network, and with the limit law. Its logits are (f, -f) / 2: their difference is f, the class is 0 where f > 0 and 1
where f < 0, and the cross-entropy of the class falls along the gradient of |f|, in every norm.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from signflip.activations import Activation
from signflip.activations.reals import as_float, is_real
from signflip.laws.limits import limit_flip_rate
from signflip.laws.norms import limit_budget
from signflip.networks.architecture import Architecture
from signflip.networks.arguments import positive_number, whole_number
from signflip.networks.fully_connected import FullyConnected
from signflip.networks.matrices import DenseGaussian
from signflip.networks.modules import Chain, pointwise
from signflip.networks.norms import exponent
from signflip.networks.randomness import Key
from signflip.sampling.configuration import DTYPES, Configuration
from signflip.sampling.devices import CPU
from signflip.sampling.drawing import draw_chain

# |x|^2 = d, and all coordinates are 1 unless a point is given: at this scale that is the centre of the box [0, 1]^d.
CENTRED = 0.5


class Pointwise(torch.nn.Module):
    """sigma, coordinate by coordinate; at a kink it has the slope that the suite's attack sees."""

    def __init__(self, activation: Activation) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """sigma(z), of z's shape and dtype."""
        return pointwise(z, self.activation)


@dataclass(frozen=True, eq=False)
class Reference:
    """One network as a classifier of two classes, its input, and its limit law.

    Attributes:
        network: Flatten, then Linear maps without bias and activations in turn; (n, .., d) to logits (n, 2).
        point: the input, ``scale`` times x, shape (1, d), of the network's dtype.
        label: the class of the point, shape (1,), int64.
        variance: V, the limit of Var f.
        slope: beta, the limit of |grad f|^2, for f as a function of x.
        natural_step: kappa = sqrt(V) / beta, also for f as a function of x.
        scale: the factor from x to the network's inputs.
    """

    network: torch.nn.Sequential
    point: torch.Tensor
    label: torch.Tensor
    variance: float
    slope: float
    natural_step: float
    scale: float
    architecture: Architecture
    activation: Activation

    def budget(self, norm: float, natural_steps: float) -> float:
        """The p-norm budget of t natural steps, in units of the network's inputs; see `laws.norms.limit_budget`."""
        return self.scale * limit_budget(self.architecture, self.activation, norm, natural_steps)

    def flip_rate(self, norm: float, budget: float) -> float:
        """P(class changes) after the steepest step of this budget, erf(t / sqrt 2), in the limit of wide networks.

        Raises:
            TypeError, ValueError: naming the argument, its value and what it must be; at p = 1 there is an order, but
                no law (THEORY 11).
        """
        budget = positive_number("budget", budget)
        if exponent(norm) == 1.0:
            raise ValueError(f"norm must be above 1, where there is a law, got {norm!r}")
        return limit_flip_rate(budget / self.budget(norm, 1.0))


def network(configuration: Configuration, trial: int, seed: int = 0, scale: float = 1.0) -> Reference:
    """The network of row ``trial`` of ``simulate(.., law="dense", seed=seed)``, as a plain classifier.

    It is a pure function of its arguments, and draws the whole block of the trial; `networks` draws it once for many.

    Args:
        configuration: of law "dense"; fully connected, one output, no biases, no training, Gaussian entries.
        trial: the row, 0 or more.
        seed: as for `simulate`.
        scale: the factor from x to the network's inputs, for attacks that stay in a box: at 0.5 the default x is the
            centre of [0, 1]^d.

    Raises:
        TypeError, ValueError: naming the argument, its value and what it must be.
    """
    return next(networks(configuration, trial, seed, scale))


def networks(configuration: Configuration, start: int = 0, seed: int = 0, scale: float = 1.0) -> Iterator[Reference]:
    """The networks of trials ``start``, ``start`` + 1, .., endlessly; arguments and errors as of `network`."""
    start, seed = whole_number("trial", start, least=0), whole_number("seed", seed, least=0)
    return _endless(require_plain(configuration), start, seed, _scale(scale))


def _endless(configuration: Configuration, start: int, seed: int, scale: float) -> Iterator[Reference]:
    key, size = Key(seed, "simulate", configuration.digest), CPU.block_trials(configuration)
    block, row = divmod(start, size)
    while True:
        draws = key.draws(block, DTYPES[configuration.dtype])
        chain, _, point = draw_chain(configuration, size, draws)
        for trial in range(row, size):
            yield _reference(configuration, chain, point, trial, scale)
        block, row = block + 1, 0


def _reference(configuration: Configuration, chain: Chain, points: torch.Tensor, trial: int, scale: float) -> Reference:
    sizes = configuration.chain.architecture
    classifier = Rows(chain, scale).alone(trial)
    point = scale * points[trial : trial + 1].clone()
    with torch.no_grad():
        label = classifier(point).argmax(dim=1)
    variance, slope = sizes.limit_moments(chain.activation)
    step = math.sqrt(variance) / slope if slope else math.inf
    return Reference(classifier, point, label, variance, slope, step, scale, sizes, chain.activation)


def _linear(weights: torch.Tensor) -> torch.nn.Linear:
    rows, columns = weights.shape
    # Made without memory: its own initialisation would draw from torch's global generator.
    linear = torch.nn.Linear(columns, rows, bias=False, device="meta")
    linear.weight = torch.nn.Parameter(weights.clone(), requires_grad=False)
    return linear


class Rows(torch.nn.Module):
    """A block of networks as one classifier, from (trials, .., d) to (trials, 2).

    Row i of its input goes through network i alone. An attack that keeps the rows of a batch apart, as it must, attacks
    all of them in one call; each row is as if its network (`network`) were attacked alone.
    """

    def __init__(self, chain: Chain, scale: float = 1.0) -> None:
        super().__init__()
        self.chain, self.scale = chain, _scale(scale)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """The logits (f, -f) / 2 of each row."""
        half = self.chain(points.flatten(1) / self.scale) / 2
        return torch.stack((half, -half), dim=1)

    def alone(self, trial: int) -> torch.nn.Sequential:
        """The network of one row: Flatten, Linear maps and activations in turn; (n, .., d) to (n, 2)."""
        modules: list[torch.nn.Module] = [torch.nn.Flatten()]
        for number, matrix in enumerate(self.chain.matrices):
            assert isinstance(matrix, DenseGaussian)
            weights = matrix.weights[trial]
            modules += [_linear(weights if number else weights / self.scale), Pointwise(self.chain.activation)]
        half = self.chain.output[trial] / 2
        return torch.nn.Sequential(*modules, _linear(torch.stack((half, -half)))).eval()


def require_plain(configuration: Configuration) -> Configuration:
    """The configuration, which is one of networks that plain Linear modules hold.

    Raises:
        TypeError, ValueError: if it is not, naming the argument, its value and what it must be.
    """
    if not isinstance(configuration, Configuration):
        raise TypeError(f"configuration must be a Configuration, got {configuration!r}")
    if configuration.law != "dense":
        raise ValueError(f"configuration.law must be 'dense', got {configuration.law!r}")
    model = configuration.model
    if not isinstance(model, FullyConnected) or model.outputs > 1 or model.bias or configuration.training is not None:
        raise ValueError(
            f"configuration must be of untrained FullyConnected networks of one output without biases, got "
            f"{configuration.model!r} with training={configuration.training!r}"
        )
    if configuration.entries != "gaussian":
        raise ValueError(f"configuration.entries must be 'gaussian', got {configuration.entries!r}")
    if configuration.companion is not None:
        raise ValueError(f"configuration.companion must be None, got {configuration.companion!r}")
    return configuration


def _scale(scale: float) -> float:
    wanted = "scale must be a finite number above 0"
    if not is_real(scale):
        raise TypeError(f"{wanted}, got {scale!r}")
    if not 0.0 < as_float(scale) < math.inf:
        raise ValueError(f"{wanted}, got {scale!r}")
    return as_float(scale)
