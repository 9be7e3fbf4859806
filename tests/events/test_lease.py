"""Two replicas watch in turn: never both for longer than a lease, and one after the other died."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.events.book import SHORTEST
from app.events.lease import LASTS, LOOK, RETRY
from app.settings import Settings
from app.state import MemoryState
from app.state.client import RETRY_INTERVAL
from tests.support.gateway import altered, configuration
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock
from tests.support.valkey import Valkey
from tests.support.watching import Replica

TAKEN_OVER = 15.0  # seconds after the death of the holder


@pytest.fixture
def account(tmp_path: Path, sandbox: SandboxDriver) -> Settings:
    document = configuration(tmp_path, sandbox.url)
    return altered(Settings.model_validate(document), verification={"backend": "review"})


@pytest.fixture
def pair(account: Settings) -> tuple[Replica, Replica]:
    clock = Clock()
    state = MemoryState(now=clock)
    one = Replica(account, state, clock)
    return one, Replica(account, state, clock, beside=one)


def test_a_call_ends_before_the_lease() -> None:
    assert LOOK < LASTS
    assert LASTS + RETRY < TAKEN_OVER


def test_one_of_two_replicas_watches(pair: tuple[Replica, Replica], sandbox: SandboxDriver) -> None:
    one, other = pair
    one.begin(sandbox, "cust-1", "cust-2", "cust-3")
    one.watch(SHORTEST - 1, other.watcher.step)
    assert len(sandbox.requests("result")) == 3
    assert one.lease.hold()
    assert not other.lease.hold()


def test_another_replica_takes_over_within_15_seconds_after_the_holder_died(
    pair: tuple[Replica, Replica], sandbox: SandboxDriver
) -> None:
    one, other = pair
    one.begin(sandbox, "cust-1")
    one.watch(60, other.watcher.step)
    sandbox.review("cust-1", "passed")
    died = one.clock()
    while not other.told:
        other.watch(0.5)
    assert other.clock() - died <= TAKEN_OVER
    assert (other.told, one.told) == ([("cust-1", "VERIFIED")],) * 2


def test_a_holder_that_stalled_stops_once_another_replica_watches(
    pair: tuple[Replica, Replica], sandbox: SandboxDriver
) -> None:
    one, other = pair
    one.begin(sandbox, "cust-1")
    one.watch(5)
    other.clock.pass_time(LASTS)
    other.watch(5)
    sandbox.forget_requests()
    one.watch(LASTS - 5, other.watcher.step)
    assert one.watcher.step() == RETRY
    assert not one.lease.hold()
    assert other.lease.hold()


def test_the_end_of_a_drain_hands_over_at_once(
    pair: tuple[Replica, Replica], sandbox: SandboxDriver
) -> None:
    one, other = pair
    one.begin(sandbox, "cust-1")
    one.watch(5)
    assert not other.lease.hold()
    one.draining.set()
    one.watcher.run()
    assert other.lease.hold()


def test_an_end_that_two_replicas_see_is_told_once(
    account: Settings, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    clock = Clock()
    one, other = (Replica(account, valkey.state(), clock) for _ in range(2))
    one.begin(sandbox, "cust-1")
    one.reviews.seen("cust-1", "IN_REVIEW", clock(), "gateway")
    sandbox.review("cust-1", "rejected")
    (row,) = valkey.table("open reviews of default")
    one.reviews.seen("cust-1", "REJECTED", clock(), "gateway")
    assert one.reviews.all() == []
    valkey.state().table("open reviews of default", 60).put({"cust-1": row})  # read before that
    other.reviews.seen("cust-1", "REJECTED", clock(), "gateway")
    assert other.told == [("cust-1", "REJECTED")]
    assert other.open == []


def test_while_redis_is_lost_nobody_watches_and_afterwards_one_does(
    account: Settings, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    clock = Clock()
    one, other = (Replica(account, mortal.state(monotonic=clock), clock) for _ in range(2))
    one.begin(sandbox, "cust-1")
    one.watcher.step()
    assert len(sandbox.requests("result")) == 1
    mortal.freeze()
    sandbox.review("cust-1", "passed")
    assert (one.watcher.step(), other.watcher.step()) == (RETRY, RETRY)
    clock.pass_time(SHORTEST)
    assert len(sandbox.requests("result")) == 1
    mortal.thaw()
    clock.pass_time(RETRY_INTERVAL)
    one.watcher.step()
    assert one.told == [("cust-1", "VERIFIED")]


def test_reviews_lost_with_redis_are_watched_again_after_a_read(
    account: Settings, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    clock = Clock()
    Replica(account, valkey.state(), clock).begin(sandbox, "cust-1")
    valkey.clear()
    one = Replica(account, valkey.state(), clock)  # started since, so that it holds no review
    one.watcher.step()
    assert sandbox.requests("result") == []
    one.reviews.seen("cust-1", "IN_REVIEW", clock(), "reader")
    clock.pass_time(SHORTEST)
    one.watcher.step()
    assert len(sandbox.requests("result")) == 1


def test_a_replica_that_holds_the_reviews_watches_them_after_redis_has_lost_them(
    account: Settings, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    clock = Clock()
    one = Replica(account, valkey.state(), clock)
    one.begin(sandbox, "cust-1")
    one.watcher.step()
    valkey.clear()
    sandbox.forget_requests()
    for _ in range(3):  # to hold the lease again, and to reserve a slot after the lost one
        clock.pass_time(SHORTEST)
        one.watcher.step()
    assert sandbox.requests("result")
