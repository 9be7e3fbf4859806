"""The state of one process, in memory."""

import threading
import time
from collections.abc import Callable

from app.state.memory_stream import MemoryStream
from app.state.memory_table import MemoryTable
from app.state.state import Recalled, Slot

MICROSECONDS = 1_000_000  # in a second
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
        self._due: dict[str, int] = {}  # when the next free slot is due, in microseconds
        self._now = now
        self._lock = threading.Lock()
        self._values: dict[str, tuple[float, bytes]] = {}
        self._swept = now()

    def inspect(self) -> None:
        """Do nothing: a process's memory has no settings."""

    def get(self, key: str) -> bytes | None:
        """The value of a key; None if there is none or it has expired."""
        with self._lock:
            return self._live(key)

    def recall(self, key: str, seconds: float) -> Recalled:
        """The value of a key. It is certain: this process is the only one that puts values."""
        return Recalled(self.get(key), certain=True)

    def left(self, key: str) -> float:
        """Seconds until the value of a key expires; 0 if there is none."""
        with self._lock:
            return max(0.0, self._values.get(key, (0.0, b""))[0] - self._now())

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

    acquire = add  # a lock in memory is never lost
    settles_in = 0.0

    def increase(self, key: str, seconds: float) -> int:
        """Add 1 to a count and return it. It expires so many seconds after its first increase."""
        with self._lock:
            count = int(self._live(key) or b"0") + 1
            if count == 1:
                self._set(key, b"1", seconds)
            else:
                self._values[key] = (self._values[key][0], str(count).encode())
            return count

    def remove(self, key: str, value: bytes) -> None:
        """Delete a key if it still has this value: a lock is released by its owner only."""
        with self._lock:
            if self._live(key) == value:
                del self._values[key]

    def reserve(self, key: str, calls: float, seconds: float, late: Slot | None = None) -> Slot:
        """Reserve the next free slot for one call, at a rate of `calls` per `seconds`.

        Slots are evenly spaced and never in the past: they are not saved up. This process uses its
        share of the rate: 1 of `replicas` parts.

        Args:
            key: The key of the quota.
            calls: The calls of the rate.
            seconds: The seconds of the rate.
            late: The slot that was reserved before and missed. It moves to the present if nobody
                has reserved a later slot.
        """
        distance = self._distance(calls, seconds)
        with self._lock:
            now = int(self._now() * MICROSECONDS)
            due = self._due.get(key, now)
            if late is not None and due == late.due + distance:
                due = late.due
            due = max(now, due)
            self._due[key] = due + distance
            return Slot((due - now) / MICROSECONDS, due)

    def follow(self, key: str, wait: float, calls: float, seconds: float) -> None:
        """Let the next free slot follow a slot that another state reserved.

        Args:
            key: The key of the quota.
            wait: Seconds until that slot is due.
            calls: The calls of the rate.
            seconds: The seconds of the rate.
        """
        with self._lock:
            due = int((self._now() + wait) * MICROSECONDS)
            self._due[key] = due + self._distance(calls, seconds)

    def free_in(self, key: str) -> float:
        """Seconds until the next free slot is due."""
        with self._lock:
            return max(0.0, self._due.get(key, 0) / MICROSECONDS - self._now())

    def delete(self, key: str) -> None:
        """Delete the value of a key."""
        with self._lock:
            self._values.pop(key, None)

    def stream(self, name: str, most: int, seconds: float) -> MemoryStream:
        """A new stream that keeps so many values, each for so many seconds."""
        return MemoryStream(most, seconds, self._now)

    def hold(self, key: str, owner: bytes, seconds: float) -> bool:
        """Hold a lease, or go on holding it. Returns False if another owner holds it."""
        with self._lock:
            if self._live(key) not in (None, owner):
                return False
            self._set(key, owner, seconds)
            return True

    def table(self, name: str, seconds: float) -> MemoryTable:
        """A new table."""
        return MemoryTable()

    def _distance(self, calls: float, seconds: float) -> int:
        return int(seconds / calls * self._replicas * MICROSECONDS)

    def _live(self, key: str) -> bytes | None:
        entry = self._values.get(key)
        return entry[1] if entry is not None and entry[0] > self._now() else None

    def _set(self, key: str, value: bytes, seconds: float) -> None:
        now = self._now()
        if now - self._swept > SWEEP_INTERVAL:
            self._values = {name: entry for name, entry in self._values.items() if entry[0] > now}
            self._swept = now
        self._values[key] = (now + seconds, value)
