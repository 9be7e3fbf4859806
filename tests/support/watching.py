"""A replica whose watcher a test steps by a clock, without sleeping."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from app.events import Entries, Feed
from app.events.amounts import Amounts
from app.events.associations import Associations
from app.events.lease import Lease
from app.events.open_reviews import OpenReviews
from app.events.report import Report
from app.events.watching import watcher
from app.gateway import Gateway
from app.settings import Settings
from app.state import State
from app.verification import Verifications
from app.verification.switch_off import SwitchOff
from app.writes import Writes
from tests.support.accounts import SEALING
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock


class Replica:
    """A replica of the default account on a clock.

    Args:
        settings: The configuration.
        state: Shared by the replicas of a test.
        clock: The wall clock and the clock of pauses.
        beside: Another replica, whose feed and records it shares: a table in memory is of one
            process.
    """

    def __init__(
        self, settings: Settings, state: State, clock: Clock, beside: Replica | None = None
    ) -> None:
        self.clock = clock
        self.draining = threading.Event()
        self.feed: Feed = beside.feed if beside else Feed(state, self.draining)
        own = OpenReviews("default", state, self.feed, now=clock)
        self.reviews: OpenReviews = beside.reviews if beside else own
        self.associations = Associations("default", state, self.feed, now=clock)
        self.amounts = Amounts("default", state, self.feed, now=clock)
        self.report = Report("default", state, now=clock)
        self.lease = Lease(state, "the watch of default")
        self.state = state
        parts = Gateway.build(settings, observe=lambda _: None)
        account = settings.accounts["default"]
        self.verifications = Verifications(
            "default",
            account,
            parts.accounts["default"].partner_center,
            Writes("default", state, SEALING, now=clock),
            SwitchOff("default", state, SEALING, now=clock),
            parts.migration,
            self.reviews,
            self.lease,
            self.draining,
        )
        self.watcher = watcher(
            "default",
            account,
            state,
            self.lease,
            self.reviews,
            self.report,
            self.associations,
            self.amounts,
            parts.accounts["default"].partner_center,
            self.verifications.read_once,
            self.draining,
            now=clock,
            monotonic=clock,
        )

    def begin(self, sandbox: SandboxDriver, *customers: str) -> None:
        """Have reviews of these customers under way at Huawei and on record."""
        for customer in customers:
            sandbox.review(customer, "in_review")
            self.reviews.begin(customer, "INDIVIDUAL", "writer", "NOT_SUBMITTED")

    def watch(self, seconds: float, between: Callable[[], Any] = lambda: None) -> None:
        """Step the watcher, and the clock by the pauses that it asks for, for so many seconds."""
        ends = self.clock() + seconds
        while self.clock() < ends:
            self.clock.pass_time(min(self.watcher.step(), max(0.0, ends - self.clock())) or 0.01)
            between()

    @property
    def open(self) -> list[str]:
        return [review.customer_id for review in self.reviews.all()]

    @property
    def events(self) -> list[tuple[str, str, int]]:
        """Type, customer and percentage of each event, in their order."""
        found: Entries = self.feed.after(None, 1000)
        return [(e.event.type, e.event.customer_id, e.event.percent) for e in found.items]

    @property
    def told(self) -> list[tuple[str, str]]:
        """Customer and status of each event, in their order."""
        found: Entries = self.feed.after(None, 1000)
        return [(one.event.customer_id, one.event.status) for one in found.items]
