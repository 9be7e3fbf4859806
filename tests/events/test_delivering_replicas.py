"""Of two replicas on one Redis, one delivers; the other goes on when it ends or dies."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from app.events import Feed
from tests.support.gunicorn_process import ServedGateway
from tests.support.hooks import CALLER, Replica, webhook
from tests.support.metrics import counted
from tests.support.patience import patient
from tests.support.receiver import Receiver, new_secret
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until
from tests.support.valkey import Valkey

CUSTOMERS = [f"c-{number}" for number in range(30)]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(new_secret()) as one:
        yield one


def test_two_replicas_deliver_each_event_once_and_each_customers_in_order(
    tmp_path: Path, receiver: Receiver, valkey: Valkey
) -> None:
    sends = webhook(tmp_path, receiver)
    with Replica(valkey.state(), sends) as one, Replica(valkey.state(), sends) as other:
        for turn in range(4):
            (one, other)[turn % 2].add(*CUSTOMERS)
        receiver.wait_for(lambda it: len(it.accepted) == 4 * len(CUSTOMERS))
        listed = one.feed.after(None, 1000).items
        assert [one.deliveries._lease.own, other.deliveries._lease.own].count(True) == 1
    assert len(set(receiver.ids)) == len(receiver.ids) == len(listed)
    for customer in CUSTOMERS:
        got = [request.id for request in receiver.requests if request.customer == customer]
        assert got == [entry.id for entry in listed if entry.event.customer_id == customer]


def test_on_drain_no_further_try_begins_and_the_other_replica_goes_on_at_once(
    tmp_path: Path, receiver: Receiver, valkey: Valkey
) -> None:
    goes_on = threading.Event()

    def answer(_: Any) -> int:
        return 204 if goes_on.wait(20) else 500

    receiver.answer = answer
    sends = webhook(tmp_path, receiver, timeout=30)
    with Replica(valkey.state(), sends, in_flight=1) as ending:
        ending.add("a", "b", "a")
        receiver.wait_for(lambda it: it.under_way == 1)
        ending.wait_for_waiting(3)
        ending.drain()
        with Replica(valkey.state(), sends) as following:
            goes_on.set()
            receiver.wait_for(lambda it: len(it.accepted) == 3)
            following.wait_for_waiting(0)
    assert sorted(receiver.accepted) == ["a", "a", "b"]
    assert len(set(receiver.ids)) == 3
    assert receiver.most_at_once <= 2


def test_a_delivered_event_is_stored_as_delivered_before_the_next_try_ends(
    tmp_path: Path, receiver: Receiver, valkey: Valkey
) -> None:
    goes_on = threading.Event()
    receiver.answer = lambda content: (
        204 if content["data"]["customer_id"] == "first" or goes_on.wait(20) else 500
    )
    sends = webhook(tmp_path, receiver, timeout=30)
    with Replica(valkey.state(), sends, in_flight=1, pause=30) as one:
        one.add("first", "second")
        receiver.wait_for(lambda it: it.accepted == ["first"] and it.under_way == 1)
        stored = valkey.value("outbox of shop")
        goes_on.set()
    assert stored is not None
    assert b"second" in stored
    assert b"first" not in stored


def test_nothing_that_is_stored_shows_what_waits(
    tmp_path: Path, receiver: Receiver, valkey: Valkey
) -> None:
    receiver.answer = lambda _: 500
    with Replica(valkey.state(), webhook(tmp_path, receiver)) as one:
        one.add("customer-x")
        receiver.wait_for(lambda it: len(it.requests) == 1)
        wait_until(lambda: b"customer-x" in (valkey.value("outbox of shop") or b""))
    stored = b" ".join([*valkey.values(), *valkey.values().values()])
    for word in (b"customer-x", b"VERIFIED", b"shop", b"outbox"):
        assert word not in stored


@pytest.mark.long
def test_events_are_delivered_after_a_loss_of_redis_and_none_meanwhile(
    tmp_path: Path, receiver: Receiver, mortal: Valkey
) -> None:
    with Replica(mortal.state(), webhook(tmp_path, receiver)) as one:
        one.add("before")
        receiver.wait_for(lambda it: it.accepted == ["before"])
        # Otherwise it may be sent again after the loss: at least once.
        wait_until(lambda: b"before" not in (mortal.value("outbox of shop") or b""))
        with mortal.hanging():
            wait_until(lambda: not one.deliveries._lease.own)
        wait_until(lambda: one.deliveries._lease.own)
        one.add("after")
        receiver.wait_for(lambda it: it.accepted == ["before", "after"])


@pytest.mark.long
def test_events_that_an_emptied_redis_lost_are_reported(
    tmp_path: Path, receiver: Receiver, mortal: Valkey
) -> None:
    dropped = counted("gateway_webhook_events_dropped_total", caller=CALLER)
    with Replica(mortal.state(), webhook(tmp_path, receiver)) as one:
        one.add("before")
        receiver.wait_for(lambda it: it.accepted == ["before"])
        mortal.kill()
        wait_until(lambda: not one.deliveries._lease.own)
        mortal.start()
        wait_until(lambda: dropped() == 1)
        one.add("after")
        receiver.wait_for(lambda it: it.accepted == ["before", "after"])


def served(
    folder: Path, upstream: str, valkey: Valkey, receiver: Receiver, **webhooks: Any
) -> ServedGateway:
    """A gateway under gunicorn whose caller `writer` has the receiver as its webhook."""
    folder.mkdir()
    (folder / "secret").write_text(receiver.secret)
    hook = {
        "url": receiver.url,
        "secret_file": str(folder / "secret"),
        "event_types": ["VERIFICATION_ENDED"],
    }
    rights = {"scopes": ["events:read"], "webhook": hook}
    document = patient(folder, upstream, {"url": valkey.url})
    document["callers"]["writer"].update(rights)
    document["webhooks"] = {"hosts": ["127.0.0.1"], **webhooks}
    return ServedGateway(folder, document)


@pytest.mark.long
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP], ids=["dead", "frozen"])
def test_a_dead_or_frozen_gateway_is_replaced_by_the_other_and_no_event_is_lost(
    tmp_path: Path,
    sandbox: SandboxDriver,
    receiver: Receiver,
    valkey: Valkey,
    end: signal.Signals,
) -> None:
    feed = Feed(valkey.state(), threading.Event())
    replica = Replica(valkey.state(), webhook(tmp_path, receiver))  # adds events only
    with served(tmp_path / "one", sandbox.url, valkey, receiver) as one:
        assert one.operate("/livez").status_code == 200
        replica.add("first")
        receiver.wait_for(lambda it: it.accepted == ["first"])
        with served(tmp_path / "other", sandbox.url, valkey, receiver) as other:
            assert other.operate("/livez").status_code == 200
            receiver.answer = lambda content: (
                503 if content["data"]["customer_id"] == "held" else 204
            )
            replica.add("held", "second")
            receiver.wait_for(lambda it: it.accepted == ["first", "second"])
            one.line(event="An event was not delivered and is sent again")
            one.signal(end)
            os.kill(one.worker, end)
            receiver.answer = lambda _: 204
            replica.add("third")
            everybody = ["first", "held", "second", "third"]
            receiver.wait_for(lambda it: sorted(set(it.accepted)) == sorted(everybody), limit=60)
            other.line(event="An event was delivered", caller="writer")
            waiting = 'gateway_webhook_events_waiting{caller="writer"} 0.0'
            wait_until(lambda: waiting in other.operate("/metrics").text)
            one.signal(signal.SIGCONT)
            with suppress(ProcessLookupError):
                os.kill(one.worker, signal.SIGCONT)
            replica.add("fourth")
            receiver.wait_for(lambda it: "fourth" in it.accepted)
            assert other.end() == 0
        assert "Traceback" not in other.text
    told = {entry.id for entry in feed.after(None, 10).items}
    assert told == set(receiver.ids)
    assert receiver.forged == 0


@pytest.mark.long
def test_a_served_gateway_ends_at_once_though_a_receiver_does_not_answer(
    tmp_path: Path, sandbox: SandboxDriver, receiver: Receiver, valkey: Valkey
) -> None:
    goes_on = threading.Event()
    receiver.answer = lambda _: 204 if goes_on.wait(60) else 500
    replica = Replica(valkey.state(), webhook(tmp_path, receiver))
    with served(tmp_path / "one", sandbox.url, valkey, receiver, timeout=60) as gateway:
        assert gateway.operate("/livez").status_code == 200
        replica.add("slow")
        receiver.wait_for(lambda it: it.under_way == 1)
        assert gateway.end() == 0
        goes_on.set()
