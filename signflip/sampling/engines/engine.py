"""Engines: what runs the blocks of trials.

Every engine gives the same blocks in the same order, byte for byte on one kind of processor. `choice.parse` reads the
text of --theorem-engine; `opening.open_engine` starts what it names. An engine counts nothing and decides nothing: the
reader of the blocks decides where a check stops.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Self

from signflip.canonical import canonical
from signflip.sampling.engines.tasks import Outcome, Task
from signflip.sampling.fingerprint import fingerprint

if TYPE_CHECKING:
    from signflip.networks.randomness import Key
    from signflip.sampling.configuration import Configuration
    from signflip.sampling.sample import Sample


class WorkersLostError(RuntimeError):
    """Workers died, or went out of reach, repeatedly, and the same blocks were left undone."""


class Engine(ABC):
    """Gives the blocks of configurations; a context that closes itself.

    ``name`` says what runs them, and how many workers; ``workers`` is how many ranges of blocks run at once.
    """

    def __init__(self, name: str, workers: int) -> None:
        self.name = name
        self.workers = workers

    @abstractmethod
    def blocks(self, configuration: Configuration, key: Key, trials: int) -> Generator[Sample]:
        """Blocks 0, 1, 2, .., endlessly, as `signflip.sampling.trials.blocks` gives them.

        ``trials`` is how many the reader wants at most: not a limit, but nothing beyond it is run ahead. Close the
        generator to cancel what runs ahead.
        """

    def close(self) -> None:  # noqa: B027  (the serial engine has nothing to close)
        """Cancel what is left and end the workers that this engine started; it cannot be used any more."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Serial(Engine):
    """This process, block by block as they are asked for, on the CPU or the CUDA device that it sees first."""

    def __init__(self, device: str = "cpu") -> None:
        super().__init__("serial", 1)
        self._device = device

    def blocks(self, configuration: Configuration, key: Key, trials: int) -> Generator[Sample]:
        """As `Engine.blocks` says."""
        from signflip.sampling.devices import CPU, cuda
        from signflip.sampling.trials import blocks

        yield from blocks(configuration, key, cuda() if self._device == "cuda" else CPU, trials)


class RemoteEngine(Engine):
    """An engine over the contract of `concurrent.futures.Executor`: ranges of blocks out, `Outcome` back."""

    def blocks(self, configuration: Configuration, key: Key, trials: int) -> Generator[Sample]:
        """As `Engine.blocks` says.

        Raises:
            ValueError: when read, if the configuration is no plain data, or has an activation of the caller's own.
            WorkersLostError: when read, if workers die repeatedly.
        """
        from signflip.activations.spec import foreign
        from signflip.sampling.engines.prefetch import ordered
        from signflip.sampling.engines.tasks import decoded

        activation = getattr(configuration.model, "activation", None)
        if activation is not None and (own := foreign(activation.spec)):
            raise ValueError(
                f"engine must be serial for activations of one's own (kind {own[0]!r} is defined in {own[1]}): the "
                f"workers of {self.name} know signflip's alone; -n AUTO spreads checks over cores with the serial one"
            )
        text = canonical(configuration.to_json())
        decoded(text, configuration.digest)  # here, what cannot be rebuilt fails before it is sent

        def send(start: int, stop: int) -> Future[Outcome]:
            return self._submit(
                Task(text, configuration.digest, key.seed, key.purpose, start, stop, trials, fingerprint())
            )

        yield from ordered(self.workers, -(-trials // configuration.block_trials), send, self._receive)

    @abstractmethod
    def _submit(self, task: Task) -> Future[Outcome]: ...

    @abstractmethod
    def _receive(self, future: Future[Outcome]) -> Outcome | None: ...
