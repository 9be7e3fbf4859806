"""What a state offers: expiring values by key, counts, locks and slots of a quota."""

from dataclasses import dataclass
from typing import Protocol

from app.state.stream import Stream
from app.state.table import Table


@dataclass(frozen=True, slots=True)
class Slot:
    """A reserved slot for one call.

    Args:
        wait: Seconds from the reservation until the slot is due.
        due: When the slot is due, in microseconds of the state's clock.
    """

    wait: float
    due: int


@dataclass(frozen=True, slots=True)
class Recalled:
    """A value that this process or another one may have put earlier.

    Args:
        value: The value; None if there is none.
        certain: Whether a missing value was never put. False if the state may have lost it.
        own: Whether the value is this process's copy: another replica may have put a later one.
    """

    value: bytes | None
    certain: bool
    own: bool = False


class State(Protocol):
    """Values by key; each value expires. Safe to use from several threads."""

    @property
    def shared(self) -> bool:
        """Whether all replicas see the same values now."""

    def inspect(self) -> None:
        """Log a warning if the settings of the state's server endanger its values."""

    def get(self, key: str) -> bytes | None:
        """The value of a key; None if there is none, it has expired, or it cannot be trusted."""

    def recall(self, key: str, seconds: float) -> Recalled:
        """The value of a key, or this process's own copy of it.

        Args:
            key: The key.
            seconds: How long values of this kind are kept.
        """

    def left(self, key: str) -> float:
        """Seconds until the value of a key expires; 0 if there is none."""

    def put(self, key: str, value: bytes, seconds: float) -> None:
        """Set the value of a key; it expires after so many seconds."""

    def add(self, key: str, value: bytes, seconds: float) -> bool:
        """Set the value of a key that has none. Returns True if the value was set."""

    def acquire(self, key: str, value: bytes, seconds: float) -> bool:
        """Set a lock that nobody holds, until `remove`. Returns True if it was set."""

    @property
    def settles_in(self) -> float:
        """Seconds until every replica has told a new or changed server which locks it holds."""

    def remove(self, key: str, value: bytes) -> None:
        """Delete a key if it still has this value: a lock is released by its owner only."""

    def increase(self, key: str, seconds: float) -> int:
        """Add 1 to a count and return it. It expires so many seconds after its first increase."""

    def reserve(self, key: str, calls: float, seconds: float, late: Slot | None = None) -> Slot:
        """Reserve the next free slot for one call, at a rate of `calls` per `seconds`.

        Slots are evenly spaced and never in the past: they are not saved up.

        Args:
            key: The key of the quota.
            calls: The calls of the rate.
            seconds: The seconds of the rate.
            late: The slot that was reserved before and missed. It moves to the present if nobody
                has reserved a later slot.
        """

    def delete(self, key: str) -> None:
        """Delete the value of a key."""

    def stream(self, name: str, most: int, seconds: float) -> Stream:
        """A stream that keeps so many values, each for so many seconds. Call it once for a name."""

    def hold(self, key: str, owner: bytes, seconds: float) -> bool:
        """Hold a lease, or go on holding it, for so many seconds from now.

        Returns:
            False if another owner holds it, or if no replica can know who holds it.
        """

    def table(self, name: str, seconds: float) -> Table:
        """A table, which is deleted so long after its last change. Call it once for a name."""
