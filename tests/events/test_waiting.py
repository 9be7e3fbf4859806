"""Waiting for events: one thread reads for all who wait, and no event is missed."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from prometheus_client import REGISTRY

from app.errors import ErrorCode, GatewayError
from app.events import Entries, Event, Feed, everything
from app.events.news import News
from app.state import MemoryState
from app.state.client import RETRY_INTERVAL
from demo.relay import relay
from tests.support.events import add, customers, ended
from tests.support.timing import Clock, together, wait_until
from tests.support.valkey import Valkey

LONG = 15.0  # seconds; no test waits as long


def waiting() -> float:
    return REGISTRY.get_sample_value("gateway_events_waiting") or 0


def reading() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "events"]


@pytest.fixture
def draining() -> threading.Event:
    return threading.Event()


@pytest.fixture(params=["memory", "redis"])
def pair(request: pytest.FixtureRequest, draining: threading.Event) -> tuple[Feed, Feed]:
    """The feed at which consumers wait, and the one to which events are added."""
    wait_until(lambda: reading() == [])
    if request.param == "memory":
        only = Feed(MemoryState(), draining)
        return only, only
    valkey: Valkey = request.getfixturevalue("valkey")
    return Feed(valkey.state(), draining), Feed(valkey.state(), threading.Event())


def test_one_thread_reads_for_all_who_wait_and_ends_with_them(pair: tuple[Feed, Feed]) -> None:
    feed, other = pair
    begun = feed.after(None, 1).next
    with ThreadPoolExecutor(50) as threads:
        waits = [threads.submit(feed.wait, begun, 10, LONG) for _ in range(50)]
        wait_until(lambda: waiting() == 50)
        assert reading() == ["events"]
        add(other, "a")
        assert [customers(one.result()) for one in waits] == [["a"]] * 50
    wait_until(lambda: reading() == [])


def test_an_event_that_is_not_visible_ends_no_wait(pair: tuple[Feed, Feed]) -> None:
    feed, other = pair

    def mine(event: Event) -> bool:
        return event.customer_id == "mine"

    with ThreadPoolExecutor(1) as threads:
        wait = threads.submit(feed.wait, None, 10, LONG, mine)
        wait_until(lambda: waiting() == 1)
        add(other, "a", "b")
        with pytest.raises(TimeoutError):
            wait.result(0.7)
        add(other, "mine")
        found = wait.result()
    assert customers(found) == ["mine"]
    assert (found.behind, feed.after(None, 10).next) == (0, found.next)


def test_a_wait_that_ends_without_a_visible_event_is_past_the_others(
    pair: tuple[Feed, Feed],
) -> None:
    feed, other = pair
    with ThreadPoolExecutor(1) as threads:
        wait = threads.submit(feed.wait, None, 10, 1.0, lambda _: False)
        wait_until(lambda: waiting() == 1)
        add(other, "a")
        found = wait.result()
    assert (found.items, found.next) == ((), feed.after(None, 10).next)


def test_a_shutdown_ends_every_wait(pair: tuple[Feed, Feed], draining: threading.Event) -> None:
    feed, _ = pair
    with ThreadPoolExecutor(20) as threads:
        waits = [threads.submit(feed.wait, None, 10, LONG) for _ in range(20)]
        wait_until(lambda: waiting() == 20)
        begun = time.monotonic()
        draining.set()
        assert [one.result().items for one in waits] == [()] * 20
    assert time.monotonic() - begun < 2
    begun = time.monotonic()
    assert feed.wait(None, 10, LONG).items == ()
    assert time.monotonic() - begun < 2


def test_consumers_that_wait_while_eight_threads_add_miss_no_event(pair: tuple[Feed, Feed]) -> None:
    feed, other = pair
    facts = [f"{place}-{number}" for place in range(8) for number in range(20)]
    begun = feed.after(None, 1).next

    def consume(_: int) -> list[str]:
        read: list[str] = []
        after = begun
        while len(read) < len(facts):
            found: Entries = feed.wait(after, 7, LONG, everything)
            assert found.items
            read += customers(found)
            after = found.next
        return read

    with ThreadPoolExecutor(5) as threads:
        consumers = [threads.submit(consume, place) for place in range(5)]
        together(8, lambda place: add(other, *facts[place * 20 : place * 20 + 20]))
        read = [one.result() for one in consumers]
    assert sorted(read[0]) == sorted(facts)
    assert read == [read[0]] * 5


def test_a_request_that_waits_later_gets_the_events_that_were_read_before(
    draining: threading.Event,
) -> None:
    stream = MemoryState().stream("events", 10, 60)
    news = News(stream, draining)
    begun = stream.after(None, 1).place
    stream.add(ended("a").dump(), "a")
    with ThreadPoolExecutor(1) as threads:
        threads.submit(news.wait, stream.after(None, 1).newest, LONG, lambda _: False)
        wait_until(lambda: waiting() == 1)
        late = time.monotonic()
        news.wait(begun, LONG, everything)
        assert time.monotonic() - late < 5
        draining.set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_reader_that_crashes_is_followed_by_another(pair: tuple[Feed, Feed]) -> None:
    feed, other = pair

    def crashes(_: Event) -> bool:
        if threading.current_thread().name == "events":
            raise ZeroDivisionError
        return False

    with ThreadPoolExecutor(2) as threads:
        wait = threads.submit(feed.wait, None, 10, 1.5, crashes)
        wait_until(lambda: waiting() == 1)
        add(other, "a")
        wait_until(lambda: reading() == [])
        read = feed.after(None, 10).next
        second = threads.submit(feed.wait, read, 10, LONG)
        wait_until(lambda: reading() == ["events"])
        wait.result()
        add(other, "b")
        assert customers(second.result(5)) == ["b"]


def test_an_emptied_redis_ends_the_wait_with_events_gone(valkey: Valkey) -> None:
    feed, other = (Feed(valkey.state(), threading.Event()) for _ in range(2))
    add(other, "a")
    read = feed.after(None, 10).next
    with ThreadPoolExecutor(1) as threads:
        wait = threads.submit(feed.wait, read, 10, LONG)
        wait_until(lambda: waiting() == 1)
        valkey.clear()
        add(other, "b")
        with pytest.raises(GatewayError) as raised:
            wait.result(5)
    assert raised.value.code is ErrorCode.EVENTS_GONE


def test_a_failover_to_an_empty_master_ends_the_wait_with_events_gone(mortal: Valkey) -> None:
    clock = Clock()
    with Valkey() as successor, relay(mortal.port) as address:
        url = mortal.url_by(address)
        state = mortal.state(mortal.settings.model_copy(update={"url": url}), clock)
        feed = Feed(state, threading.Event())
        add(feed, "a")
        read = feed.after(None, 10).next
        with ThreadPoolExecutor(1) as threads:
            wait = threads.submit(feed.wait, read, 10, LONG)
            wait_until(lambda: waiting() == 1)
            address.target = successor.port
            mortal.kill()
            address.cut()
            wait_until(lambda: _added(feed, clock, "b"))
            wait_until(lambda: _ended(wait, clock))
            with pytest.raises(GatewayError) as raised:
                wait.result(5)
        assert raised.value.code is ErrorCode.EVENTS_GONE
        add(feed, "c")
        assert customers(feed.after(raised.value.next, 10)) == ["c"]


def test_a_failover_to_a_replica_that_has_the_events_loses_none(mortal: Valkey) -> None:
    clock = Clock()
    with Valkey() as successor, relay(mortal.port) as address:
        url = mortal.url_by(address)
        state = mortal.state(mortal.settings.model_copy(update={"url": url}), clock)
        feed = Feed(state, threading.Event())
        successor.follow(mortal)
        add(feed, "a", "b")
        read = feed.after(None, 1)
        wait_until(lambda: len(successor.values()) == 3)  # the stream, and two facts
        with ThreadPoolExecutor(1) as threads:
            wait = threads.submit(feed.wait, feed.after(None, 10).next, 10, LONG)
            wait_until(lambda: waiting() == 1)
            successor.lead()
            address.target = successor.port
            mortal.kill()
            address.cut()
            wait_until(lambda: _added(feed, clock, "b", "c"))
            wait_until(lambda: _ended(wait, clock))
            assert customers(wait.result(5)) == ["c"]
        assert customers(feed.after(read.next, 10)) == ["b", "c"]


def _ended(wait: Future[Entries], clock: Clock) -> bool:
    """Whether the wait has ended; Redis is tried again meanwhile."""
    clock.pass_time(RETRY_INTERVAL)
    return wait.done()


def _added(feed: Feed, clock: Clock, *facts: str) -> bool:
    """Whether the facts were added, as the watcher does it: again, until nothing is raised."""
    try:
        add(feed, *facts)
    except GatewayError:
        clock.pass_time(RETRY_INTERVAL)
        return False
    return True
