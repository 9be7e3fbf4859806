"""A lock: of all processes that share a state, one at a time holds it."""

import threading
import time
import uuid
from collections.abc import Callable

from app.state.state import State

# In seconds. After the death of its holder, a lock is free within LASTS.
LASTS = 10.0
RENEWAL = 2.0
LONGEST = 60.0  # no work of a holder takes longer


class Lock:
    """A lock that its holder renews by a thread, so that it does not outlive a killed process.

    While a shared state is lost, each process has a lock of its own.

    Args:
        state: Knows who holds it.
        name: Its key.
        monotonic: The clock of this process, in seconds.
    """

    def __init__(
        self, state: State, name: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._state = state
        self._name = name
        self._monotonic = monotonic
        self._owner = uuid.uuid4().hex.encode()
        self._changing = threading.Lock()
        self._released = threading.Event()
        self._ends = float("-inf")

    def acquire(self) -> bool:
        """Acquire it without waiting. Returns False if it is held, by this process or another."""
        asked = self._monotonic()
        if not self._state.add(self._name, self._owner, LASTS):
            return False
        self._ends = asked + LASTS
        self._released = threading.Event()
        limits = (self._released, asked + LONGEST)
        threading.Thread(target=self._renew, args=limits, daemon=True).start()
        return True

    @property
    def own(self) -> bool:
        """Whether this process still holds it: it was renewed less than LASTS ago. Asks nobody."""
        return self._monotonic() < self._ends

    def release(self) -> None:
        """Let another process hold it."""
        self._released.set()
        with self._changing:  # a renewal that is under way must not come after the removal
            self._ends = float("-inf")
            self._state.remove(self._name, self._owner)

    def _renew(self, released: threading.Event, ends: float) -> None:
        while not released.wait(RENEWAL) and self._monotonic() < ends:
            with self._changing:
                asked = self._monotonic()
                if not released.is_set() and self._state.hold(self._name, self._owner, LASTS):
                    self._ends = asked + LASTS
