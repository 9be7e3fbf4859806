"""Expiring values that the replicas share: locks, counts, records and tokens.

Without Redis each process keeps its own values. No personal data is stored: only keyed
fingerprints, codes, times and encrypted tokens.
"""

from app.state.client import PREFIX, Client
from app.state.memory import MemoryState
from app.state.opening import open_state
from app.state.sealing import Sealing
from app.state.shared import SharedState
from app.state.state import Recalled, Slot, State

__all__ = [
    "PREFIX",
    "Client",
    "MemoryState",
    "Recalled",
    "Sealing",
    "SharedState",
    "Slot",
    "State",
    "open_state",
]
