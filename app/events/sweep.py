"""Looks at many open reviews at once, by pages of Huawei's list of customers (mc_00021)."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from app.answers import Answer, Count, Items, Text, Word
from app.events.book import WORTH, Book, Watched
from app.events.lane import Lane
from app.events.lease import LOOK
from app.events.open_reviews import IN_REVIEW, OpenReviews
from app.events.results import CALLER
from app.huawei.operation import Operation
from app.huawei.pacing.deadline import Errand

PAGE = 100  # customers of a page, Huawei's maximum


class StatusSchema(Answer):
    """The status of a customer in the list."""

    customer_id = Text("customer_id", "06a7969058802f0c0f01c00b91846780")
    verification = Word("verified_status", {"0": IN_REVIEW})


class StatusesSchema(Answer):
    """A page of the customers, with their status alone."""

    items = Items("customer_infos", StatusSchema)
    total = Count("count", 1)


LIST_STATUSES = replace(
    Operation.read(
        "POST /v2/partners/sub-customers/query",
        "list_statuses",
        StatusesSchema,
        limit="limit",
        after="offset",
    ),
    queue="list_customers",
)


class Sweep:
    """The duty to look at open reviews by pages, where that takes fewer calls than single reads.

    The sweep remembers the page on which each customer appeared. It reads a known page if at least
    WORTH due reviews are on it. It reads the pages in their order if the due reviews without a
    known page are at least as many as the pages that remain. Of several such pages it reads the
    page whose review has been due for longest, so that pages with few reviews are read too.

    Args:
        lane: The pace of the calls.
        book: The open reviews.
        reviews: The record of the open reviews.
        read: Makes a call, with what it asks.
        now: The wall clock, in seconds.
        monotonic: The clock of the pauses, in seconds.
    """

    def __init__(
        self,
        lane: Lane,
        book: Book,
        reviews: OpenReviews,
        read: Callable[..., Mapping[str, Any]],
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lane = lane
        self._book = book
        self._reviews = reviews
        self._read = read
        self._now = now
        self._monotonic = monotonic
        self.begin()

    def begin(self) -> None:
        """Forget what was known."""
        self._book.clear()
        self._pages = 1  # of the whole list, as far as it is known
        self._next = 0  # the page to read next of all pages
        self._began = -math.inf  # when the first page of all pages was read

    def until_due(self) -> float:
        """0 if a page should be read now; otherwise infinity."""
        self._book.refresh()
        return 0.0 if self._worthwhile() is not None else math.inf

    def work(self) -> None:
        """Read the page with the review that has been due for longest.

        Raises:
            GatewayError: the failure of the call.
        """
        page = self._worthwhile()
        if page is None:  # a review ended meanwhile
            return
        errand = Errand.within(LOOK, CALLER, watches=True)
        found = self._read(LIST_STATUSES, errand, limit=PAGE, after=page * PAGE)
        self._pages = max(1, math.ceil(found["total"] / PAGE))
        self._note(page, {one["customer_id"]: one["verification"] for one in found["items"]})
        if page == self._next:
            self._count(page)

    def _worthwhile(self) -> int | None:
        """The page to read; None if single reads take no more calls."""
        pages = dict(self._book.due_on_pages())
        unknown = pages.pop(None, [])
        worth = {page: found for page, found in pages.items() if len(found) >= WORTH}
        if len(unknown) >= max(WORTH, self._pages - self._next):
            worth[self._next] = worth.get(self._next, []) + unknown
        return min(worth, key=lambda page: min(one.due for one in worth[page]), default=None)

    def _count(self, page: int) -> None:
        """Advance to the next page. After the last one, reviews on no page are read one by one."""
        now = self._monotonic()
        if page == 0:
            self._began = now
        self._next = page + 1
        if self._next >= self._pages:
            self._next = 0
            self._book.leave_to_reads(self._began)

    def _note(self, page: int, statuses: Mapping[str, str]) -> None:
        """Record the statuses of a page. Only Huawei's review result proves the end of a review."""
        open_now: list[str] = []
        for watched in self._book.of(page, statuses):
            self._note_one(watched, page, statuses.get(watched.review.customer_id), open_now)
        self._reviews.still_open(open_now, self._now())

    def _note_one(
        self, watched: Watched, page: int, status: str | None, open_now: list[str]
    ) -> None:
        watched.page = page if status is not None else None
        if status == IN_REVIEW:
            self._book.looked(watched)
            open_now.append(watched.review.customer_id)
        elif status is not None:
            self._book.confirm(watched)
