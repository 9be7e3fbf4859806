"""The state of one process, in memory."""

import threading
import time
from collections.abc import Callable

CATCH_UP = 0.02  # a late call may catch up so much, as a share of the rate's `seconds`
SWEEP_INTERVAL = 60.0  # seconds between two removals of expired values


class MemoryState:
    """Values in a dictionary.

    Args:
        replicas: The number of processes that share a quota but no state.
        now: The clock, in seconds.
    """

    shared = False

    def __init__(self, replicas: int = 1, now: Callable[[], float] = time.monotonic) -> None:
        self._replicas = replicas
        self._due: dict[str, float] = {}
        self._now = now
        self._lock = threading.Lock()
        self._values: dict[str, tuple[float, bytes]] = {}
        self._swept = now()

    def get(self, key: str, own: bool = False) -> bytes | None:
        """The value of a key; None if there is none or it has expired.

        Args:
            key: The key.
            own: Has no effect here: all values are this process's own.
        """
        with self._lock:
            return self._live(key)

    def put(self, key: str, value: bytes, seconds: float) -> None:
        """Set the value of a key; it expires after so many seconds."""
        with self._lock:
            self._set(key, value, seconds)

    def add(self, key: str, value: bytes, seconds: float) -> bool:
        """Set the value of a key that has none. Returns True if the value was set."""
        with self._lock:
            if self._live(key) is not None:
                return False
            self._set(key, value, seconds)
            return True

    def increase(self, key: str, seconds: float) -> int:
        """Add 1 to a count and return it. It expires so many seconds after its first increase."""
        with self._lock:
            count = int(self._live(key) or b"0") + 1
            if count == 1:
                self._set(key, b"1", seconds)
            else:
                self._values[key] = (self._values[key][0], str(count).encode())
            return count

    def reserve(self, key: str, calls: float, seconds: float) -> float:
        """Reserve a slot for one call, at a rate of `calls` per `seconds`.

        The generic cell rate algorithm (GCRA): slots are evenly spaced, and a late call may catch
        up a little. This process uses its share of the rate: 1 of `replicas` parts.

        Returns:
            0 if a slot was reserved; otherwise the seconds until the next attempt makes sense.
        """
        distance = seconds / calls * self._replicas
        with self._lock:
            now = self._now()
            due = self._due.get(key, now)
            pause = due - CATCH_UP * seconds - now
            if pause > 0:
                return pause
            self._due[key] = max(now, due) + distance
            return 0.0

    def delete(self, key: str) -> None:
        """Delete the value of a key."""
        with self._lock:
            self._values.pop(key, None)

    def _live(self, key: str) -> bytes | None:
        ends, value = self._values.get(key, (0.0, b""))
        return value if ends > self._now() else None

    def _set(self, key: str, value: bytes, seconds: float) -> None:
        now = self._now()
        if now - self._swept > SWEEP_INTERVAL:
            self._values = {name: entry for name, entry in self._values.items() if entry[0] > now}
            self._swept = now
        self._values[key] = (now + seconds, value)
