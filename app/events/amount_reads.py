"""The duties to read the budgets and the credit that are watched."""

import math
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

from app.answers import Answer, Items, Money, Text
from app.events.amounts import Amount, Amounts
from app.events.lane import Lane
from app.events.lease import LOOK
from app.events.results import CALLER
from app.huawei.operation import Operation
from app.huawei.pacing.deadline import Errand
from app.observability import metrics

INTERVAL = 300.0  # seconds between two looks; Huawei updates the amounts with a delay
MANY = 100  # budgets of one call (mt_01006)


class UsedBudgetSchema(Answer):
    """A budget and what is used of it."""

    customer_id = Text("customer_id", "06a7969058802f0c0f01c00b91846780")
    amount = Money("budget_amount", "500.00")
    used = Money("used_amount", "123.45")


class UsedBudgetsSchema(Answer):
    """The budgets of many customers. Huawei leaves out those that it knows none for."""

    items = Items("budget_infos", UsedBudgetSchema)


class UsedCreditSchema(Answer):
    """The partner's credit and what is used of it."""

    amount = Money("consumption_quota", "10000")
    used = Money("used_consumption_quota", "580.08")


WATCH_BUDGETS = Operation.read(
    "POST /v2/partners/sub-customers/budget/query",
    "watch_budgets",
    UsedBudgetsSchema,
    customer_ids="customer_ids",
)
WATCH_CREDIT = Operation.read(
    "GET /v2/partners/credit/consumption-quota", "watch_credit", UsedCreditSchema
)


class _AmountReads:
    """A duty to read amounts that is due every INTERVAL.

    Args:
        lane: The pace of the calls.
        amounts: The amounts that are watched.
        read: Makes a call, with what it asks.
        monotonic: The clock of the looks, in seconds.
    """

    def __init__(
        self,
        lane: Lane,
        amounts: Amounts,
        read: Callable[..., Mapping[str, Any]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lane = lane
        self._amounts = amounts
        self._read = read
        self._monotonic = monotonic
        self.begin()

    def begin(self) -> None:
        """Look after an interval: the replica that watched before may have looked just now."""
        self._due = self._monotonic() + INTERVAL


class BudgetReads(_AmountReads):
    """The duty to read the budgets that are watched, MANY by one call."""

    def begin(self) -> None:
        """As its base class does, with a new round."""
        super().begin()
        self._left: dict[str, Amount] = {}  # of this round

    def until_due(self) -> float:
        """Seconds until budgets must be read; infinity if none is watched."""
        if not self._left:
            if (pause := self._due - self._monotonic()) > 0:
                return pause
            self._left = self._amounts.budgets()
            self._due = self._monotonic() + INTERVAL
        return 0.0 if self._left else math.inf

    def work(self) -> None:
        """Read the next budgets of this round.

        Raises:
            GatewayError: the failure of the call.
        """
        asked = list(islice(self._left, MANY))
        before = {customer_id: self._left.pop(customer_id) for customer_id in asked}
        errand = Errand.within(LOOK, CALLER, watches=True)
        for one in self._read(WATCH_BUDGETS, errand, customer_ids=asked)["items"]:
            amount, customer_id = Decimal(one["amount"]), one["customer_id"]
            if amount > 0 and customer_id in before:
                part = Decimal(one["used"]) / amount
                self._amounts.budget_used(customer_id, before[customer_id], part)


class CreditReads(_AmountReads):
    """The duty to read the partner's credit."""

    def until_due(self) -> float:
        """Seconds until the credit must be read."""
        return max(0.0, self._due - self._monotonic())

    def work(self) -> None:
        """Read the credit.

        Raises:
            GatewayError: the failure of the call.
        """
        self._due = self._monotonic() + INTERVAL
        found = self._read(WATCH_CREDIT, Errand.within(LOOK, CALLER, watches=True))
        if amount := Decimal(found["amount"]):
            part = Decimal(found["used"]) / amount
            metrics.CREDIT_USED.labels(self.lane.account).set(float(part))
            metrics.CREDIT_READ.labels(self.lane.account).set_to_current_time()
            self._amounts.credit_used(part)
