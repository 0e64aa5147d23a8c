"""What a standard run saved, from its evidence: against dense simulation only, and against tests of fixed size."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import torch_baseline
from benchmarks.fixed_size import fixed_size
from benchmarks.row import Ratio, Target, shown
from benchmarks.timing import least_seconds, progress
from signflip.claims.claim import Claim
from signflip.evidence.document import load
from signflip.evidence.records import plain
from signflip.inference import RateAtLeast, RateNear, Statement

_RATES = (RateAtLeast.kind, RateNear.kind)
_BYTES_AN_ENTRY = 4
_PRICED_SIZES = (1024, 4096)


def standard_run(path: Path) -> dict[str, Any]:
    """The evidence of a finished standard run of all checks; ValueError saying how to get one if there is none."""
    how = "run `pytest -n auto theorem_checks/`, or give --evidence PATH"
    try:
        document = load(path)
        run = document.run
        whole = document.circumstances.status == "finished" and len(document.checks) == len(run.registered)
        if run.effort != "standard" or not whole or run.replay is not None:
            raise ValueError(f"{path}: not a whole run at standard effort")
    except ValueError as error:
        raise ValueError(f"{error}; {how}") from error
    found: dict[str, Any] = plain(document)
    return found


# -- against dense simulation -------------------------------------------------------------------------------


@dataclass
class DenseCost:
    """What the trials of a run would draw if they were dense.

    ``entries`` counts weights, those of networks that fit in memory and those that do not; ``seconds`` are those of the
    checks whose trials the evidence does not list one by one, taken as they are.
    """

    fitting: float = 0.0
    too_large: float = 0.0
    largest: int = 0
    infinite_trials: int = 0
    seconds: float = 0.0


def dense_cost(document: Mapping[str, Any], memory: int) -> DenseCost:
    """The cost of a run's trials as dense ones, on a machine of so many bytes of memory; never too large.

    A trial counts as one forward pass, one backward pass and one more forward pass, however many it makes.
    """
    cost = DenseCost()
    for check in document["checks"]:
        priced = list(_trials(check))
        if not priced:
            cost.seconds += document["circumstances"]["check_seconds"][check["id"]]
        for about, trials in priced:
            if about.get("law") == "infinite-width":
                cost.infinite_trials += trials  # no dense network, however large, has this law
                continue
            entries = torch_baseline.entries(about["input_dim"], about["widths"])
            cost.largest = max(cost.largest, entries)
            if entries * _BYTES_AN_ENTRY <= memory:
                cost.fitting += trials * entries
            else:
                cost.too_large += trials * entries
    return cost


def _trials(check: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], int]]:
    """(configuration, number of trials) of what was sampled for rates: statements, pilots and tables."""
    for example in check["examples"]:
        for entry in [*example["statements"], *example["pilots"]]:
            if entry["statement"]["kind"] in _RATES:
                yield entry["about"], entry["statement"]["trials"]
        for rows in example["tables"].values():
            yield from ((row["about"], row["trials"]) for row in rows)


def against_dense(path: Path) -> Iterator[Ratio]:
    """CPU seconds of dense simulation over those of the run's checks; then with networks that fit in memory only."""
    try:
        document = standard_run(path)
    except ValueError as error:
        yield Ratio(f"the standard run from dense simulation only: {error}", None, "x", Target(least=100))
        return
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cost = dense_cost(document, memory)
    progress("dense seconds an entry, at d = m = 1024 and 4096")
    works = [lambda size=size: torch_baseline.attack(size, (size,), 1.0, _batch(size)) for size in _PRICED_SIZES]
    prices = [
        t / _batch(size) / size**2 for t, size in zip(least_seconds(*works, repeats=5), _PRICED_SIZES, strict=True)
    ]
    seconds = sum(document["circumstances"]["check_seconds"].values())
    fitting = cost.fitting * min(prices) + cost.seconds
    dense = fitting + cost.too_large * min(prices)
    raw = {
        "run_seconds": seconds,
        "run_digest": document["digest"],
        "run_code": document["run"]["code"],
        "run_workers": document["circumstances"]["workers"],
        "dense_seconds": dense,
        "dense_seconds_in_memory": fitting,
        "seconds_taken_as_they_are": cost.seconds,
        "infinite_width_trials_left_out": cost.infinite_trials,
        "largest_network_gib": cost.largest * _BYTES_AN_ENTRY / 2**30,
        "nanoseconds_an_entry": dict(zip(map(str, _PRICED_SIZES), (1e9 * p for p in prices), strict=True)),
        "memory_gib": memory / 2**30,
    }
    yield Ratio(
        f"the standard run ({shown(seconds)} s) from dense simulation only ({shown(dense)} s, all but "
        f"{100 * fitting / dense:.1g}% of it extrapolated: networks up to {shown(raw['largest_network_gib'])} GiB)",
        dense / seconds,
        "x",
        Target(least=100),
        raw,
    )
    name = f"the same, of its networks only those that fit in {memory / 2**30:.0f} GiB ({shown(fitting)} s)"
    yield Ratio(name, fitting / seconds, "x", Target(least=100), {"dense_seconds": fitting, "run_seconds": seconds})


def _batch(size: int) -> int:
    return torch_baseline.batch_size(size, (size,))


# -- against tests of fixed size ----------------------------------------------------------------------------


def against_fixed_size(path: Path) -> Iterator[Ratio]:
    """Trials used over the fixed size of equal guarantees, averaged over the statements about rates of a run."""
    target = Target(most=0.4)
    try:
        document = standard_run(path)
    except ValueError as error:
        yield Ratio(f"trials of sequential stopping / fixed size: {error}", None, "", target)
        return
    progress("fixed sizes of equal guarantees")
    found = list(pairs(document))
    yield _average("of all statements about rates", found, target, document)
    # Their blocks are large because their trials cost next to nothing: seen apart, as they save no time.
    yield _average("without infinite width", [one for one in found if not one.limit], None, document)


def _average(which: str, found: Sequence[Pair], target: Target | None, document: Mapping[str, Any]) -> Ratio:
    shares = [one.used / one.fixed for one in found]
    used, fixed = sum(one.used for one in found), sum(one.fixed for one in found)
    raw = {
        "statements": len(shares),
        "mean": statistics.fmean(shares),
        "median": statistics.median(shares),
        "largest": max(shares),
        "trials_used": used,
        "trials_fixed": fixed,
        "run_digest": document["digest"],
        "run_code": document["run"]["code"],
    }
    name = (
        f"trials of sequential stopping / fixed size, mean {which} ({len(shares)}; median {raw['median']:.2f}; "
        f"all trials {used:,} / {fixed:,})"
    )
    return Ratio(name, raw["mean"], "", target, raw)


class Pair(NamedTuple):
    """A statement's trials, those of a fixed-size test with equal guarantees, and whether it is of infinite width."""

    used: int
    fixed: int
    limit: bool


def pairs(document: Mapping[str, Any]) -> Iterator[Pair]:
    """A `Pair` for each statement about a rate whose claim declares what it reaches."""
    for check in document["checks"]:
        reaches = [one for one in Claim(**check["claim"]).reach if one.kind in _RATES]
        for example in check["examples"]:
            for entry in example["statements"]:
                if entry["statement"]["kind"] not in _RATES:
                    continue
                statement = Statement.from_json(entry["statement"])
                assert isinstance(statement, (RateAtLeast, RateNear))
                # The evidence holds no cap; it was at least the reach's, or the check would have been refused.
                reach = next((one for one in reaches if one.covers(statement, one.trials)), None)
                if reach is not None:
                    limit = entry["about"].get("law") == "infinite-width"
                    yield Pair(statement.trials, fixed_size(statement, reach), limit)
