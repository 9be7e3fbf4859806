"""One thread that ends what is over: exchanges at their deadline, idle connections at their age.

A socket's timeout is for each read or write, and under gevent for each piece of a TLS record: an
answer that drips would hold a request for as long as upstream likes.
"""

import threading
import time
from collections.abc import Callable, Hashable

from app.observability.logs import unexpected


class Watch:
    """Calls a function when its time has come, for each key the one that was set last.

    The thread sleeps until the next end, and starts with the first one.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ends: dict[Hashable, tuple[float, Callable[[], None]]] = {}
        self._wakes = float("inf")
        self._thread: threading.Thread | None = None

    def until(self, key: Hashable, ends: float, over: Callable[[], None]) -> None:
        """Call `over` at `ends` of the monotonic clock, in place of what was set for the key.

        `over` must not wait for anything.
        """
        with self._changed:
            self._ends[key] = ends, over
            if ends < self._wakes:
                self._wakes = ends
                self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for key in [key for key, (ends, _) in self._ends.items() if ends <= now]:
                    _, over = self._ends.pop(key)
                    try:
                        over()
                    except Exception as error:  # the thread must go on
                        unexpected(error, "watch")
                self._wakes = min((ends for ends, _ in self._ends.values()), default=float("inf"))
                seconds = self._wakes - time.monotonic()
                self._changed.wait(None if seconds == float("inf") else max(seconds, 0))


WATCH = Watch()
