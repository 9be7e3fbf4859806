"""Leases: one owner at a time, until the lease ends; nobody has one while Redis is lost."""

from __future__ import annotations

from app.state import MemoryState, State
from tests.support.timing import Clock, together
from tests.support.valkey import Valkey


def test_a_lease_has_one_owner_until_it_ends(state: State) -> None:
    assert state.hold("lease", b"one", 60)
    assert not state.hold("lease", b"two", 60)
    assert state.hold("lease", b"one", 60)
    assert state.get("lease") == b"one"
    state.remove("lease", b"one")
    assert state.hold("lease", b"two", 60)


def test_of_many_threads_one_holds_a_lease(state: State) -> None:
    for lease in "abcde":
        held = together(20, lambda place, lease=lease: state.hold(lease, b"%d" % place, 60))  # type: ignore[misc]
        assert held.count(True) == 1
        assert state.get(lease) == b"%d" % held.index(True)


def test_a_lease_in_memory_ends_after_its_time() -> None:
    clock = Clock()
    state = MemoryState(now=clock)
    assert state.hold("lease", b"one", 10)
    clock.pass_time(9)
    assert state.hold("lease", b"one", 10)
    clock.pass_time(9)
    assert not state.hold("lease", b"two", 10)
    clock.pass_time(1)
    assert state.hold("lease", b"two", 10)


def test_a_shared_lease_ends_after_its_time(valkey: Valkey) -> None:
    one, two = valkey.state(), valkey.state()
    assert one.hold("lease", b"one", 10)
    valkey.pass_time(9)
    assert one.hold("lease", b"one", 10)
    valkey.pass_time(9)
    assert not two.hold("lease", b"two", 10)
    valkey.pass_time(1)
    assert two.hold("lease", b"two", 10)
    assert not one.hold("lease", b"one", 10)


def test_while_redis_is_lost_nobody_holds_a_lease(mortal: Valkey) -> None:
    state = mortal.state()
    assert state.hold("lease", b"one", 10)
    mortal.kill()
    assert not state.hold("lease", b"one", 10)
    assert state.get("lease") is None
