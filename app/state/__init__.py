"""Expiring values that the replicas share: locks, counts, records and tokens.

Without Redis each process keeps its own values. No personal data is stored. In Redis, names are
keyed fingerprints, and all values but counts and times are encrypted.
"""

from app.state.client import PREFIX, Client
from app.state.lock import Lock
from app.state.memory import MemoryState
from app.state.opening import open_state
from app.state.sealing import Sealing
from app.state.shared import SharedState
from app.state.state import Recalled, Slot, State
from app.state.stream import Following, Stream, StreamLost, is_place, order
from app.state.table import Table

__all__ = [
    "PREFIX",
    "Client",
    "Following",
    "Lock",
    "MemoryState",
    "Recalled",
    "Sealing",
    "SharedState",
    "Slot",
    "State",
    "Stream",
    "StreamLost",
    "Table",
    "is_place",
    "open_state",
    "order",
]
