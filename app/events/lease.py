"""A lease: of all replicas, one does a work at a time."""

import time
import uuid
from collections.abc import Callable

from app.state import State

# In seconds. The holder of the watch renews its lease before each call, which takes at most LOOK.
# Another replica takes over within 15 s after the holder died: LASTS, and RETRY until it asks
# again.
LASTS = 10.0
RETRY = 3.0
LOOK = 5.0
ALIVE = 1.0  # seconds for which a replica remembers whether somebody watches


class Lease:
    """A lease of one replica.

    Args:
        state: Knows who holds it. Nobody holds it while a shared state is lost.
        name: What it is for.
        monotonic: The clock of this replica, in seconds.
    """

    def __init__(
        self, state: State, name: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._state = state
        self._name = f"lease of {name}"
        self._owner = uuid.uuid4().hex.encode()
        self._monotonic = monotonic
        self._ends = float("-inf")

    def hold(self) -> bool:
        """Hold it for LASTS from now. Returns False if another replica holds it."""
        asked = self._monotonic()
        holds = self._state.hold(self._name, self._owner, LASTS)
        self._ends = asked + LASTS if holds else float("-inf")
        return holds

    def release(self) -> None:
        """Let another replica hold it."""
        self._ends = float("-inf")
        self._state.remove(self._name, self._owner)

    @property
    def own(self) -> bool:
        """Whether this replica still holds the lease, by its own clock and without a request."""
        return self._monotonic() < self._ends

    @property
    def held(self) -> bool:
        """Whether any replica holds it."""
        return self._state.get(self._name) is not None
