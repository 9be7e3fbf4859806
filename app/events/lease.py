"""The lease of a watch: one replica at a time has it."""

import uuid

from app.state import State

# In seconds. The holder renews its lease before each call, which takes at most LOOK. Another
# replica takes over within 15 s after the holder died: LASTS, and RETRY until it asks again.
LASTS = 10.0
RETRY = 3.0
LOOK = 5.0
ALIVE = 1.0  # seconds for which a replica remembers whether somebody watches


class Lease:
    """A lease of one replica.

    Args:
        state: Knows who holds it. Nobody holds it while a shared state is lost.
        name: What it is for.
    """

    def __init__(self, state: State, name: str) -> None:
        self._state = state
        self._name = f"lease of {name}"
        self._owner = uuid.uuid4().hex.encode()

    def hold(self) -> bool:
        """Hold it for LASTS from now. Returns False if another replica holds it."""
        return self._state.hold(self._name, self._owner, LASTS)

    def release(self) -> None:
        """Let another replica hold it."""
        self._state.remove(self._name, self._owner)

    @property
    def held(self) -> bool:
        """Whether any replica holds it."""
        return self._state.get(self._name) is not None
