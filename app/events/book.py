"""When the holder of the lease looks at each open review. It is kept in memory only."""

import math
import time
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.events.open_reviews import OpenReview, OpenReviews
from app.events.report import Report

SHORTEST, LONGEST = 5.0, 600.0  # seconds between two looks at a review
GROWTH = 60.0  # a review is looked at when its age has grown by this part, within these bounds
FRESH = 1.0  # seconds until the records are listed again
# Seconds after which the result of a review is read although the list says that it is open: Huawei
# does not document how soon the list shows the end.
PROVEN = 3600.0
# The list says of a customer who changes to a company that the person is verified, and it may show
# a submission late.
CONTRADICTIONS = 3
WORTH = 2  # the fewest due reviews for which a page is read; fewer are read one by one
# Seconds for which a due review waits for its page. After them its result is read: the list may
# fail, or may have too many pages.
LEFT = 60.0


@dataclass(slots=True, eq=False)
class Watched:
    """An open review that is watched.

    Args:
        review: The review.
        looked: When it was looked at last, or watched first, by the monotonic clock.
        due: When it must be looked at.
        began: When the watch of it began.
        read_due: When its result must be read, whatever the list says. 0 if a page said that the
            review ended: then it is read when it is due.
        page: The page of the list that showed the customer; None if it is not known.
        contradicted: How often the result said that it is open, and the list that it is not.
        is_listed: Whether the list tells of the review.
        unknown_since: Since when no result has shown the review; None if the last one did.
    """

    review: OpenReview
    looked: float
    due: float
    began: float
    read_due: float
    page: int | None = None
    contradicted: int = 0
    is_listed: bool = True
    unknown_since: float | None = None


class Book:
    """The open reviews that are watched.

    Args:
        reviews: The record of the open reviews.
        report: Tells every replica how the watch goes.
        now: The wall clock, in seconds.
        monotonic: The clock of the looks, in seconds.
    """

    def __init__(
        self,
        reviews: OpenReviews,
        report: Report,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reviews = reviews
        self._report = report
        self._now = now
        self._monotonic = monotonic
        self.clear()

    def clear(self) -> None:
        """Forget everything: another replica may have watched meanwhile."""
        self._watched: dict[str, Watched] = {}
        self._known: Sequence[OpenReview] | None = None  # the reviews that are in it
        self._listed = -math.inf
        self._swept = 0.0  # seconds of the last sweep
        self._sweep_began = self._monotonic()

    def refresh(self) -> None:
        """Add the reviews that have begun, and drop those that ended."""
        now = self._monotonic()
        if now < self._listed + FRESH:
            return
        # At first the looks of the replica that watched before are known by its report only.
        last = self._report.read() if self._listed == -math.inf else None
        looked = now if last is None else now - max(0.0, self._now() - last.oldest_look)
        self._listed = now
        reviews = self._reviews.all()
        if reviews is not self._known:
            self._take(reviews, looked)
        self._write(now)

    def _take(self, reviews: Sequence[OpenReview], looked: float) -> None:
        """Watch these reviews. A new one counts as looked at since `looked` or its submission."""
        now = self._monotonic()
        self._known = reviews
        before, self._watched = self._watched, {}
        for review in reviews:
            watched = before.get(review.customer_id)
            if watched is None or watched.review.since != review.since:
                since = now - max(0.0, self._now() - review.since)
                watched = Watched(review, max(looked, since), now, now, now + PROVEN)
            watched.review = review
            self._watched[review.customer_id] = watched

    def _write(self, now: float) -> None:
        """Report how old the oldest look is, and how long the last sweep took."""
        oldest = min((watched.looked for watched in self._watched.values()), default=now)
        if oldest >= self._sweep_began:
            self._swept, self._sweep_began = now - self._sweep_began, now
        self._report.write(now - oldest, self._swept)

    def due(self) -> Iterator[Watched]:
        """The reviews that must be looked at now, by a page or by a read of the result."""
        now = self._monotonic()
        return (watched for watched in self._watched.values() if watched.due <= now)

    def due_on_pages(self) -> Mapping[int | None, list[Watched]]:
        """The due reviews that a page can show, by page. The key None has those of unknown page."""
        found: dict[int | None, list[Watched]] = {}
        for one in self.due():
            if one.is_listed and one.read_due:
                found.setdefault(one.page, []).append(one)
        return found

    def first(self) -> Watched | None:
        """The review whose result must be read next; None if no result is due.

        Reviews that a page reports as ended come first, then reviews that no page shows, then
        reviews that are overdue or have waited too long for their page.
        """
        now = self._monotonic()
        ready = (read for read in self._reads() if read[0] <= now)
        return min(ready, key=lambda read: (read[1], read[0]), default=(0.0, 0, None))[2]

    def until_due(self) -> float:
        """Seconds until a result must be read: 0 for one now, infinity without any."""
        first = min((due for due, _, _ in self._reads()), default=math.inf)
        return max(0.0, first - self._monotonic())

    def _reads(self) -> Iterator[tuple[float, int, Watched]]:
        """For each review: when its result must be read, its rank, and the review."""
        together = Counter(one.page for one in self._watched.values() if one.is_listed)
        for one in self._watched.values():
            if not one.read_due:
                yield one.due, 0, one
            elif not one.is_listed or one.page is None or together[one.page] < WORTH:
                yield min(one.due, one.read_due), 1, one
            else:
                yield min(one.due + LEFT, one.read_due), 2, one

    def of(self, page: int, customers: Container[str]) -> list[Watched]:
        """The reviews of these customers, and those that a page of the list showed before."""
        return [
            watched
            for customer_id, watched in self._watched.items()
            if watched.page == page or customer_id in customers
        ]

    def looked(self, watched: Watched) -> None:
        """Record a look at a review. The older the review, the later its next look is due."""
        now = self._monotonic()
        watched.looked = now
        watched.due = now + self._interval(watched.review)

    def read(self, watched: Watched) -> None:
        """Record a read of the result. A list that contradicts it is asked no more."""
        if watched.read_due == 0.0:
            watched.contradicted += 1
            watched.is_listed = watched.contradicted < CONTRADICTIONS
        watched.read_due = self._monotonic() + PROVEN
        self.looked(watched)

    def confirm(self, watched: Watched) -> None:
        """Have the result read at once: the list says that the review ended."""
        watched.due = watched.read_due = 0.0

    def leave_to_reads(self, began: float) -> None:
        """Read the reviews that no page has shown since `began` one by one from now on."""
        for watched in self._watched.values():
            if watched.page is None and watched.began <= began:
                watched.is_listed = False

    def postpone(self, watched: Watched) -> None:
        """Look again later at a review whose look failed."""
        watched.due = self._monotonic() + self._interval(watched.review)
        if watched.read_due:
            watched.read_due = max(watched.read_due, watched.due)

    def drop(self, watched: Watched) -> None:
        """Watch a review no more, unless it is still listed."""
        self._known = None
        self._watched.pop(watched.review.customer_id, None)

    def _interval(self, review: OpenReview) -> float:
        return min(LONGEST, max(SHORTEST, (self._now() - review.since) / GROWTH))
