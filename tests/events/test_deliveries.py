"""Deliveries to a caller's webhook: each event at least once, each customer's in their order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.events import EventType, visible_to
from app.events.outbox import MOST
from app.state import MemoryState
from tests.support.events import credit_used
from tests.support.hooks import CALLER, Replica, rights, webhook
from tests.support.log import Log
from tests.support.metrics import counted
from tests.support.receiver import Receiver, new_secret
from tests.support.timing import Clock, wait_until

DAY = 24 * 3600.0
SENT_AGAIN = "An event was not delivered and is sent again"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(new_secret()) as one:
        yield one


@pytest.fixture
def clock() -> Clock:
    return Clock()


def refuse(*customers: str, status: int = 503) -> Any:
    return lambda content: status if content["data"]["customer_id"] in customers else 204


def test_events_are_delivered_once_and_in_order(tmp_path: Path, receiver: Receiver) -> None:
    sent = counted("gateway_webhook_tries_total", caller=CALLER, outcome="DELIVERED")
    with Replica(MemoryState(), webhook(tmp_path, receiver), in_flight=1) as one:
        one.add("a", "b", "c")
        receiver.wait_for(lambda it: len(it.accepted) == 3)
        wait_until(lambda: one.deliveries.waiting == (0, 0.0))
        assert receiver.accepted == ["a", "b", "c"]
        listed = [entry.id for entry in one.feed.after(None, 10).items]
        assert receiver.ids == listed
    assert (receiver.forged, sent()) == (0, 3)


def test_what_was_before_a_new_webhook_is_not_sent(tmp_path: Path, receiver: Receiver) -> None:
    one = Replica(MemoryState(), webhook(tmp_path, receiver))
    one.add("early")
    with one:
        one.add("late")
        receiver.wait_for(lambda it: it.accepted == ["late"])


def test_a_failing_customer_holds_back_its_own_events_only(
    tmp_path: Path, receiver: Receiver, clock: Clock, log: Log
) -> None:
    receiver.answer = refuse("bad")
    with Replica(MemoryState(), webhook(tmp_path, receiver), clock) as one:
        one.add("bad", "good", "bad", "good")
        receiver.wait_for(lambda it: it.accepted == ["good", "good"])
        one.wait_for_waiting(2)
        wait_until(lambda: SENT_AGAIN in log.text)
        assert [request.customer for request in receiver.requests].count("bad") == 1
        receiver.answer = refuse()
        clock.pass_time(4)
        one.add("other")
        receiver.wait_for(lambda it: "other" in it.accepted)
        assert "bad" not in receiver.accepted
        one.wait_for_waiting(2)
        assert one.deliveries.waiting[1] == pytest.approx(4)
        clock.pass_time(1)
        receiver.wait_for(lambda it: it.accepted.count("bad") == 2)
    bad = [request.id for request in receiver.requests if request.customer == "bad"]
    assert bad[0] == bad[1] < bad[2]
    (line,) = [line for line in log.lines if line["event"] == SENT_AGAIN]
    about = {"caller": CALLER, "event_id": bad[0], "outcome": "REFUSED", "status": 503}
    assert line.items() >= (about | {"tries": 1, "next_try_s": 5.0}).items()


def test_tries_go_on_with_growing_pauses_until_the_event_is_dropped_after_three_days(
    tmp_path: Path, receiver: Receiver, clock: Clock, log: Log
) -> None:
    receiver.answer = refuse("bad", status=500)
    dropped = counted("gateway_webhook_events_dropped_total", caller=CALLER)
    with Replica(MemoryState(), webhook(tmp_path, receiver), clock) as one:
        one.add("bad")
        begun = clock()
        for number, pause in enumerate((5, 10, 20, 40), 1):
            wait_until(lambda pause=pause: f'"next_try_s":{pause:.1f}' in log.text)  # type: ignore[misc]
            assert len(receiver.requests) == number
            clock.pass_time(pause)
        wait_until(lambda: '"next_try_s":80.0' in log.text)
        one.add("bad")
        clock.pass_time(begun + 3 * DAY + 1 - clock())
        receiver.wait_for(lambda it: len(it.requests) >= 6)
        wait_until(lambda: dropped() == 1)
        assert one.deliveries.waiting[0] == 1  # the second one is younger
    assert len({request.id for request in receiver.requests[:6]}) == 1
    text = "An event was dropped: its webhook accepted it in no try"
    (line,) = [line for line in log.lines if line["event"] == text]
    assert (line["event_id"], line["tries"]) == (receiver.requests[0].id, 6)


def test_a_clock_that_is_put_back_by_an_hour_delays_no_try(
    tmp_path: Path, receiver: Receiver, clock: Clock, log: Log
) -> None:
    receiver.answer = refuse("bad")
    wall = Clock()
    with Replica(MemoryState(), webhook(tmp_path, receiver), clock, wall=wall) as one:
        one.add("bad")
        wait_until(lambda: '"next_try_s":5.0' in log.text)
        wall.pass_time(-3600)
        clock.pass_time(5)
        wait_until(lambda: '"next_try_s":10.0' in log.text)
        receiver.answer = refuse()
        clock.pass_time(10)
        receiver.wait_for(lambda it: it.accepted == ["bad"])


def test_only_events_that_the_caller_may_see_are_sent(tmp_path: Path, receiver: Receiver) -> None:
    fenced = rights(customers="shop-.*", accounts=["default"])
    types = [EventType.VERIFICATION_ENDED, EventType.CREDIT_USED]
    visible = visible_to(fenced, fenced.accounts, types)
    with Replica(MemoryState(), webhook(tmp_path, receiver), visible=visible) as one:
        one.add("other-1", "shop-1")
        one.add("shop-2", account="second")
        one.add("shop-3", type=EventType.CUSTOMER_ASSOCIATED)
        one.tell(credit_used())
        one.add("shop-4")
        receiver.wait_for(lambda it: "shop-4" in it.accepted)
        one.wait_for_waiting(0)
    assert sorted(receiver.accepted) == ["shop-1", "shop-4"]


def test_at_most_in_flight_events_are_sent_at_the_same_time(
    tmp_path: Path, receiver: Receiver
) -> None:
    goes_on = threading.Event()

    def answer(_: Any) -> int:
        return 204 if goes_on.wait(20) else 500

    receiver.answer = answer
    with Replica(MemoryState(), webhook(tmp_path, receiver, timeout=30), in_flight=3) as one:
        one.add(*(f"c-{number}" for number in range(10)))
        receiver.wait_for(lambda it: it.under_way == 3)
        one.wait_for_waiting(10)
        goes_on.set()
        receiver.wait_for(lambda it: len(it.accepted) == 10)
    assert receiver.most_at_once == 3


class Counting(MemoryState):
    """A state that counts how often a lease is renewed."""

    renewals = 0

    def hold(self, key: str, owner: bytes, seconds: float) -> bool:
        self.renewals += 1
        return super().hold(key, owner, seconds)


def test_a_replica_that_waits_for_a_slow_receiver_does_nothing_meanwhile(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 500 if threading.Event().wait(0.3) else 204
    state = Counting()
    with Replica(state, webhook(tmp_path, receiver), in_flight=1, pause=5) as one:
        one.add("a", "b", "c")
        receiver.wait_for(lambda it: len(it.accepted) == 3)
    assert state.renewals < 20


def test_a_full_outbox_takes_no_further_event_and_loses_none(
    tmp_path: Path, receiver: Receiver, clock: Clock, log: Log
) -> None:
    receiver.answer = lambda _: 503
    sends = webhook(tmp_path, receiver)
    with Replica(MemoryState(), sends, clock, in_flight=20) as one:
        one.add(*(f"c-{number}" for number in range(MOST + 3)))
        wait_until(lambda: log.text.count(SENT_AGAIN) == MOST)
        assert one.deliveries.waiting[0] == MOST
        receiver.answer = refuse()
        clock.pass_time(5)
        receiver.wait_for(lambda it: len(it.accepted) == MOST + 3)
    assert len(set(receiver.ids)) == MOST + 3


def test_events_that_the_feed_dropped_are_reported_and_the_later_ones_are_sent(
    tmp_path: Path, receiver: Receiver, clock: Clock, log: Log
) -> None:
    state, sends = MemoryState(), webhook(tmp_path, receiver)
    dropped = counted("gateway_webhook_events_dropped_total", caller=CALLER)
    state.put(f"outbox of {CALLER}", b'["1-1",[]]', 60)  # of another feed
    with Replica(state, sends, clock) as one:
        wait_until(lambda: dropped() == 1)
        one.add("later")
        receiver.wait_for(lambda it: it.accepted == ["later"])
    assert "Events were dropped before they were sent" in log.text


def test_an_outbox_that_cannot_be_read_is_reported_and_the_later_events_are_sent(
    tmp_path: Path, receiver: Receiver, log: Log
) -> None:
    state, sends = MemoryState(), webhook(tmp_path, receiver)
    state.put(f"outbox of {CALLER}", b"of another version", 60)
    with Replica(state, sends) as one:
        wait_until(lambda: one.deliveries._lease.own)
        one.add("later")
        receiver.wait_for(lambda it: it.accepted == ["later"])
    assert "Events were dropped before they were sent" in log.text


def test_an_event_that_is_older_than_three_days_is_tried_once(
    tmp_path: Path, receiver: Receiver, clock: Clock
) -> None:
    with Replica(MemoryState(), webhook(tmp_path, receiver), clock) as one:
        old = datetime.fromtimestamp(clock() - 4 * DAY, UTC)
        one.tell(replace(credit_used(), occurred_at=old))
        receiver.wait_for(lambda it: len(it.accepted) == 1)
