"""Reads the status of a customer's verification, and waits for the end of a review."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from app.events.lease import ALIVE, Lease
from app.events.open_reviews import OpenReviews
from app.huawei.pacing.deadline import Errand
from app.huawei.pacing.polling import poll
from app.huawei.pacing.single_flight import SingleFlight
from app.verification.model import Kind, Status, Verification

REVIEW = "review"  # every read is served by the review backend
NEXT_CHECK = 30  # seconds; a person reviews, and Huawei publishes no usual duration
POLLS = 0.5  # the part of the quota that all polls may use together if they keep to their pace


class Reads:
    """The reads of one account's verifications.

    A read is answered from the last look at an open review if that look is recent enough. The
    watcher and the reads of other callers record their looks.

    Args:
        read: Reads a verification once, and records whether it is in review.
        reviews: The record of the open reviews.
        lease: Held while a replica watches them.
        kind: Returns the kind of the last submission for a customer; None if it is not known.
        max_age: Seconds for which what is known answers a read.
        calls_per_second: The calls a second that Huawei allows.
        draining: Is set when the process begins to shut down.
    """

    def __init__(
        self,
        read: Callable[[str, Errand], Verification],
        reviews: OpenReviews,
        lease: Lease,
        kind: Callable[[str], str | None],
        max_age: float,
        calls_per_second: float,
        draining: threading.Event,
    ) -> None:
        self._read = read
        self._reviews = reviews
        self._watched = _Brief(lambda: lease.held)
        self._open = _Brief(reviews.count)
        self._kind = kind
        self._max_age = max_age
        self._polls = calls_per_second * POLLS
        self._draining = draining
        self._flight = SingleFlight()

    def read(
        self, customer_id: str, errand: Errand, wait: float = 0, fresh: bool = False
    ) -> Verification:
        """Read the status of a customer's verification. Identical reads share one upstream call.

        If a review is still under way when the wait ends or the gateway drains, the answer is
        IN_REVIEW. While a replica watches the open reviews, the wait itself reads nothing until
        that replica has seen the end.

        Args:
            customer_id: The customer.
            errand: The caller and the deadline.
            wait: Seconds to wait for the end of a review.
            fresh: Whether Huawei must be asked.

        Raises:
            GatewayError: the failure of the upstream call.
        """
        ages = self._ages(fresh, wait > 0)
        result = poll(
            lambda within: self._look(customer_id, within, next(ages)),
            lambda _, last: last.status is Status.IN_REVIEW,
            errand,
            wait,
            self._draining,
        )
        if result.status is Status.NOT_SUBMITTED:
            return result
        kind = self._kind(customer_id)
        return replace(result, kind=Kind(kind) if kind else None)

    def next_check(self) -> int:
        """Seconds until the next read of a review makes sense.

        If every review is read at this pace, the reads use POLLS of the quota at most.
        """
        return max(NEXT_CHECK, math.ceil(self._open() / self._polls))

    def _ages(self, fresh: bool, waits: bool) -> Iterator[float]:
        """The age that an answer may have, for the first look and for each look of a wait."""
        if fresh or not self._max_age:
            yield 0.0
        elif not (waits and self._watched()):
            yield self._max_age
        while True:  # a wait leaves the looks to the replica that watches
            yield math.inf if self._watched() else 0.0

    def _look(self, customer_id: str, errand: Errand, max_age: float) -> Verification:
        known = self._reviews.known(customer_id, max_age) if max_age else None
        if known is None:
            return self._flight.do(customer_id, lambda: self._read(customer_id, errand), errand)
        return Verification(
            customer_id=customer_id,
            status=Status.IN_REVIEW,
            backend=REVIEW,
            checked_at=datetime.fromtimestamp(known[1], UTC),
        )


class _Brief:
    """Caches an answer of the state for ALIVE, so that many waiting requests ask it once."""

    def __init__(self, ask: Callable[[], int]) -> None:
        self._ask = ask
        self._until = -math.inf
        self._answer = 0

    def __call__(self) -> int:
        now = time.monotonic()
        if now >= self._until:
            self._answer, self._until = self._ask(), now + ALIVE
        return self._answer
