"""When each open review is looked at: in which order, and by a page or by its result."""

from __future__ import annotations

import threading

import pytest

from app.events import Feed
from app.events.book import FRESH, PROVEN, SHORTEST, Book, Watched
from app.events.open_reviews import OpenReviews
from app.events.report import Report
from app.state import MemoryState
from tests.support.timing import Clock

LONG = 600.0


class Watch:
    """A book on a clock, with the reviews of so many customers."""

    def __init__(self, number: int) -> None:
        self.clock = Clock()
        state = MemoryState(now=self.clock)
        feed = Feed(state, threading.Event())
        self.reviews = OpenReviews("default", state, feed, now=self.clock)
        for place in range(number):
            self.begin(place)
        report = Report("default", state, now=self.clock)
        self.book = Book(self.reviews, report, now=self.clock, monotonic=self.clock)
        self.book.refresh()
        self.watched = {one.review.customer_id: one for one in self.book.due()}

    def __getitem__(self, place: int) -> Watched:
        return self.watched[f"cust-{place}"]

    @property
    def first(self) -> Watched | None:
        return self.book.first()

    def begin(self, place: int) -> None:
        self.reviews.begin(f"cust-{place}", "INDIVIDUAL", "writer", "NOT_SUBMITTED")

    def refresh(self) -> list[str]:
        """Refresh the book. Returns the customers that are due a while later, in no order."""
        self.clock.pass_time(FRESH)
        self.book.refresh()
        self.clock.pass_time(LONG)
        return sorted(one.review.customer_id for one in self.book.due())

    def read(self, *places: int) -> None:
        for place in places:
            self.book.read(self[place])

    def show(self, page: int, *places: int) -> None:
        """Have a page of the list show these customers in review."""
        for place in places:
            self[place].page = page
            self.book.looked(self[place])


@pytest.fixture
def watch() -> Watch:
    return Watch(6)


def test_the_book_has_the_reviews_that_are_listed() -> None:
    watch = Watch(2)
    assert watch.refresh() == ["cust-0", "cust-1"]
    watch.begin(2)
    watch.reviews.discard("cust-0")
    assert watch.refresh() == ["cust-1", "cust-2"]
    watch.book.drop(watch[1])
    assert watch.refresh() == ["cust-1", "cust-2"]
    watch.clock.pass_time(1)
    watch.begin(1)  # another review of the customer
    assert watch.refresh() == ["cust-1", "cust-2"]
    (found,) = (one for one in watch.book.due() if one.review.customer_id == "cust-1")
    assert found is not watch[1]


def test_the_end_that_a_page_shows_is_confirmed_before_all_other_reads(watch: Watch) -> None:
    watch.show(0, 1)
    watch.book.confirm(watch[1])
    assert watch.first is watch[1]
    watch.read(1)
    assert watch.first is not watch[1]


def test_a_look_at_a_page_does_not_bring_forward_the_next_one_for_an_overdue_result(
    watch: Watch,
) -> None:
    watch.clock.pass_time(PROVEN)
    watch.show(0, *range(6))
    assert list(watch.book.due()) == []
    watch.clock.pass_time(watch.book.until_due() + LONG)
    (found,) = watch.book.due_on_pages().values()
    assert len(found) == 6  # also the review whose result is overdue


def test_results_that_are_overdue_are_read_one_after_the_other_when_no_other_is_due(
    watch: Watch,
) -> None:
    watch.show(0, *range(6))
    watch.clock.pass_time(PROVEN)
    watch.show(0, *range(6))
    assert watch.book.until_due() == 0
    read = []
    while (one := watch.first) is not None:
        read.append(one)
        watch.book.read(one)
    assert len(read) == len(set(map(id, read))) == 6
    assert watch.book.until_due() > 0


def test_reviews_that_no_page_tells_of_are_read_before_overdue_results(watch: Watch) -> None:
    watch.show(0, 1, 2, 3)
    watch.clock.pass_time(PROVEN)
    watch.show(0, 1, 2, 3)
    watch.read(4, 5)
    assert watch.first is watch[0]
    watch.read(0)
    assert watch.first in (watch[1], watch[2], watch[3])


def test_a_review_alone_on_its_page_is_read_by_itself(watch: Watch) -> None:
    watch.read(0, 4, 5)
    watch.show(0, 1, 2)
    watch.show(1, 3)
    watch.clock.pass_time(PROVEN)
    watch.show(0, 1, 2)
    watch.read(0, 4, 5)
    assert watch.first is watch[3]


def test_a_failed_read_goes_behind_the_others_also_if_its_result_is_overdue(watch: Watch) -> None:
    watch.show(0, *range(6))
    watch.clock.pass_time(PROVEN)
    watch.show(0, *range(6))
    one = watch.first
    assert one is not None
    watch.book.postpone(one)
    assert watch.first is not one
    watch.read(*(place for place in range(6) if watch[place] is not one))
    assert watch.first is None
    watch.clock.pass_time(LONG)
    watch.show(0, *range(6))
    assert watch.first is one


def test_a_confirmation_that_failed_is_repeated_later_and_still_counts(watch: Watch) -> None:
    watch.read(*range(6))
    watch.book.confirm(watch[1])
    watch.book.postpone(watch[1])
    assert watch.first is None
    watch.clock.pass_time(SHORTEST + FRESH)
    assert watch.first is watch[1]
    watch.read(1)
    assert watch[1].contradicted == 1
