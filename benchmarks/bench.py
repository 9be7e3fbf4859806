"""The conditions of a measurement, and the rows of its results."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TypeVar

from benchmarks.processes import PROJECT
from benchmarks.upstream import Upstream

S = TypeVar("S", bound=AbstractContextManager[object])


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    figure: str
    goal: str
    measured: str
    reached: bool | None = None  # None for a peer: it has no goal


@dataclass(frozen=True, slots=True)
class Bench:
    """The files, the tree and the durations of a measurement.

    Args:
        folder: For files of the servers.
        upstream: The stand-in for Huawei.
        project: The tree of the gateway that is measured.
        rounds: The number of rounds; each side is measured once per round.
        seconds: The length of one measurement.
    """

    folder: Path
    upstream: Upstream
    project: Path = PROJECT
    rounds: int = field(default_factory=lambda: int(os.environ.get("BENCH_ROUNDS", "10")))
    seconds: int = field(default_factory=lambda: int(os.environ.get("BENCH_SECONDS", "1")))

    @contextmanager
    def started(self, sides: Sequence[S]) -> Iterator[Sequence[S]]:
        """Start all sides together."""
        with ExitStack() as stack:
            for side in sides:
                stack.enter_context(side)
            yield sides

    def in_turns(self, *measures: Callable[[], float]) -> list[list[float]]:
        """The results of each measure by round. Each round starts with another measure."""
        found: list[list[float]] = [[] for _ in measures]
        for turn in range(self.rounds):
            for step in range(len(measures)):
                place = (turn + step) % len(measures)
                found[place].append(measures[place]())
        return found


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def at_most(figure: str, value: float, limit: float, unit: str = "", digits: int = 2) -> Row:
    """A row whose goal is a value of at most the limit."""
    shown = f"{value:.{digits}f}{unit}"
    return Row(figure, f"≤ {limit:g}{unit}", shown, value <= limit)
