"""The customers of the partner, and the state of their verification."""

from __future__ import annotations

from dataclasses import dataclass
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
class Customer:
    """One customer: the last application, and the verified kind before it."""

    review: Review | None = None
    legacy_kind: int | None = None
    earlier_kind: int | None = None

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
        }
