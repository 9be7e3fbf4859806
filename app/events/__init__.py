"""The events that callers are told of, in one feed for all replicas."""

from app.events.deliveries import Deliveries
from app.events.event import Event, EventType
from app.events.feed import Entries, Entry, Feed, everything
from app.events.opening import open_deliveries
from app.events.visible import visible_to

__all__ = [
    "Deliveries",
    "Entries",
    "Entry",
    "Event",
    "EventType",
    "Feed",
    "everything",
    "open_deliveries",
    "visible_to",
]
