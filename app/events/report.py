"""What the holder of the lease reports of its watch, so that every replica can show it."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from app.state import State

KEPT = 30 * 24 * 3600.0  # seconds
PAUSE = 5.0  # seconds between two reports


@dataclass(frozen=True, slots=True)
class Progress:
    """How a watch goes.

    Args:
        oldest_look: The earliest of the last looks at the open reviews, in seconds of the wall
            clock; the time of the report if no review is open.
        sweep: Seconds in which all open reviews were looked at last.
    """

    oldest_look: float
    sweep: float


class Report:
    """The last report on the watch of one account.

    Args:
        account: The account's name.
        state: Holds it for all replicas.
        now: The wall clock, in seconds.
    """

    def __init__(self, account: str, state: State, now: Callable[[], float] = time.time) -> None:
        self._name = f"the watch of {account}"
        self._state = state
        self._now = now
        self._written = 0.0

    def write(self, look_age: float, sweep: float) -> None:
        """Write the report, at most once in PAUSE.

        Args:
            look_age: Seconds since the oldest look.
            sweep: Seconds in which all open reviews were looked at last.
        """
        now = self._now()
        if abs(now - self._written) < PAUSE:
            return
        self._written = now
        progress = Progress(now - look_age, sweep)
        self._state.put(self._name, json.dumps(asdict(progress)).encode(), KEPT)

    def read(self) -> Progress | None:
        """The last report; None if nobody has watched."""
        found = self._state.get(self._name)
        try:
            return None if found is None else Progress(**json.loads(found))
        except (TypeError, ValueError):
            return None
