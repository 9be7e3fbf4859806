"""The feed: the events of all accounts in one order, which every replica reads and adds to."""

import threading
import time
from dataclasses import dataclass
from typing import Any

from app.errors import ErrorCode, GatewayError
from app.events.event import Event, Visible
from app.events.news import News
from app.observability import metrics
from app.state import Following, State, StreamLost, order

KEPT = 7 * 24 * 3600.0  # seconds
# Four events for each of 10,000 customers in 7 days, with some to spare: some 25 MiB.
MOST = 50_000
LOOK = 100  # events that are read from the state at once
LOOKS = 10  # of one page: 1,000 events cost some 40 ms


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of the feed.

    Args:
        id: Its id, the same on every replica. Compare ids for equality only.
        event: The event.
    """

    id: str
    event: Event

    def item(self) -> dict[str, Any]:
        """The members of the event as callers get them; those that it has not are None."""
        event = self.event
        return {
            "id": self.id,
            "type": event.type,
            "account": event.account,
            "customer_id": event.customer_id or None,
            "occurred_at": event.occurred_at,
            "kind": event.kind or None,
            "status": event.status or None,
            "percent": event.percent or None,
        }


@dataclass(frozen=True, slots=True)
class Entries:
    """Events of the feed, oldest first.

    Args:
        items: The events that are visible.
        next: Read on after this id; it is past the events that are not visible, too.
        behind: Seconds from the event at `next` to the newest event; 0 if `next` is the newest.
    """

    items: tuple[Entry, ...]
    next: str
    behind: float


def everything(_event: Event) -> bool:
    """Whether a reader of all events sees the event: always."""
    return True


class Feed:
    """The events. With Redis all replicas share one feed; without it a restart drops the feed.

    Args:
        state: Holds the events.
        draining: Is set when the process begins to shut down; this ends every wait.
        most: The number of events to keep.
    """

    def __init__(self, state: State, draining: threading.Event, most: int = MOST) -> None:
        self._stream = state.stream("events", most, KEPT)
        self._draining = draining
        self._news = News(self._stream, draining)

    def add(self, event: Event, once: str) -> None:
        """Add an event, unless it was added before.

        Args:
            event: The event.
            once: Names the fact that the event tells. Of all replicas, one adds the fact, once in
                KEPT.

        Raises:
            GatewayError: EVENTS_UNAVAILABLE if it is not known whether the event was added. Add it
                again later. Only when this raises nothing, note in the state that the fact was
                told: Redis replicates in order, so a failover that loses the event loses the
                note too.
        """
        try:
            added = self._stream.add(event.dump(), once)
        except StreamLost:
            raise GatewayError(ErrorCode.EVENTS_UNAVAILABLE) from None
        if added:
            metrics.EVENTS.labels(event.account, event.type).inc()

    def newest(self) -> str:
        """The id of the newest event: what is after it is yet to come.

        Raises:
            GatewayError: EVENTS_UNAVAILABLE.
        """
        return self._following(None).newest

    def after(self, id: str | None, limit: int, visible: Visible = everything) -> Entries:
        """The events after an id, or from the oldest one if the id is None.

        It looks at 1,000 events at most. There are newer events if and only if `next` differs
        from the id, so read on until it does not.

        Args:
            id: The id of an event, or the `next` of earlier entries.
            limit: The largest number of items.
            visible: Whether the reader sees an event.

        Raises:
            GatewayError: EVENTS_GONE if an event after the id was dropped or cannot be trusted, or
                the id is of another feed; `next` of the error is the newest id. EVENTS_UNAVAILABLE.
        """
        items: list[Entry] = []
        found = self._following(id)
        place, looks = found.place, 1
        while True:
            for added in found.values:
                if added.value is None:  # it cannot be trusted
                    raise GatewayError(ErrorCode.EVENTS_GONE, next=found.newest)
                event, place = Event.load(added.value), added.id
                # No reader of this version asks for an event of a newer one that runs beside it.
                if event is not None and visible(event):
                    items.append(Entry(added.id, event))
                if len(items) == limit:
                    break
            if place == found.newest or len(items) == limit or looks == LOOKS:
                return Entries(tuple(items), place, _seconds(place, found.newest))
            found, looks = self._following(place), looks + 1

    def _following(self, place: str | None) -> Following:
        try:
            found = self._stream.after(place, LOOK)
        except StreamLost:
            raise GatewayError(ErrorCode.EVENTS_UNAVAILABLE) from None
        if not found.known:
            raise GatewayError(ErrorCode.EVENTS_GONE, next=found.newest)
        return found

    def wait(
        self, id: str | None, limit: int, seconds: float, visible: Visible = everything
    ) -> Entries:
        """The events after an id, as soon as there is a visible one, or what there is at the end.

        The wait calls nobody: one thread of this process reads the news for all who wait.

        Args:
            id: The id of an event, or the `next` of earlier entries; None begins at the oldest.
            limit: The largest number of items.
            seconds: The longest wait.
            visible: Whether the reader sees an event.

        Raises:
            GatewayError: EVENTS_GONE, EVENTS_UNAVAILABLE.
        """
        ends = time.monotonic() + seconds
        while True:
            entries = self.after(id, limit, visible)
            left = ends - time.monotonic()
            if entries.items or entries.behind or left <= 0 or self._draining.is_set():
                return entries
            self._news.wait(entries.next, left, visible)
            id = entries.next


def _seconds(place: str, newest: str) -> float:
    return (order(newest)[0] - order(place)[0]) / 1000
