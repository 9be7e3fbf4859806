"""Deliveries to a receiver, as each replica of a gateway makes them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.events import Deliveries, Event, EventType, Feed, visible_to
from app.events.event import Visible
from app.events.webhooks import Webhook
from app.settings import CallerSettings, WebhookSettings
from app.state import State
from tests.support.events import ended
from tests.support.gateway import digest
from tests.support.receiver import Receiver
from tests.support.server import Server
from tests.support.timing import LIMIT, Clock, wait_until

PAUSE = 0.05  # seconds, the longest wait of a replica
CALLER = "shop"


def rights(**different: Any) -> CallerSettings:
    """A caller that may see all events of two accounts."""
    document = {
        "keys_sha256": [digest("shop-key")],
        "scopes": ["events:read"],
        "accounts": ["default", "second"],
    }
    return CallerSettings.model_validate(document | different)


def webhook(folder: Path, receiver: Receiver, timeout: float = 5.0, **more: Any) -> Webhook:
    """The webhook of a receiver; its secret is in the folder."""
    secret_file = folder / f"secret-{receiver.port}"
    secret_file.write_text(f"{receiver.secret}\n")
    place: dict[str, Any] = {"url": receiver.url, "secret_file": secret_file} | more
    return webhook_to(place.pop("url"), place.pop("secret_file"), timeout, **place)


def webhook_to(url: str, secret_file: Path, timeout: float = 5.0, **more: Any) -> Webhook:
    """The webhook of a URL."""
    document = {"url": url, "secret_file": secret_file, "event_types": list(EventType)}
    return Webhook(CALLER, WebhookSettings.model_validate(document | more), timeout)


class Replica(Server):
    """A replica's feed and deliveries; leaving the context drains it.

    Args:
        state: Its state.
        sends: Its webhook.
        clock: Its clock of pauses, and of events.
        wall: Its wall clock, if it is another one.
        in_flight: The number of events that may be on their way at once.
        visible: Whether the caller sees an event; without it, it sees all.
        pause: The longest wait before it renews its lease, in seconds.
    """

    def __init__(
        self,
        state: State,
        sends: Webhook,
        clock: Callable[[], float] | None = None,
        in_flight: int = 4,
        visible: Visible | None = None,
        pause: float = PAUSE,
        wall: Callable[[], float] | None = None,
    ) -> None:
        monotonic = clock or Clock()
        self.clock = wall or monotonic
        self.draining = threading.Event()
        self.feed = Feed(state, self.draining)
        self.deliveries = Deliveries(
            CALLER,
            sends,
            self.feed,
            visible or visible_to(rights(), ["default", "second"], list(EventType)),
            state,
            self.draining,
            in_flight=in_flight,
            pause=pause,
            now=self.clock,
            monotonic=monotonic,
        )

    def start(self) -> None:
        self.deliveries.start()

    def drain(self) -> None:
        """Begin to end: no further try begins."""
        self.draining.set()

    def stop(self) -> None:
        """Drain it and wait for its end, so that it stores nothing in the next test's server."""
        self.drain()
        if self.deliveries._thread.is_alive():
            self.deliveries._thread.join(LIMIT)
        assert not self.deliveries._thread.is_alive()

    def add(self, *customers: str, **different: Any) -> None:
        """Add an event of each customer, which occurs now."""
        for customer in customers:
            occurred = datetime.fromtimestamp(self.clock(), UTC)
            self.tell(ended(customer, occurred_at=occurred, **different))

    def tell(self, event: Event) -> None:
        """Add an event."""
        self.feed.add(event, f"{event.dump()!r} after {self.feed.newest()}")

    def wait_for_waiting(self, number: int) -> None:
        """Wait until so many events wait for their delivery by this replica."""
        wait_until(lambda: self.deliveries.waiting[0] == number)
