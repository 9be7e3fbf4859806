"""A failover behind an address: the state follows it to the new master within seconds."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise

import pytest

from app.state import SharedState
from app.state.client import RENEWAL, RETRY_INTERVAL
from demo.relay import Relay, relay
from tests.support.timing import Clock, wait_until
from tests.support.valkey import DAY, Valkey

HEALED = 15.0  # seconds within which every replica must be on the new master
assert RETRY_INTERVAL < RENEWAL < HEALED


@pytest.fixture
def clock() -> Clock:
    """The clock of the replicas."""
    return Clock()


def behind(address: Relay, server: Valkey, clock: Clock) -> SharedState:
    """A replica's state behind the address."""
    settings = server.settings.model_copy(update={"url": server.url_by(address)})
    return server.state(settings, clock)


@contextmanager
def answering(error: str) -> Iterator[int]:
    """The port of a server that answers every command with an error."""

    class Refusal(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while self.request.recv(64 * 1024):
                self.request.sendall(f"-{error} refused\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusal) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_demoted_master_behind_the_old_connections_is_left_at_once(
    mortal: Valkey, successor: Valkey, address: Relay, clock: Clock
) -> None:
    replicas = [behind(address, mortal, clock) for _ in range(2)]
    for state in replicas:
        state.put("a", b"old", 60)
    address.target = successor.port  # the established connections stay
    mortal.follow(successor)
    assert [state.add("lock", b"%d" % n, 60) for n, state in enumerate(replicas)] == [True, False]
    assert [state.shared for state in replicas] == [True, True]
    assert successor.value("lock") == b"0"


def test_a_demoted_master_is_left_once_the_address_leads_to_the_new_one(
    mortal: Valkey, successor: Valkey, address: Relay, clock: Clock
) -> None:
    state = behind(address, mortal, clock)
    state.put("a", b"old", 60)
    mortal.follow(successor)
    state.put("a", b"in memory", 60)
    assert not state.shared  # READONLY, also on a new connection
    address.target = successor.port
    clock.pass_time(RETRY_INTERVAL)
    state.put("a", b"new", 60)
    assert (state.shared, successor.value("a")) == (True, b"new")


def test_an_old_master_that_still_accepts_writes_is_left_by_its_connections_age(
    mortal: Valkey, successor: Valkey, address: Relay, clock: Clock
) -> None:
    state = behind(address, mortal, clock)
    state.put("a", b"old", 60)
    address.target = successor.port
    clock.pass_time(RENEWAL / 2)
    state.put("a", b"old", 60)
    clock.pass_time(RENEWAL / 2)

    def arrives() -> bool:
        state.put("a", b"new", 60)
        return successor.value("a") == b"new"

    wait_until(arrives)  # the address is looked up in a thread first
    opened = successor.connections
    for _ in range(9):
        state.get("a")
    assert successor.connections == opened + 1  # that of the test itself


def test_no_idle_connection_leads_to_a_server_that_hangs_once_another_took_over(
    mortal: Valkey, successor: Valkey, address: Relay, clock: Clock
) -> None:
    state = behind(address, mortal, clock)
    redis = state.client.redis
    with redis.client() as first:  # type: ignore[no-untyped-call]
        first.ping()
        state.get("a")  # by a second connection; then both are idle
    mortal.freeze()
    address.target = successor.port
    try:
        state.put("a", b"new", 60)
        assert not state.shared
        clock.pass_time(RETRY_INTERVAL)
        state.put("a", b"new", 60)
        with redis.client():  # type: ignore[no-untyped-call]  # by the one that was used last
            assert state.get("a") == b"new"
        assert state.shared
    finally:
        mortal.thaw()


@pytest.mark.parametrize("error", ["NOAUTH", "LOADING", "MASTERDOWN", "WRONGTYPE", "READONLY"])
def test_an_error_of_the_server_makes_the_connection_anew(
    mortal: Valkey, address: Relay, clock: Clock, error: str
) -> None:
    state = behind(address, mortal, clock)
    state.put("a", b"old", 60)
    with answering(error) as port:
        address.target = port
        address.cut()
        assert state.get("a") == b"old"  # of the memory
        assert not state.shared
        address.target = mortal.port  # the connections to the other server stay
        clock.pass_time(RETRY_INTERVAL)
        state.put("a", b"new", 60)
        assert state.shared
        address.cut()
    assert mortal.value("a") == b"new"


def test_slots_that_the_new_master_does_not_know_are_not_reserved_again(
    mortal: Valkey, successor: Valkey
) -> None:
    one = mortal.state(replicas=2)
    one.reserve("quota", 10, 1)
    copied = mortal.values()[mortal.name("quota")]
    held = one.reserve("quota", 10, 1).due  # not copied yet when the master is lost
    successor.set(successor.name("quota"), copied)
    others = [successor.state(replicas=2) for _ in range(2)]
    dues = [state.reserve("quota", 10, 1).due for state in others for _ in range(2)]
    assert 100_000 <= dues[0] - held <= 300_000
    assert [late - early for early, late in pairwise(dues)] == [100_000] * 3


@pytest.mark.parametrize("busy", [3, 30])
def test_connections_that_are_always_in_use_reach_the_new_master_too(
    mortal: Valkey, successor: Valkey, busy: int
) -> None:
    clock, ended = Clock(), threading.Event()
    with relay(mortal.port, 0.004) as slow:  # so that each connection is in use at the renewal
        state = behind(slow, mortal, clock)

        def work() -> None:
            while not ended.is_set():
                state.increase("count", 600)

        with ThreadPoolExecutor(busy) as threads:
            for _ in range(busy):
                threads.submit(work)
            try:
                wait_until(lambda: mortal.value_of_count("count") > busy)
                slow.target = successor.port
                clock.pass_time(RENEWAL)
                wait_until(lambda: successor.value_of_count("count") > busy)
                left = mortal.value_of_count("count")
                wait_until(lambda: successor.value_of_count("count") > 5 * busy)
                assert mortal.value_of_count("count") <= left + busy
            finally:
                ended.set()
        wait_until(lambda: mortal.clients == 0)  # no connection of before is left open


def test_a_record_is_uncertain_after_a_failover_though_the_sentinel_came_along(
    mortal: Valkey, successor: Valkey, address: Relay, clock: Clock
) -> None:
    """The successor may lack the last values of the master."""
    mortal.mature()
    state = behind(address, mortal, clock)
    state.put("a", b"1", 60)
    assert state.recall("b", DAY).certain
    successor.follow(mortal)
    wait_until(lambda: successor.value("a") == b"1")
    mortal.kill()
    successor.lead()
    address.target = successor.port
    address.cut()
    assert not state.recall("b", DAY).certain
    assert state.recall("a", DAY).value == b"1"
    assert state.shared
