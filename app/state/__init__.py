"""What the replicas share, or one process keeps: locks, counts and sealed tokens, for a time.

Nothing personal is stored: keyed fingerprints, codes, times, and tokens encrypted.
"""

from typing import Protocol

from app.settings import ConfigurationError, StateSettings
from app.state.memory import MemoryState
from app.state.sealing import Sealing
from app.state.shared import SharedState

__all__ = ["MemoryState", "Sealing", "SharedState", "State", "open_state"]


class State(Protocol):
    """Values by key, each for a number of seconds. Safe to use by many threads."""

    @property
    def shared(self) -> bool:
        """Whether other replicas see the same values now."""

    def get(self, key: str, own: bool = False) -> bytes | None:
        """The value; None if there is none (any more).

        Args:
            key: Its key.
            own: Whether what this process put there counts where the state has forgotten it.
        """

    def put(self, key: str, value: bytes, seconds: float) -> None:
        """Set a value."""

    def add(self, key: str, value: bytes, seconds: float) -> bool:
        """Set a value unless there is one; whether it was set."""

    def increase(self, key: str, seconds: float) -> int:
        """Add one to a count, which is forgotten that long after its first; the new count."""

    def take(self, key: str, calls: float, seconds: float) -> float:
        """Take one of the calls allowed in any so many seconds; else seconds until there is one.

        Returns:
            0 if a call was taken.
        """

    def delete(self, key: str) -> None:
        """Forget a value."""


def open_state(settings: StateSettings) -> tuple[State, Sealing]:
    """The state that the configuration names, and the key that protects what is put there.

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
