"""The budgets and the credit that are watched: an event when so much of one is used."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from app.events.event import Event, EventType
from app.events.feed import Feed
from app.state import State

KEPT = 400 * 24 * 3600.0  # seconds after the last change: longer than a year of monthly budgets
OF_A_BUDGET = (80, 100)  # percent
OF_THE_CREDIT = (80, 95)  # percent
FALL = 5  # percent that an amount must fall below a level until the level is told again
CREDIT = "credit"  # the name of its row


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount whose use is watched.

    Args:
        percent: The percentage that was told last; 0 for none.
        since: Since when nothing above it was told, in seconds of the wall clock.
    """

    percent: int
    since: float


class Amounts:
    """The amounts of one account that are watched: the credit, and budgets that were set.

    Args:
        account: The account's name.
        state: Holds them for all replicas.
        feed: Gets an event before it is recorded as told.
        now: The wall clock, in seconds.
    """

    def __init__(
        self, account: str, state: State, feed: Feed, now: Callable[[], float] = time.time
    ) -> None:
        self._account = account
        self._feed = feed
        self._now = now
        self._budgets = state.table(f"budgets of {account}", KEPT)
        self._credit = state.table(f"credit of {account}", KEPT)

    def budget_set(self, customer_id: str) -> None:
        """Record that the budget of a customer was set: nothing is told of the new one yet."""
        self._budgets.put({customer_id: _dump(customer_id, 0, self._now())})

    def budgets(self) -> dict[str, Amount]:
        """The budgets that are watched, by customer."""
        return dict(found for row in self._budgets.rows() if (found := _load(row)) is not None)

    def budget_used(self, customer_id: str, before: Amount, part: Decimal) -> None:
        """Tell what is used of a budget, if it is more or less than was told before.

        Nothing is told of a budget that was set since `before`: the use may be that of the old one.

        Raises:
            GatewayError: EVENTS_UNAVAILABLE.
        """
        row = self._budgets.get(customer_id)
        if row is None or _load(row) != (customer_id, before):
            return
        kind, levels = EventType.BUDGET_USED, OF_A_BUDGET
        if (percent := self._tell(kind, levels, before, part, customer_id)) is not None:
            self._budgets.replace(customer_id, row, _dump(customer_id, percent, self._now()))

    def credit_used(self, part: Decimal) -> None:
        """Tell what is used of the credit, if it is more or less than was told before.

        Raises:
            GatewayError: EVENTS_UNAVAILABLE.
        """
        row = self._credit.get(CREDIT)
        found = None if row is None else _load(row)
        before = Amount(0, 0.0) if found is None else found[1]
        kind, levels = EventType.CREDIT_USED, OF_THE_CREDIT
        if (percent := self._tell(kind, levels, before, part)) is not None:
            self._credit.put({CREDIT: _dump(CREDIT, percent, self._now())})

    def _tell(
        self,
        kind: EventType,
        levels: tuple[int, ...],
        before: Amount,
        part: Decimal,
        customer_id: str = "",
    ) -> int | None:
        """Add an event for each new level. Returns the percentage to store; None if unchanged."""
        reached = [level for level in levels if part * 100 >= level]
        for percent in reached:
            if percent > before.percent:
                told = Event(
                    type=kind,
                    account=self._account,
                    occurred_at=datetime.fromtimestamp(self._now(), UTC),
                    customer_id=customer_id,
                    percent=percent,
                )
                fact = f"{kind} {self._account} {customer_id} {percent} {before.since}"
                self._feed.add(told, fact)
        percent = max(reached, default=0)
        if percent < before.percent and part * 100 >= before.percent - FALL:
            return None
        return None if percent == before.percent else percent


def _dump(name: str, percent: int, since: float) -> bytes:
    return json.dumps([name, percent, since]).encode()


def _load(row: bytes) -> tuple[str, Amount] | None:
    """The name and the amount of a row; None for a row that this version cannot read."""
    try:
        name, percent, since = json.loads(row)
        return str(name), Amount(int(percent), float(since))
    except (TypeError, ValueError):
        return None
