"""Events as the watcher will tell them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.events import Entries, Event, EventType, Feed

OCCURRED = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)


def ended(customer: str = "cust-0001", **different: Any) -> Event:
    """The event of a verification that ended."""
    members: dict[str, Any] = {
        "type": EventType.VERIFICATION_ENDED,
        "account": "default",
        "occurred_at": OCCURRED,
        "customer_id": customer,
        "kind": "INDIVIDUAL",
        "status": "VERIFIED",
    }
    return Event(**members | different)


def credit_used(percent: int = 80, account: str = "default") -> Event:
    """The event of a credit that is used, which no customer has."""
    kind = EventType.CREDIT_USED
    return Event(type=kind, account=account, occurred_at=OCCURRED, percent=percent)


def add(feed: Feed, *customers: str) -> None:
    """Add the end of each customer's verification."""
    for customer in customers:
        feed.add(ended(customer), f"{customer} ended")


def customers(entries: Entries) -> list[str]:
    """The customers of the events, in their order."""
    return [entry.event.customer_id for entry in entries.items]
