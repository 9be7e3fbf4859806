"""The locks that this process holds. Redis is told again of a lock that it has lost."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping

from app.observability import logs

INTERVAL = 1.0  # seconds between two tellings
LEFT = 60.0  # seconds for which a released lock is remembered; no lock is held longer


class HeldLocks:
    """The locks of this process, from their acquisition to their release.

    A failover, a flush or a loss of Redis takes a lock away from a write that is under way, or
    leaves a lock behind that was released meanwhile. As long as this process holds a lock or has
    left one behind, a thread tells Redis every INTERVAL.

    Args:
        tell: Sets these locks in Redis where it has none: the values and the seconds left, by key.
            It tries a lost Redis at once.
        delete: Deletes a lock in Redis if it has this value. Returns whether Redis could be told.
    """

    def __init__(
        self,
        tell: Callable[[Mapping[str, tuple[bytes, float]]], None],
        delete: Callable[[str, bytes], bool],
    ) -> None:
        self._tell = tell
        self._delete = delete
        self._lock = threading.Lock()
        self._held: dict[tuple[str, bytes], float] = {}  # when each lock expires
        self._left: dict[tuple[str, bytes], float] = {}  # until when each is remembered
        self._telling = False

    def hold(self, key: str, value: bytes, seconds: float) -> None:
        """Hold a lock, for this many seconds at most."""
        with self._lock:
            self._held[key, value] = time.monotonic() + seconds
            self._begin()

    def release(self, key: str, value: bytes) -> None:
        """Hold a lock no longer, and delete it in Redis. If Redis is lost, that follows later."""
        with self._lock:
            held = self._held.pop((key, value), None) is not None
        if not self._delete(key, value) and held:
            with self._lock:
                self._left[key, value] = time.monotonic() + LEFT
                self._begin()

    def _begin(self) -> None:
        if not self._telling:
            self._telling = True
            threading.Thread(target=self._keep_telling, name="state", daemon=True).start()

    def _keep_telling(self) -> None:
        while True:
            time.sleep(INTERVAL)
            now = time.monotonic()
            with self._lock:
                self._held = {lock: ends for lock, ends in self._held.items() if ends > now}
                self._left = {lock: ends for lock, ends in self._left.items() if ends > now}
                self._telling = bool(self._held or self._left)
                if not self._telling:
                    return
                held = dict(self._held)
            try:
                self._tell({key: (value, ends - now) for (key, value), ends in held.items()})
                self._delete_left(held, now + LEFT)
            except Exception as error:
                logs.unexpected(error, "locks")

    def _delete_left(self, told: Iterable[tuple[str, bytes]], until: float) -> None:
        """Delete the locks that were left behind, or released while Redis was told of them."""
        with self._lock:
            self._left |= {lock: until for lock in told if lock not in self._held}
            left = tuple(self._left)
        for lock in left:
            if self._delete(*lock):
                with self._lock:
                    self._left.pop(lock, None)
