"""The record of open reviews: what begins one, what ends it, and that its end is told first."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from app.events import Feed
from app.events.open_reviews import ENDED, KEPT, LATE, SKEW, OpenReviews
from app.state import MemoryState, State
from tests.support.timing import Clock
from tests.support.valkey import Valkey

CUSTOMER = "cust-1"


@dataclass
class Parts:
    """The open reviews of a replica, the feed, and the clock."""

    reviews: OpenReviews
    feed: Feed
    clock: Clock

    def open(self) -> list[str]:
        return [review.customer_id for review in self.reviews.all()]

    def told(self) -> list[tuple[str, str, str]]:
        events = [entry.event for entry in self.feed.after(None, 100).items]
        return [(one.customer_id, one.kind, one.status) for one in events]

    def see(self, status: str) -> bool:
        return self.reviews.seen(CUSTOMER, status, self.clock(), "reader")


def parts(state: State) -> Parts:
    clock, feed = Clock(), Feed(state, threading.Event())
    return Parts(OpenReviews("default", state, feed, now=clock), feed, clock)


@pytest.fixture(params=["memory", "shared"])
def one(request: pytest.FixtureRequest) -> Parts:
    if request.param == "memory":
        return parts(MemoryState())
    valkey: Valkey = request.getfixturevalue("valkey")
    return parts(valkey.state())


def begin(one: Parts, before: str | None = "NOT_SUBMITTED") -> None:
    one.reviews.begin(CUSTOMER, "INDIVIDUAL", "writer", before)


@pytest.mark.parametrize("status", ["VERIFIED", "REJECTED"])
def test_the_end_of_a_review_is_told_once_and_the_record_deleted(one: Parts, status: str) -> None:
    begin(one)
    assert one.see("IN_REVIEW")
    assert not one.see(status)
    assert not one.see(status)
    assert (one.told(), one.open()) == ([(CUSTOMER, "INDIVIDUAL", status)], [])


def test_the_end_of_a_verification_that_was_never_in_review_is_not_told(one: Parts) -> None:
    assert not one.see("VERIFIED")
    assert one.told() == []


def test_a_second_review_of_a_customer_is_told_as_well(one: Parts) -> None:
    for status in ("REJECTED", "VERIFIED"):
        begin(one)
        one.see("IN_REVIEW")
        one.clock.pass_time(1)
        one.see(status)
    assert [status for *_, status in one.told()] == ["REJECTED", "VERIFIED"]


@pytest.mark.parametrize("before", ["REJECTED", None])
def test_a_status_of_the_time_before_the_submission_ends_nothing(
    one: Parts, before: str | None
) -> None:
    begin(one, before)
    assert one.see("REJECTED")
    assert one.told() == []
    assert one.see("IN_REVIEW")
    assert not one.see("REJECTED")
    assert len(one.told()) == 1


def test_another_status_than_before_the_submission_ends_the_review(one: Parts) -> None:
    begin(one, "REJECTED")
    assert not one.see("VERIFIED")
    assert len(one.told()) == 1


@pytest.mark.parametrize(
    ("kind", "before", "status"),
    [
        ("INDIVIDUAL", "REJECTED", "REJECTED"),
        ("ENTERPRISE_CHANGE", "VERIFIED", "VERIFIED"),
        ("ENTERPRISE_CHANGE", None, "VERIFIED"),
    ],
)
def test_a_status_of_before_the_submission_ends_it_only_after_the_review_was_shown(
    one: Parts, kind: str, before: str | None, status: str
) -> None:
    one.reviews.begin(CUSTOMER, kind, "writer", before)
    one.clock.pass_time(2 * LATE)
    assert one.see(status)
    assert one.told() == []
    assert one.see("IN_REVIEW")
    assert not one.see(status)
    assert one.told() == [(CUSTOMER, kind, status)]


def test_a_status_that_stays_long_after_a_submission_with_an_unknown_one_before_ends_the_review(
    one: Parts,
) -> None:
    begin(one, None)
    one.clock.pass_time(LATE)
    assert not one.see("REJECTED")
    assert len(one.told()) == 1


def test_a_submission_that_is_not_shown_yet_stays_open(one: Parts) -> None:
    begin(one)
    assert one.see("NOT_SUBMITTED")
    assert one.open() == [CUSTOMER]


def test_a_review_that_began_meanwhile_is_not_deleted_with_the_one_before(one: Parts) -> None:
    begin(one)
    (old,) = one.reviews.all()
    one.clock.pass_time(1)
    begin(one)
    one.reviews.forget(old)
    assert one.open() == [CUSTOMER]


def test_what_is_known_of_a_review_has_the_age_of_the_last_look(one: Parts) -> None:
    assert one.reviews.known(CUSTOMER, KEPT) is None
    begin(one)
    one.clock.pass_time(60)
    assert one.reviews.known(CUSTOMER, 59) is None
    one.reviews.looked_at([CUSTOMER, "cust-2"], one.clock())
    found = one.reviews.known(CUSTOMER, 0)
    assert found is not None
    assert (found[0].kind, found[1]) == ("INDIVIDUAL", one.clock())
    assert one.reviews.known("cust-2", 0) is None  # no such review
    one.see("VERIFIED")
    assert one.reviews.known(CUSTOMER, KEPT) is None


def test_reviews_that_a_list_shows_are_recorded_unless_they_are_already(one: Parts) -> None:
    begin(one, "REJECTED")
    one.clock.pass_time(60)
    one.reviews.listed([CUSTOMER, "cust-2"], "reader")
    first, second = one.reviews.all()
    assert (first.customer_id, first.before) == (CUSTOMER, "REJECTED")
    assert (second.customer_id, second.kind, second.since) == ("cust-2", "", one.clock())
    assert not one.reviews.seen("cust-2", "VERIFIED", one.clock(), "reader")
    assert one.told() == [("cust-2", "", "VERIFIED")]


def test_a_page_leaves_nothing_of_a_review_that_ended_meanwhile(valkey: Valkey) -> None:
    one = parts(valkey.state())
    begin(one)
    one.reviews.still_open([CUSTOMER, "cust-2"], one.clock())
    looks = valkey.state().table("looks at open reviews of default", KEPT)
    assert looks.count() == 1
    assert one.reviews.known(CUSTOMER, 0) is not None


def test_a_look_of_the_future_is_not_known(one: Parts) -> None:
    begin(one)
    one.clock.pass_time(-SKEW)
    assert one.reviews.known(CUSTOMER, KEPT) is not None
    one.clock.pass_time(-1)
    assert one.reviews.known(CUSTOMER, KEPT) is None


def test_a_slow_answer_does_not_revive_a_review_that_ended(one: Parts) -> None:
    begin(one)
    one.see("IN_REVIEW")
    one.see("VERIFIED")
    assert not one.see("IN_REVIEW")
    one.reviews.listed([CUSTOMER], "reader")
    assert one.open() == []
    begin(one)
    assert one.see("IN_REVIEW")
    assert one.open() == [CUSTOMER]


def test_a_review_that_begins_elsewhere_after_the_end_of_another_one_is_recorded() -> None:
    clock = Clock()
    one = parts(MemoryState(now=clock))
    begin(one)
    one.see("IN_REVIEW")
    one.see("REJECTED")
    clock.pass_time(ENDED)
    assert one.see("IN_REVIEW")
    assert one.open() == [CUSTOMER]


def test_an_end_that_cannot_be_told_leaves_the_record(mortal: Valkey) -> None:
    one = parts(mortal.state())
    begin(one)
    one.see("IN_REVIEW")
    assert one.open() == [CUSTOMER]
    mortal.freeze()
    assert one.see("VERIFIED")
    assert one.open() == [CUSTOMER]
    mortal.thaw()
    other = parts(mortal.state())
    assert not other.see("VERIFIED")
    assert (other.open(), len(other.told())) == ([], 1)


def test_a_record_of_another_version_is_not_listed(valkey: Valkey) -> None:
    state = valkey.state()
    state.table("open reviews of default", KEPT).put({"a": b'{"a": 1}', "b": b"[", "c": b"2"})
    assert parts(state).reviews.all() == []
