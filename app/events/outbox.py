"""The events that one caller has not received yet, each customer's in their order."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from app.events.event import Event
from app.events.feed import Entries, Entry
from app.state import order

MOST = 500  # events; while so many wait, no further one is taken from the feed
TRIED = 3 * 24 * 3600.0  # seconds from an event until no further try follows
FIRST_PAUSE = 5.0  # seconds after the first failed try; each further pause is twice as long
LONGEST_PAUSE = 3600.0  # seconds


@dataclass(slots=True)
class _Line:
    """The events of one customer, or of an account as a whole. Only the first one is tried.

    Args:
        entries: The events.
        tries: The failed tries of the first event.
        due: When the first event is tried next, by the monotonic clock.
        sending: Whether the first event is on its way.
    """

    entries: deque[Entry] = field(default_factory=deque)
    tries: int = 0
    due: float = 0.0
    sending: bool = False


class Outbox:
    """The events that wait. An event that fails holds back the later ones of its customer only.

    `now` is the monotonic clock, in seconds: no pause changes when the wall clock is put right.

    Args:
        place: The id up to which the feed was read.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self.changed = False  # since it was dumped
        self._lines: dict[tuple[str, str], _Line] = {}
        self._strange: list[tuple[str, str]] = []  # events that a newer version put

    @property
    def count(self) -> int:
        """The number of events that wait."""
        return sum(len(line.entries) for line in self._lines.values())

    @property
    def room(self) -> int:
        """The number of events that may be put."""
        return max(0, MOST - self.count)

    @property
    def oldest(self) -> datetime | None:
        """When the oldest event that waits occurred; None if none waits."""
        return min((entry.event.occurred_at for entry in self._waiting()), default=None)

    def put(self, entries: Entries) -> None:
        """Put events of the feed behind those that wait."""
        for entry in entries.items:
            self._put(entry)
        self.changed |= entries.next != self.place
        self.place = entries.next

    def _put(self, entry: Entry) -> None:
        customer = (entry.event.account, entry.event.customer_id)
        self._lines.setdefault(customer, _Line()).entries.append(entry)

    def pause(self, now: float) -> float:
        """Seconds until an event is due; infinity if none waits or all are being sent."""
        due = (line.due for line in self._lines.values() if not line.sending)
        return max(0.0, min(due, default=float("inf")) - now)

    def next(self, now: float) -> Entry | None:
        """An event that is due, which is on its way from now on; None if none is due."""
        ready = [one for one in self._lines.values() if one.due <= now and not one.sending]
        if not ready:
            return None
        line = min(ready, key=lambda one: one.due)
        line.sending = True
        return line.entries[0]

    def delivered(self, entry: Entry) -> int:
        """Remove an event that its caller has received. Returns the number of its tries."""
        return self._remove(entry)

    def _remove(self, entry: Entry) -> int:
        customer = (entry.event.account, entry.event.customer_id)
        line = self._lines[customer]
        tries = line.tries + 1
        line.entries.popleft()
        line.tries, line.due, line.sending = 0, 0.0, False
        if not line.entries:
            del self._lines[customer]
        self.changed = True
        return tries

    def failed(self, entry: Entry, now: float, age: float) -> tuple[int, float | None]:
        """Keep an event for its next try, or remove it after TRIED.

        Args:
            entry: The event.
            now: The monotonic clock.
            age: Seconds since the event occurred.

        Returns:
            The number of its tries, and the seconds until the next one; None if it was removed.
        """
        if age >= TRIED:
            return self._remove(entry), None
        line = self._lines[entry.event.account, entry.event.customer_id]
        pause = min(FIRST_PAUSE * 2**line.tries, LONGEST_PAUSE)
        line.tries, line.due, line.sending = line.tries + 1, now + pause, False
        return line.tries, pause

    def _waiting(self) -> Iterator[Entry]:
        for line in self._lines.values():
            yield from line.entries

    def dump(self) -> bytes:
        """The waiting events as bytes. The tries are left out: a new holder tries at once."""
        self.changed = False
        waiting = [(entry.id, entry.event.dump().decode()) for entry in self._waiting()]
        waiting = sorted(waiting + self._strange, key=lambda one: order(one[0]))
        return json.dumps([self.place, waiting], separators=(",", ":")).encode()

    @classmethod
    def load(cls, dumped: bytes) -> Self | None:
        """The outbox of the bytes; None if they hold none that this version knows.

        An event of a newer version stays until a replica of that version delivers it.
        """
        try:
            place, waiting = json.loads(dumped)
            outbox = cls(place)
            for id, text in waiting:
                event = Event.load(text.encode())
                if event is None:
                    outbox._strange.append((id, text))
                else:
                    outbox._put(Entry(id, event))
        except (ValueError, TypeError, AttributeError):
            return None
        return outbox
