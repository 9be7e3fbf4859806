"""Opens the configured state."""

from app.settings import ConfigurationError, StateSettings
from app.state.client import Client
from app.state.memory import MemoryState
from app.state.sealing import Sealing
from app.state.shared import SharedState
from app.state.state import State


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
    return SharedState(Client(settings), sealing, settings.replicas), sealing
