"""Clocks that a test advances, threads that start together, and waits with a limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from demo import processes

T = TypeVar("T")

LIMIT = 20.0  # seconds; only a failing test waits this long


class Clock:
    """A clock that starts at the present and moves only by `pass_time`."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = time.time() if seconds is None else seconds

    def __call__(self) -> float:
        return self.seconds

    def utc(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def pass_time(self, seconds: float) -> None:
        self.seconds += seconds


def together(number: int, work: Callable[[int], T]) -> list[T]:
    """The results of `work` in `number` threads that start at the same moment."""
    barrier = threading.Barrier(number, timeout=LIMIT)

    def one(place: int) -> T:
        barrier.wait()
        return work(place)

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(one, range(number)))


def wait_until(condition: Callable[[], object], limit: float = LIMIT) -> None:
    """Wait until the condition is true. Raises TimeoutError after `limit` seconds."""
    processes.wait_until(condition, "the condition", limit)
