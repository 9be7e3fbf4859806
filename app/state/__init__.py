"""Expiring values that the replicas share: locks, counts, records and encrypted tokens.

Without Redis each process keeps its own values. No personal data is stored: only keyed
fingerprints, codes, times and encrypted tokens.
"""

from typing import Protocol

from app.settings import ConfigurationError, StateSettings
from app.state.memory import MemoryState
from app.state.sealing import Sealing
from app.state.shared import SharedState

__all__ = ["MemoryState", "Sealing", "SharedState", "State", "open_state"]


class State(Protocol):
    """Values by key; each value expires. Safe to use from several threads."""

    @property
    def shared(self) -> bool:
        """Whether all replicas see the same values now."""

    def get(self, key: str, own: bool = False) -> bytes | None:
        """The value of a key; None if there is none or it has expired.

        Args:
            key: The key.
            own: Whether to fall back to this process's own copy if Redis has no value.
        """

    def put(self, key: str, value: bytes, seconds: float) -> None:
        """Set the value of a key; it expires after so many seconds."""

    def add(self, key: str, value: bytes, seconds: float) -> bool:
        """Set the value of a key that has none. Returns True if the value was set."""

    def increase(self, key: str, seconds: float) -> int:
        """Add 1 to a count and return it. It expires so many seconds after its first increase."""

    def reserve(self, key: str, calls: float, seconds: float) -> float:
        """Reserve a slot for one call, at a rate of `calls` per `seconds`.

        Returns:
            0 if a slot was reserved; otherwise the seconds until the next attempt makes sense.
        """

    def delete(self, key: str) -> None:
        """Delete the value of a key."""


def open_state(settings: StateSettings) -> tuple[State, Sealing]:
    """The configured state, and the sealing that protects its values.

    Raises:
        ConfigurationError: if the key file cannot be read or is too short.
    """
    if settings.key_file is None:
        return MemoryState(settings.replicas), Sealing.random()
    try:
        sealing = Sealing(settings.key_file.read_bytes())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigurationError(f"state.key_file: {reason}") from None
    if settings.url == "memory://":
        return MemoryState(settings.replicas), sealing
    return SharedState(settings), sealing
