"""Locks that Redis loses, or could not be told to delete."""

from __future__ import annotations

import time

import pytest

from app.state.client import RETRY_INTERVAL
from app.state.sentinel import SETTLED
from tests.support.timing import Clock, wait_until
from tests.support.valkey import DAY, Valkey

pytestmark = pytest.mark.long

HEALED = 15.0  # seconds


def test_an_emptied_server_is_told_again_of_a_lock_that_is_held(valkey: Valkey) -> None:
    state, other = valkey.state(), valkey.state()
    assert state.acquire("lock", b"1", 30)
    valkey.clear()
    wait_until(lambda: valkey.value("lock") == b"1")
    assert not other.acquire("lock", b"2", 30)
    assert 0 < other.left("lock") <= 30  # as long as before
    state.remove("lock", b"1")
    assert other.acquire("lock", b"2", 30)


def test_a_lock_that_another_process_has_acquired_meanwhile_stays_its_own(valkey: Valkey) -> None:
    state, other = valkey.state(), valkey.state()
    assert state.acquire("lock", b"1", 30)
    assert state.acquire("told", b"1", 30)
    valkey.clear()
    assert other.add("lock", b"2", 30)
    wait_until(lambda: valkey.value("told") == b"1")
    assert valkey.value("lock") == b"2"
    state.remove("lock", b"1")
    assert valkey.value("lock") == b"2"


def test_a_server_is_not_told_of_a_lock_that_was_released_or_has_expired(valkey: Valkey) -> None:
    state = valkey.state()
    assert state.acquire("released", b"1", 30)
    assert state.acquire("expired", b"1", 0.1)
    assert state.acquire("held", b"1", 30)
    state.remove("released", b"1")
    valkey.clear()
    wait_until(lambda: valkey.value("held") == b"1")
    assert (valkey.value("released"), valkey.value("expired")) == (None, None)


def test_a_lock_that_was_released_while_the_server_hung_is_free_soon_after(mortal: Valkey) -> None:
    mortal.mature()
    state, other = mortal.state(), mortal.state()
    assert state.acquire("lock", b"1", 60)
    with mortal.hanging():
        state.remove("lock", b"1")
        assert not state.shared
    begun = time.monotonic()
    wait_until(lambda: other.acquire("lock", b"2", 60))  # nobody asks for anything here
    assert time.monotonic() - begun < HEALED
    assert RETRY_INTERVAL < HEALED


def test_a_lock_that_was_acquired_while_the_server_was_lost_reaches_it_when_it_is_back(
    mortal: Valkey,
) -> None:
    state = mortal.state()
    mortal.kill()
    assert state.acquire("lock", b"1", 60)
    mortal.start()
    wait_until(lambda: mortal.value("lock") == b"1")
    assert state.shared


def test_a_state_is_not_settled_before_each_process_could_tell_of_its_locks(mortal: Valkey) -> None:
    mortal.mature()
    state = mortal.state()
    assert (state.recall("a", DAY).certain, state.settles_in) == (True, 0.0)
    mortal.clear()
    other = mortal.state()
    for one in (state, other):
        assert not one.recall("a", DAY).certain
        assert SETTLED - 2 < one.settles_in <= SETTLED
    mortal.mature(SETTLED + 1)
    third = mortal.state()
    assert (third.recall("a", DAY).certain, third.settles_in) == (False, 0.0)


def test_every_lock_that_was_released_while_the_server_hung_is_free_soon_after(
    mortal: Valkey,
) -> None:
    mortal.mature()
    state, other = mortal.state(), mortal.state()
    assert state.acquire("lock", b"1", 60)
    with mortal.hanging():
        state.remove("lock", b"1")
        assert state.acquire("lock", b"2", 60)  # this process's own: the server cannot tell
        state.remove("lock", b"2")
    begun = time.monotonic()
    wait_until(lambda: other.acquire("lock", b"3", 60))
    assert time.monotonic() - begun < HEALED


def test_a_process_that_waits_until_the_state_is_settled_finds_the_locks_of_one_that_met_the_loss(
    mortal: Valkey,
) -> None:
    mortal.mature()
    state, other = mortal.state(), mortal.state()
    assert state.acquire("lock", b"1", 60)
    mortal.kill()
    state.get("a")
    assert not state.shared  # a request would try again after seconds only
    mortal.start()
    assert not other.recall("a", DAY).certain
    time.sleep(other.settles_in)  # as a write does
    assert not other.acquire("lock", b"2", 60)


def test_a_process_that_starts_without_the_server_does_not_make_it_uncertain(
    mortal: Valkey,
) -> None:
    mortal.mature()
    clock = Clock()
    late = mortal.state(monotonic=clock)
    with mortal.hanging():
        late.inspect()
        assert not late.shared
    clock.pass_time(RETRY_INTERVAL)
    assert late.recall("a", DAY).certain
    assert mortal.state().recall("a", DAY).certain
