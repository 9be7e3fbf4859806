"""The locks that this process holds. Redis is told again of a lock that it has lost."""

import threading
import time
from collections.abc import Callable

from app.observability import logs

INTERVAL = 2.0  # seconds between two tellings

_Locks = dict[str, tuple[bytes, float]]  # the value of each, and when it expires


class HeldLocks:
    """The locks of this process, from their acquisition to their release.

    A failover, a flush or a loss of Redis takes a lock away from a write that is under way, or
    leaves a lock behind that was released meanwhile. As long as this process holds a lock or has
    left one behind, a thread tells Redis every INTERVAL.

    Args:
        tell: Sets these locks in Redis where it has none: the values and the seconds left, by key.
        remove: Deletes a lock in Redis if it has this value. It calls `leave` if Redis is lost.
        monotonic: The clock of this process, in seconds.
    """

    def __init__(
        self,
        tell: Callable[[dict[str, tuple[bytes, float]]], None],
        remove: Callable[[str, bytes], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._remove = remove
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._held: _Locks = {}
        self._left: _Locks = {}  # released while Redis was lost
        self._telling = False

    def hold(self, key: str, value: bytes, seconds: float) -> None:
        """Hold a lock for so many seconds at most."""
        with self._lock:
            self._held[key] = (value, self._monotonic() + seconds)
            self._begin()

    def release(self, key: str, value: bytes) -> None:
        """Hold a lock no longer."""
        with self._lock:
            if self._holds(key, value):
                del self._held[key]

    def leave(self, key: str, value: bytes, seconds: float) -> None:
        """Remember a lock that Redis could not be told to delete, for so many seconds."""
        with self._lock:
            self._left[key] = (value, self._monotonic() + seconds)
            self._begin()

    def returned(self, delete: Callable[[str, bytes], None]) -> None:
        """Delete the locks that were released while Redis was lost."""
        for key, (value, _) in list(self._left.items()):
            delete(key, value)
            with self._lock:
                self._left.pop(key, None)

    def _holds(self, key: str, value: bytes) -> bool:
        return key in self._held and self._held[key][0] == value

    def _begin(self) -> None:
        if not self._telling:
            self._telling = True
            threading.Thread(target=self._keep_telling, name="state", daemon=True).start()

    def _keep_telling(self) -> None:
        while True:
            time.sleep(INTERVAL)
            now = self._monotonic()
            with self._lock:
                self._held, self._left = _live(self._held, now), _live(self._left, now)
                self._telling = bool(self._held or self._left)
                if not self._telling:
                    return
                told = {key: (value, ends - now) for key, (value, ends) in self._held.items()}
            try:
                self._tell_of(told)
            except Exception as error:
                logs.unexpected(error, "locks")

    def _tell_of(self, locks: _Locks) -> None:
        self._tell(locks)
        with self._lock:
            released = [(key, one[0]) for key, one in locks.items() if not self._holds(key, one[0])]
        for key, value in released:  # while Redis was told of it
            self._remove(key, value)


def _live(locks: _Locks, now: float) -> _Locks:
    return {key: lock for key, lock in locks.items() if lock[1] > now}
