"""A budget that is set while the watch looks at the one before: what is used of it is told anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal

from app.events import Event, Feed
from app.events.amounts import Amounts
from app.state import MemoryState
from tests.support.timing import Clock


class Interrupted(Feed):
    """A feed in which something happens after an event was added."""

    then: Callable[[], object] = staticmethod(lambda: None)

    def add(self, event: Event, once: str) -> None:
        super().add(event, once)
        self.then()


def parts() -> tuple[Amounts, Interrupted, Clock]:
    """Amounts with the budget of a customer, the feed that they tell, and the clock."""
    state, clock = MemoryState(), Clock()
    feed = Interrupted(state, threading.Event())
    amounts = Amounts("default", state, feed, now=clock)
    amounts.budget_set("cust-1")
    return amounts, feed, clock


def told(feed: Feed) -> list[tuple[str, int]]:
    return [(one.event.customer_id, one.event.percent) for one in feed.after(None, 100).items]


def test_a_budget_that_is_set_while_it_is_read_is_told_anew() -> None:
    amounts, feed, clock = parts()
    before = amounts.budgets()["cust-1"]
    clock.pass_time(1)
    amounts.budget_set("cust-1")
    amounts.budget_used("cust-1", before, Decimal("1"))
    assert told(feed) == []
    amounts.budget_used("cust-1", amounts.budgets()["cust-1"], Decimal("0.8"))
    assert told(feed) == [("cust-1", 80)]


def test_a_budget_that_is_set_while_the_use_of_the_old_one_is_told_is_told_anew() -> None:
    amounts, feed, clock = parts()
    before = amounts.budgets()["cust-1"]
    clock.pass_time(1)
    feed.then = lambda: amounts.budget_set("cust-1")
    amounts.budget_used("cust-1", before, Decimal("0.8"))
    feed.then = lambda: None
    amounts.budget_used("cust-1", amounts.budgets()["cust-1"], Decimal("0.8"))
    assert told(feed) == [("cust-1", 80), ("cust-1", 80)]
