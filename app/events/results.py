"""Looks at one open review after the other, by Huawei's result."""

import logging
import time
from collections.abc import Callable
from typing import Protocol

from app.errors import GatewayError
from app.events.book import Book, Watched
from app.events.lane import Lane
from app.events.lease import LOOK
from app.events.open_reviews import OpenReviews
from app.huawei.pacing.deadline import Errand
from app.observability.logs import event, logger

CALLER = "gateway"  # its place in the queue, behind all callers
# Seconds in which Huawei never showed a review, after which it is watched no more.
GIVEN_UP = 24 * 3600.0
NOT_SUBMITTED = "NOT_SUBMITTED"

_log = logger("watcher")


class Seen(Protocol):
    """The verification that a read showed."""

    @property
    def status(self) -> str:
        """Its status."""


class ResultReads:
    """The duty to read the result of each open review in time.

    Args:
        account: The account's name.
        lane: The pace of the reads.
        book: The open reviews.
        reviews: The record of the open reviews.
        read: Reads a customer's verification, and records what it shows.
        now: The wall clock, in seconds.
        monotonic: The clock of the looks, in seconds.
    """

    def __init__(
        self,
        account: str,
        lane: Lane,
        book: Book,
        reviews: OpenReviews,
        read: Callable[[str, Errand], Seen],
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lane = lane
        self._account = account
        self._book = book
        self._reviews = reviews
        self._read = read
        self._now = now
        self._monotonic = monotonic

    def begin(self) -> None:
        """Forget what was known."""
        self._book.clear()

    def until_due(self) -> float:
        """Seconds until a review must be looked at."""
        self._book.refresh()
        return self._book.until_due()

    def work(self) -> None:
        """Look at the review that has been due for longest.

        Raises:
            GatewayError: the failure of the read, if it does not concern the customer.
        """
        watched = self._book.first()
        if watched is None:  # a page told of it in the same step
            return
        customer_id = watched.review.customer_id
        self._book.postpone(watched)  # whatever the read raises
        try:
            seen = self._read(customer_id, Errand.within(LOOK, CALLER, watches=True))
        except GatewayError as error:
            if not error.code.is_refusal:
                raise
            self._note_unknown(watched)
            return
        self._book.read(watched)
        earlier = watched.review.may_be_earlier(seen.status, self._now())
        if seen.status == NOT_SUBMITTED or earlier:
            self._note_unknown(watched)
        else:
            watched.unknown_since = None

    def _note_unknown(self, watched: Watched) -> None:
        """Record that Huawei does not show a review. Delete it once that has lasted for long."""
        now = self._monotonic()
        if watched.unknown_since is None:
            watched.unknown_since = now
        if now - watched.unknown_since < GIVEN_UP:
            return
        self._reviews.forget(watched.review)
        self._book.drop(watched)
        text = "A review is watched no more: Huawei does not know it"
        event(_log, logging.WARNING, text, account=self._account)
