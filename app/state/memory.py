"""State of one process."""

import threading
import time
from collections.abc import Callable

CATCH_UP = 0.02  # of the seconds in which so many calls are allowed
SWEEP_INTERVAL = 60.0  # seconds between two looks for what has expired


class MemoryState:
    """Values in a dictionary.

    Args:
        replicas: How many processes share a quota without knowing of each other.
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
        """The value; None if there is none (any more).

        Args:
            key: Its key.
            own: Whether what this process put there counts where the state has forgotten it.
        """
        with self._lock:
            return self._live(key)

    def put(self, key: str, value: bytes, seconds: float) -> None:
        """Set a value."""
        with self._lock:
            self._set(key, value, seconds)

    def add(self, key: str, value: bytes, seconds: float) -> bool:
        """Set a value unless there is one; whether it was set."""
        with self._lock:
            if self._live(key) is not None:
                return False
            self._set(key, value, seconds)
            return True

    def increase(self, key: str, seconds: float) -> int:
        """Add one to a count, which is forgotten that long after its first; the new count."""
        with self._lock:
            count = int(self._live(key) or b"0") + 1
            if count == 1:
                self._set(key, b"1", seconds)
            else:
                self._values[key] = (self._values[key][0], str(count).encode())
            return count

    def take(self, key: str, calls: float, seconds: float) -> float:
        """Take one of so many calls in so many seconds; else seconds until there is one.

        The generic cell rate algorithm: calls keep an even distance, of which those who come
        late may make up a little. This process allows itself its share among the replicas.
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
        """Forget a value."""
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
