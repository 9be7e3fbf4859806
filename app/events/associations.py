"""The customers whose association with the partner is under way, and the duty to see its end."""

import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.answers import Answer, Count, Items, Text, When
from app.events.event import Event, EventType
from app.events.feed import Feed
from app.events.lane import Lane
from app.events.lease import LOOK
from app.events.results import CALLER
from app.events.sweep import PAGE
from app.huawei.operation import Operation
from app.huawei.pacing.deadline import Errand
from app.observability.logs import event, logger
from app.state import State

KEPT = 30 * 24 * 3600.0  # seconds after the last change
# Seconds after which an association is watched no more. Huawei documents no duration.
GIVEN_UP = 7 * 24 * 3600.0
SHORTEST, LONGEST, GROWTH = 5.0, 600.0, 60.0  # seconds between two looks, and how they grow
EARLIER = 300.0  # seconds by which Huawei's clock may be behind ours

_log = logger("watcher")


class AssociatedSchema(Answer):
    """A customer in the list of those that were associated lately."""

    customer_id = Text("customer_id", "06a7969058802f0c0f01c00b91846780")
    associated_at = When("associated_on", "2026-11-02T08:00:00Z", optional=True)


class AssociatedListSchema(Answer):
    """A page of the customers that were associated lately."""

    items = Items("customer_infos", AssociatedSchema)
    total = Count("count", 1)


LIST_ASSOCIATED = replace(
    Operation.read(
        "POST /v2/partners/sub-customers/query",
        "list_associated",
        AssociatedListSchema,
        limit="limit",
        after="offset",
        associated_from="associated_on_begin",
    ),
    queue="list_customers",
)


class Associations:
    """The customers of one account whose association is under way.

    Args:
        account: The account's name.
        state: Holds them for all replicas.
        feed: Gets an event when one is associated, before its record is deleted.
        now: The wall clock, in seconds.
    """

    def __init__(
        self, account: str, state: State, feed: Feed, now: Callable[[], float] = time.time
    ) -> None:
        self._account = account
        self._feed = feed
        self._now = now
        self._rows = state.table(f"associations of {account}", KEPT)

    def associating(self, customer_id: str) -> None:
        """Record that a customer was created and is not associated yet."""
        row = {"customer_id": customer_id, "since": self._now()}
        self._rows.add(customer_id, json.dumps(row).encode())

    def all(self) -> dict[str, float]:
        """The customers, with the time since when their association is under way."""
        return dict(found for row in self._rows.rows() if (found := _load(row)) is not None)

    def associated(self, customer_id: str) -> None:
        """Tell that a customer is associated, and delete its record.

        Raises:
            GatewayError: EVENTS_UNAVAILABLE if it cannot be told now; the record stays.
        """
        told = Event(
            type=EventType.CUSTOMER_ASSOCIATED,
            account=self._account,
            occurred_at=datetime.fromtimestamp(self._now(), UTC),
            customer_id=customer_id,
        )
        self._feed.add(told, f"{told.type} {self._account} {customer_id}")
        self._rows.discard(customer_id)

    def give_up(self, customer_id: str) -> None:
        """Delete the record of an association that did not come for long."""
        self._rows.discard(customer_id)
        text = "An association is watched no more: Huawei has not listed the customer"
        event(_log, logging.WARNING, text, account=self._account)


def _load(row: bytes) -> tuple[str, float] | None:
    """The customer and the time of a row; None for a row that this version cannot read."""
    try:
        found = json.loads(row)
        return str(found["customer_id"]), float(found["since"])
    except (TypeError, ValueError, KeyError):
        return None


class AssociationReads:
    """The duty to see that customers are associated, by the list of those associated lately.

    Args:
        lane: The pace of the calls.
        associations: The customers.
        read: Makes a call, with what it asks.
        now: The wall clock, in seconds.
        monotonic: The clock of the looks, in seconds.
    """

    def __init__(
        self,
        lane: Lane,
        associations: Associations,
        read: Callable[..., Mapping[str, Any]],
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lane = lane
        self._associations = associations
        self._read = read
        self._now = now
        self._monotonic = monotonic
        self.begin()

    def begin(self) -> None:
        """Forget what was known."""
        self._after = 0  # customers of the list that were read
        self._looked = -math.inf

    def until_due(self) -> float:
        """Seconds until the list must be read; infinity if no association is under way."""
        pending = self._associations.all()
        if not pending:
            return math.inf
        if self._after:
            return 0.0
        youngest = self._now() - max(pending.values())
        pause = min(LONGEST, max(SHORTEST, youngest / GROWTH))
        return max(0.0, self._looked + pause - self._monotonic())

    def work(self) -> None:
        """Read a page of the customers that were associated since the oldest record.

        After a failure the next look begins with the first page, after the usual pause.

        Raises:
            GatewayError: the failure of the call.
        """
        pending = self._pending()
        if not pending:
            return
        after, self._after, self._looked = self._after, 0, self._monotonic()
        since = datetime.fromtimestamp(min(pending.values()) - EARLIER, UTC)
        found = self._read(
            LIST_ASSOCIATED,
            Errand.within(LOOK, CALLER, watches=True),
            limit=PAGE,
            after=after,
            associated_from=since.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        for one in found["items"]:
            if one["customer_id"] in pending and one["associated_at"] is not None:
                self._associations.associated(one["customer_id"])
        if after + PAGE < found["total"]:
            self._after = after + PAGE

    def _pending(self) -> dict[str, float]:
        """The customers whose association is under way. The others are given up."""
        pending = self._associations.all()
        late = [one for one, began in pending.items() if self._now() - began > GIVEN_UP]
        for customer_id in late:
            self._associations.give_up(customer_id)
            del pending[customer_id]
        return pending
