"""The reviews that have not ended, as far as the gateway knows: one record for all replicas."""

import json
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from app.errors import GatewayError
from app.events.event import Event, EventType
from app.events.feed import Feed
from app.state import State

KEPT = 30 * 24 * 3600.0  # seconds after the last change; Huawei publishes no duration of a review
# Seconds for which Huawei may still show the status that a customer had before the submission.
# After them a final status ends the review even if the earlier status is unknown.
LATE = 600.0
CHANGE = "ENTERPRISE_CHANGE"  # the customer is VERIFIED as a person before, and may remain so
# Seconds after the end of a review in which a late answer may still say IN_REVIEW.
ENDED = 30.0
SKEW = 5.0  # seconds by which the clocks of two replicas may differ
IN_REVIEW = "IN_REVIEW"
FINAL = frozenset({"VERIFIED", "REJECTED"})
UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenReview:
    """A review that has not ended.

    Args:
        customer_id: The customer.
        kind: The kind of the verification; empty if only a read showed the review.
        caller: Who submitted it, or read it first.
        since: When the gateway first knew of it, in seconds of the wall clock.
        before: The status before the submission, which can still show after it; UNKNOWN if it was
            not read. Empty once Huawei has shown the review.
    """

    customer_id: str
    kind: str
    caller: str
    since: float
    before: str = ""

    def dump(self) -> bytes:
        """The record as bytes."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    def may_be_earlier(self, status: str, now: float) -> bool:
        """Whether a status can be the customer's status from before the submission.

        Such a status does not prove an end, however long Huawei shows it: Huawei has not shown
        the review yet.
        """
        if self.before == UNKNOWN:
            return self.kind == CHANGE or now - self.since < LATE
        return self.before == status


class OpenReviews:
    """The open reviews of one account.

    Args:
        account: The account's name.
        state: Holds them for all replicas.
        feed: Gets an event when one ended, before its record is deleted.
        now: The wall clock, in seconds.
    """

    def __init__(
        self, account: str, state: State, feed: Feed, now: Callable[[], float] = time.time
    ) -> None:
        self._account = account
        self._feed = feed
        self._state = state
        self._now = now
        self._loaded: dict[bytes, OpenReview | None] = {}  # those that were listed last
        self._listed: tuple[Sequence[bytes], Sequence[OpenReview]] = ((), [])
        self._rows = state.table(f"open reviews of {account}", KEPT)
        self._looks = state.table(f"looks at open reviews of {account}", KEPT)

    def begin(self, customer_id: str, kind: str, caller: str, before: str | None) -> None:
        """Record that a submission is in review.

        Args:
            customer_id: The customer.
            kind: The kind of the verification.
            caller: Who submitted it.
            before: The status before the submission; None if it was not read.
        """
        now = self._now()
        status = UNKNOWN if before is None else before
        review = OpenReview(
            customer_id=customer_id, kind=kind, caller=caller, since=now, before=status
        )
        self._rows.put({customer_id: review.dump()})
        self.looked_at([customer_id], now)

    def seen(self, customer_id: str, status: str, at: float, caller: str) -> bool:
        """Record what Huawei's result says of a customer.

        Args:
            customer_id: The customer.
            status: The status of its verification.
            at: When Huawei said so, in seconds of the wall clock.
            caller: Who asked.

        Returns:
            Whether the customer has an open review now.
        """
        review = self.find(customer_id)
        if status == IN_REVIEW:
            if review is None and not self._found(customer_id, at, caller):
                return False
            if review is not None and review.before:
                shown = replace(review, before="")
                replaced = self._rows.replace(customer_id, review.dump(), shown.dump())
                if not replaced and self.find(customer_id) is None:  # it ended meanwhile
                    return False
            self.looked_at([customer_id], at)
            return True
        if review is None:
            return False
        if status not in FINAL or review.may_be_earlier(status, at):
            return True
        return not self._end(review, status, at)

    def listed(self, customers: Collection[str], caller: str) -> None:
        """Record the reviews that Huawei's list of customers shows, unless they are recorded.

        Args:
            customers: The customers that are in review.
            caller: Who asked.
        """
        recorded = {review.customer_id for review in self.all()} if customers else set()
        now = self._now()
        for customer_id in set(customers) - recorded:
            self._found(customer_id, now, caller)

    def _found(self, customer_id: str, at: float, caller: str) -> bool:
        """Record a review that Huawei shows and that is not recorded, unless one ended just now.

        Returns:
            Whether the customer has an open review now.
        """
        if self._state.get(self._mark(customer_id)) is not None:
            return False
        review = OpenReview(customer_id=customer_id, kind="", caller=caller, since=at)
        self._rows.add(customer_id, review.dump())
        return True

    def _mark(self, customer_id: str) -> str:
        """The key that tells that a review of a customer ended just now."""
        return f"ended review of {self._account} {customer_id}"

    def looked_at(self, customers: Collection[str], at: float) -> None:
        """Record that the reviews of these customers were open at a time."""
        self._looks.put({customer: repr(at).encode() for customer in customers})

    def still_open(self, customers: Collection[str], at: float) -> None:
        """Record that a page of the list showed these reviews as open at a time.

        A review that ended meanwhile leaves nothing behind.
        """
        self.looked_at(customers, at)
        for customer_id in set(customers) - {review.customer_id for review in self.all()}:
            self._looks.discard(customer_id)

    def find(self, customer_id: str) -> OpenReview | None:
        """The open review of a customer; None if there is none."""
        row = self._rows.get(customer_id)
        return None if row is None else _load(row)

    def known(self, customer_id: str, max_age: float) -> tuple[OpenReview, float] | None:
        """The open review of a customer and when it was open, if that is known and young enough.

        Args:
            customer_id: The customer.
            max_age: Seconds.
        """
        look = self._looks.get(customer_id)
        if look is None or not -SKEW <= self._now() - float(look) <= max_age:
            return None
        review = self.find(customer_id)
        return None if review is None else (review, float(look))

    def forget(self, review: OpenReview) -> None:
        """Delete a review, unless another one has begun for its customer meanwhile."""
        self._rows.remove(review.customer_id, review.dump())
        self._looks.discard(review.customer_id)

    def discard(self, customer_id: str) -> None:
        """Delete the open review of a customer, if any, without an event: its end is known."""
        self._rows.discard(customer_id)
        self._looks.discard(customer_id)

    def _end(self, review: OpenReview, status: str, at: float) -> bool:
        """Add the event and delete the review. Returns False if the event cannot be added now."""
        event = Event(
            type=EventType.VERIFICATION_ENDED,
            account=self._account,
            occurred_at=datetime.fromtimestamp(at, UTC),
            customer_id=review.customer_id,
            kind=review.kind,
            status=status,
        )
        fact = f"{event.type} {self._account} {review.customer_id} {review.since} {status}"
        try:
            self._feed.add(event, fact)
        except GatewayError:  # the record stays: the next look tells it
            return False
        self._state.put(self._mark(review.customer_id), b"1", ENDED)
        self.forget(review)
        return True

    def all(self) -> Sequence[OpenReview]:
        """All open reviews, oldest first: the same object until one of them changes."""
        rows, (before, reviews) = self._rows.rows(), self._listed
        if rows != before:
            known = self._loaded
            self._loaded = loaded = {row: known.get(row) or _load(row) for row in rows}
            found = (review for review in loaded.values() if review is not None)
            reviews = sorted(found, key=lambda review: (review.since, review.customer_id))
            self._listed = rows, reviews
        return reviews

    def count(self) -> int:
        """The number of open reviews."""
        return self._rows.count()


def _load(row: bytes) -> OpenReview | None:
    """The review of a row; None for a row of another version that this one cannot read."""
    try:
        return OpenReview(**json.loads(row))
    except (TypeError, ValueError):
        return None
