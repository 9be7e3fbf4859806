"""The events that callers are told of, in one feed for all replicas."""

from app.events.event import Event, EventType
from app.events.feed import Entries, Entry, Feed, everything

__all__ = ["Entries", "Entry", "Event", "EventType", "Feed", "everything"]
