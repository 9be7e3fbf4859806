"""Deadlines, and the thread that ends exchanges at their deadline and closes idle connections.

A socket's timeout applies to each read or write, and under gevent to each piece of a TLS record.
An answer that arrives byte by byte would therefore never time out.
"""

import threading
import time
from collections.abc import Callable, Hashable

from app.observability.logs import unexpected


def left(ends: float) -> float:
    """Seconds until a deadline.

    Args:
        ends: The deadline, by the monotonic clock.

    Raises:
        TimeoutError: if the deadline has passed.
    """
    seconds = ends - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


class Watch:
    """Calls functions at set times: for each key the function that was set last.

    The thread starts with the first `until`, and sleeps until the next time.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ends: dict[Hashable, tuple[float, Callable[[], None]]] = {}
        self._wakes = float("inf")
        self._thread: threading.Thread | None = None

    def until(self, key: Hashable, ends: float, over: Callable[[], None]) -> None:
        """Call a function at a time, and cancel the function that was set for the key before.

        Args:
            key: Identifies the deadline.
            ends: The time, by the monotonic clock.
            over: The function. It must not block.
        """
        with self._changed:
            self._ends[key] = ends, over
            if ends < self._wakes:
                self._wakes = ends
                self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()

    def forget(self, key: Hashable) -> None:
        """Cancel the function that is set for the key, if one is."""
        with self._changed:
            self._ends.pop(key, None)

    def __len__(self) -> int:
        """The number of functions that are set."""
        with self._changed:
            return len(self._ends)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for key in [key for key, (ends, _) in self._ends.items() if ends <= now]:
                    _, over = self._ends.pop(key)
                    try:
                        over()
                    except Exception as error:  # the thread must not end
                        unexpected(error, "watch")
                self._wakes = min((ends for ends, _ in self._ends.values()), default=float("inf"))
                seconds = self._wakes - time.monotonic()
                self._changed.wait(None if seconds == float("inf") else max(seconds, 0))


WATCH = Watch()
