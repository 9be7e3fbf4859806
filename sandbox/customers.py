"""The customers of the partner and what Huawei thinks of their identity."""

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
    """One application that a human at Huawei looks at; ends_at None: until told otherwise."""

    kind: int
    ends_at: float | None
    outcome: Status = "passed"
    opinion: str | None = None

    def status(self, now: float) -> Status:
        """Return how it stands at this moment."""
        if self.ends_at is None or now < self.ends_at:
            return "in_review"
        return self.outcome


@dataclass(slots=True)
class Customer:
    """One customer: the last application, and what was true before it."""

    review: Review | None = None
    legacy_kind: int | None = None
    earlier_kind: int | None = None

    def in_review(self, now: float) -> bool:
        """Whether Huawei is looking at an application right now."""
        return self.review is not None and self.review.status(now) == "in_review"

    def verified_kind(self, now: float) -> int | None:
        """Return the kind this customer is verified as, or None."""
        if self.legacy_kind is not None:
            return self.legacy_kind
        if self.review is not None and self.review.status(now) == "passed":
            return self.review.kind
        return self.earlier_kind

    def submit(self, review: Review, now: float) -> None:
        """Take a new application."""
        self.earlier_kind, self.legacy_kind = self.verified_kind(now), None
        self.review = review

    def result(self, now: float, *, legacy: bool) -> dict[str, Any]:
        """Return review_result and opinion as the v2 result shows them."""
        if self.legacy_kind is not None and legacy:
            return {"review_result": RESULTS["passed"], "opinion": None}
        if self.review is None:
            return {}
        status = self.review.status(now)
        if status == "rejected":
            return {"review_result": RESULTS[status], "opinion": self.review.opinion or OPINION}
        # The page's example prints null for a passed review; nothing is said for a running one.
        return {"review_result": RESULTS[status]} | (
            {"opinion": None} if status == "passed" else {}
        )

    def as_dict(self, now: float) -> dict[str, Any]:
        """Return what a test wants to know."""
        return {
            "review": None if self.review is None else self.review.status(now),
            "legacy_kind": self.legacy_kind,
            "verified_kind": self.verified_kind(now),
        }
