"""A lease has one holder, who renews it; a dead holder's lease ends, and a released one at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.events.lease import LASTS, Lease
from app.state import MemoryState, State
from tests.support.timing import Clock
from tests.support.valkey import Valkey


@pytest.fixture(params=["memory", "redis"])
def replica(request: pytest.FixtureRequest) -> Callable[[], State]:
    """A function that returns a replica's state; in memory all have the same."""
    if request.param == "memory":
        only = MemoryState()
        return lambda: only
    valkey: Valkey = request.getfixturevalue("valkey")
    return valkey.state


def test_one_replica_holds_a_lease_and_renews_it(replica: Callable[[], State]) -> None:
    one, other = Lease(replica(), "work"), Lease(replica(), "work")
    assert (one.own, one.hold(), one.own) == (False, True, True)
    assert (other.hold(), other.own) == (False, False)
    assert one.hold()
    assert Lease(replica(), "other work").hold()


def test_a_released_lease_is_acquired_at_once(replica: Callable[[], State]) -> None:
    one, other = Lease(replica(), "work"), Lease(replica(), "work")
    assert one.hold()
    other.release()  # of another holder's lease: no effect
    assert not other.hold()
    one.release()
    assert not one.own
    assert other.hold()


def test_a_holder_that_does_not_renew_its_lease_does_not_hold_it_any_more(
    replica: Callable[[], State],
) -> None:
    clock = Clock()
    lease = Lease(replica(), "work", clock)
    assert lease.hold()
    clock.pass_time(LASTS - 0.1)
    assert lease.own
    clock.pass_time(0.1)
    assert not lease.own


def test_another_replica_takes_over_when_the_lease_has_ended(valkey: Valkey) -> None:
    dead, other = Lease(valkey.state(), "work"), Lease(valkey.state(), "work")
    assert dead.hold()
    valkey.pass_time(LASTS - 1)
    assert not other.hold()
    valkey.pass_time(1)
    assert other.hold()
    assert not dead.hold()


def test_nobody_holds_a_lease_while_redis_is_lost(mortal: Valkey) -> None:
    lease, other = Lease(mortal.state(), "work"), Lease(mortal.state(), "work")
    assert lease.hold()
    mortal.kill()
    assert (lease.hold(), other.hold()) == (False, False)
    assert not lease.own
