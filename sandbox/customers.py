"""The customers of the partner, and the state of their verification."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Literal

INDIVIDUAL = 0
ENTERPRISE = 1

Status = Literal["in_review", "rejected", "passed"]
# review_result of mc_00020, "Querying the Real-Name Authentication Review Result".
RESULTS: dict[Status, int] = {"in_review": 0, "rejected": 1, "passed": 2}
OPINION = "The certificate picture is blurred. Upload a clear one."


@dataclass(slots=True)
class Review:
    """One application. If `ends_at` is None, only a control call ends the review."""

    kind: int
    ends_at: float | None
    outcome: Status = "passed"
    opinion: str | None = None

    def status(self, now: float) -> Status:
        """Return the status of the review at a time."""
        if self.ends_at is None or now < self.ends_at:
            return "in_review"
        return self.outcome


@dataclass(slots=True)
class Budget:
    """What a customer may spend, and what it has spent. Amounts are texts of decimals.

    An amount of zero is no budget: Huawei accepts none.
    """

    amount: str = "0"
    used: str = "0"
    type: Literal["MONTHLY", "PACKAGE"] = "MONTHLY"


@dataclass(frozen=True, slots=True)
class BudgetRecord:
    """One change of a budget."""

    amount: str
    type: str
    at: str


@dataclass(slots=True)
class Account:
    """The account of a customer that is associated with the partner."""

    name: str
    xaccount_id: str = ""
    email: str = ""
    phone: str = ""
    person: str = ""
    country: str = "0065"
    association: Literal["1", "3"] = "3"  # 1 referral, 3 reseller
    associated_on: str = "2026-01-05T08:00:00Z"
    frozen: bool = False
    freeze_type: Literal["ACCOUNT", "ACCOUNT_AND_RESOURCE"] = "ACCOUNT"
    freezes_when_exceeded: bool = False
    budget: Budget = field(default_factory=Budget)

    def freeze_when_exceeded(self) -> None:
        """Freeze the account if its budget is exceeded and its budget says so."""
        if self.freezes_when_exceeded and Decimal(self.budget.used) > Decimal(self.budget.amount):
            self.frozen, self.freeze_type = True, "ACCOUNT"


@dataclass(slots=True)
class Credit:
    """What the partner may spend, and what it has spent. Amounts are texts of decimals."""

    quota: str = "10000"
    balance: str = "0"
    coupons: str = "0"
    due: str = "480.08"
    unbilled: str = "100"

    def as_dict(self) -> dict[str, Any]:
        """Return the credit under Huawei's names (cq_001)."""
        owed = Decimal(self.due) + Decimal(self.unbilled)
        return {
            "consumption_quota": self.quota,
            "amount": self.balance,
            "coupon_amount": self.coupons,
            "due_amount": self.due,
            "unbilled_amount": self.unbilled,
            "used_consumption_quota": str(owed - Decimal(self.balance) - Decimal(self.coupons)),
            "measure_id": 1,
            "currency": "USD",
        }


@dataclass(slots=True)
class Customer:
    """One customer: its account, its last application, and the verified kind before it.

    The account is associated with the partner at the time `associates_at`; if it is None, only a
    control call associates it.
    """

    review: Review | None = None
    legacy_kind: int | None = None
    earlier_kind: int | None = None
    account: Account | None = None
    associates_at: float | None = 0
    budget_records: list[BudgetRecord] = field(default_factory=list)

    def associated(self, now: float) -> Account | None:
        """Return the account if it is associated with the partner at this time."""
        pending = self.associates_at is None or now < self.associates_at
        return None if pending else self.account

    def in_review(self, now: float) -> bool:
        """Whether the last application is in review."""
        return self.review is not None and self.review.status(now) == "in_review"

    def verified_kind(self, now: float) -> int | None:
        """Return the kind that the customer is verified as; None if it is not verified."""
        if self.legacy_kind is not None:
            return self.legacy_kind
        if self.review is not None and self.review.status(now) == "passed":
            return self.review.kind
        return self.earlier_kind

    def submit(self, review: Review, now: float) -> None:
        """Store a new application."""
        self.earlier_kind, self.legacy_kind = self.verified_kind(now), None
        self.review = review

    def result(self, now: float, *, legacy: bool) -> dict[str, Any]:
        """Return `review_result` and `opinion` as in the answer of the v2 result."""
        if self.legacy_kind is not None and legacy:
            return {"review_result": RESULTS["passed"], "opinion": None}
        if self.review is None:
            return {}
        status = self.review.status(now)
        if status == "rejected":
            return {"review_result": RESULTS[status], "opinion": self.review.opinion or OPINION}
        # The page's example shows null for a passed review. It does not describe a running review.
        return {"review_result": RESULTS[status]} | (
            {"opinion": None} if status == "passed" else {}
        )

    def as_dict(self, now: float) -> dict[str, Any]:
        """Return the customer's state as the control call shows it."""
        return {
            "review": None if self.review is None else self.review.status(now),
            "legacy_kind": self.legacy_kind,
            "verified_kind": self.verified_kind(now),
            "account": None if self.account is None else asdict(self.account),
            "associated": self.associated(now) is not None,
        }
