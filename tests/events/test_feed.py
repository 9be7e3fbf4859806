"""The feed: events of all replicas in one order, each once, and never lost without a word."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from app.errors import ErrorCode, GatewayError
from app.events import Event, EventType, Feed
from app.events.feed import KEPT, MOST
from app.state import MemoryState, Sealing, SharedState
from tests.support.events import add, credit_used, customers, ended
from tests.support.valkey import Valkey

Replica = Callable[[], Feed]


@pytest.fixture(params=["memory", "redis"])
def replica(request: pytest.FixtureRequest) -> Replica:
    """A function that starts a replica's feed; in memory there is one replica."""
    if request.param == "memory":
        only = Feed(MemoryState(), threading.Event())
        return lambda: only
    valkey: Valkey = request.getfixturevalue("valkey")
    return lambda: Feed(valkey.state(), threading.Event())


@pytest.fixture
def feed(replica: Replica) -> Feed:
    return replica()


def test_an_event_is_read_as_it_was_added(feed: Feed) -> None:
    events = [ended(), ended("c-2", status="REJECTED", kind="ENTERPRISE"), credit_used(95)]
    for number, event in enumerate(events):
        feed.add(event, str(number))
    assert [entry.event for entry in feed.after(None, 10).items] == events


def test_a_fact_is_told_once_by_all_replicas(replica: Replica) -> None:
    one, other = replica(), replica()
    for feed in (one, other, one):
        feed.add(ended(), "fact")
    assert customers(one.after(None, 10)) == ["cust-0001"]
    assert other.after(None, 10) == one.after(None, 10)


def test_a_reader_goes_on_after_next(feed: Feed) -> None:
    add(feed, "a", "b", "c")
    first = feed.after(None, 2)
    assert (customers(first), first.behind > 0) == (["a", "b"], True)
    second = feed.after(first.next, 2)
    assert (customers(second), second.behind) == (["c"], 0)
    third = feed.after(second.next, 2)
    assert (third.items, third.next) == ((), second.next)


def test_next_is_past_the_events_that_are_not_visible(feed: Feed) -> None:
    add(feed, *(f"other-{number}" for number in range(1050)))
    add(feed, "mine")
    visible = lambda event: event.customer_id == "mine"  # noqa: E731
    first = feed.after(None, 10, visible)
    assert (first.items, first.behind > 0) == ((), True)
    second = feed.after(first.next, 10, visible)
    assert (customers(second), second.behind) == (["mine"], 0)


def test_an_id_of_another_feed_is_gone(feed: Feed) -> None:
    add(feed, "a")
    other = Feed(MemoryState(), threading.Event())
    with pytest.raises(GatewayError) as raised:
        feed.after(other.after(None, 1).next, 10)
    assert raised.value.code is ErrorCode.EVENTS_GONE
    add(feed, "b")
    assert customers(feed.after(raised.value.next, 10)) == ["b"]


def test_an_event_that_cannot_be_trusted_is_gone_and_not_left_out(valkey: Valkey) -> None:
    forger = SharedState(valkey.state().client, Sealing.random())
    feed = Feed(valkey.state(), threading.Event())
    add(feed, "a")
    begun = feed.after(None, 1).next
    sealed = forger._sealing.seal("events", ended("forged").dump())
    forger.client.redis.xadd(valkey.name("events"), {"value": sealed})
    add(feed, "b")
    with pytest.raises(GatewayError) as raised:
        feed.after(begun, 10)
    assert raised.value.code is ErrorCode.EVENTS_GONE
    add(feed, "c")
    assert customers(feed.after(raised.value.next, 10)) == ["c"]


def test_an_event_of_another_version_is_passed_over(valkey: Valkey) -> None:
    feed = Feed(valkey.state(), threading.Event())
    add(feed, "a")
    begun = feed.after(None, 1).next
    newer = ended("n").dump().replace(b"VERIFICATION_ENDED", b"NEW")
    valkey.state().stream("events", MOST, KEPT).add(newer, "newer")
    unseen = feed.wait(begun, 10, 0.0)
    assert (unseen.items, unseen.next != begun) == ((), True)
    add(feed, "b")
    assert customers(feed.after(begun, 10)) == ["b"]
    assert customers(feed.after(unseen.next, 10)) == ["b"]


def test_nothing_that_is_stored_shows_what_happened(valkey: Valkey) -> None:
    feed = Feed(valkey.state(), threading.Event())
    feed.add(ended("customer-x"), "customer-x ended")
    stored = b" ".join([*valkey.values(), *valkey.values().values()])
    for word in (b"customer-x", b"VERIFIED", b"ended", b"default", b"events"):
        assert word not in stored


def test_an_event_of_another_version_cannot_be_loaded() -> None:
    dumped = ended().dump()
    assert Event.load(dumped) == ended()
    for other in (dumped.replace(b"VERIFICATION_ENDED", b"NEW"), b'{"type":"CREDIT_USED"}', b"[]"):
        assert Event.load(other) is None
    assert Event.load(None) is None
    assert Event.load(dumped.replace(b'{"type"', b'{"more":[1],"type"')) == ended()


def test_a_lost_redis_is_told_to_readers_and_to_those_who_add(mortal: Valkey) -> None:
    feed = Feed(mortal.state(), threading.Event())
    add(feed, "a")
    mortal.kill()
    for ask in (lambda: feed.after(None, 10), lambda: add(feed, "b")):
        with pytest.raises(GatewayError) as raised:
            ask()
        assert raised.value.code is ErrorCode.EVENTS_UNAVAILABLE


def test_every_type_has_a_name_that_is_its_value() -> None:
    assert all(kind.name == kind.value for kind in EventType)
