"""A lock of one process at a time: renewed while its holder lives, free soon after its death."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from subprocess import DEVNULL, PIPE, Popen

import pytest

from app.state import Lock, MemoryState, State
from app.state.client import RETRY_INTERVAL
from app.state.lock import LASTS, LONGEST, RENEWAL
from demo.processes import end, start
from tests.support.timing import LIMIT, Clock, together, wait_until
from tests.support.valkey import STATE_KEY, Valkey

HOLDER = f"""
import sys, time
from pathlib import Path
from app.settings import StateSettings
from app.state import Client, Lock, Sealing, SharedState
settings = StateSettings(url=sys.argv[1], key_file=Path("/run/secrets/state-key"))
state = SharedState(Client(settings), Sealing(b"{STATE_KEY}"))
print(Lock(state, "work").acquire(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(valkey: Valkey) -> Iterator[Popen[bytes]]:
    """Another process that holds the lock `work`."""
    process = start((sys.executable, "-c", HOLDER, valkey.url), PIPE, errors=DEVNULL)
    assert process.stdout is not None
    with process.stdout as output:
        assert output.readline() == b"True\n"
        yield process
    end(process)


def test_one_of_eight_threads_acquires_a_lock(state: State) -> None:
    locks = [Lock(state, "work") for _ in range(8)]
    assert together(8, lambda place: locks[place].acquire()).count(True) == 1
    assert [lock.own for lock in locks].count(True) == 1
    for lock in locks:
        lock.release()
    assert not any(lock.own for lock in locks)
    assert locks[0].acquire()
    assert not locks[0].acquire()
    locks[0].release()


def test_a_lock_is_released_by_its_holder_only(state: State) -> None:
    one, other = Lock(state, "work"), Lock(state, "work")
    assert one.acquire()
    other.release()
    assert not other.acquire()
    one.release()
    assert other.acquire()
    other.release()


@pytest.mark.usefixtures("holder")
def test_a_lock_is_held_for_as_long_as_its_process_lives(valkey: Valkey) -> None:
    state, lock = valkey.state(), Lock(valkey.state(), "work")
    for _ in range(2):
        valkey.pass_time(LASTS / 2)
        wait_until(lambda: state.left("work") > LASTS - RENEWAL)
        assert not lock.acquire()


def test_a_lock_is_free_soon_after_its_holder_was_killed(
    valkey: Valkey, holder: Popen[bytes]
) -> None:
    lock = Lock(valkey.state(), "work")
    holder.kill()
    holder.wait()
    assert not lock.acquire()
    valkey.pass_time(LASTS)
    assert lock.acquire()
    lock.release()


def test_a_process_ends_though_it_still_holds_a_lock() -> None:
    holds = "from app.state import Lock, MemoryState; assert Lock(MemoryState(), 'work').acquire()"
    subprocess.run([sys.executable, "-c", holds], check=True, timeout=LONGEST / 2)  # noqa: S603 - our own program


def test_a_holder_whose_lock_was_renewed_knows_that_it_has_it(valkey: Valkey) -> None:
    clock, state = Clock(), valkey.state()
    lock = Lock(valkey.state(), "work", clock)
    assert lock.acquire()
    clock.pass_time(LASTS / 2)
    valkey.pass_time(LASTS / 2)
    wait_until(lambda: state.left("work") > LASTS - RENEWAL)
    clock.pass_time(LASTS - 0.1)
    wait_until(lambda: lock.own)  # the renewal is noted after Redis has it
    lock.release()
    assert not lock.own


class Slow(MemoryState):
    """A state in which a renewal lasts until it may go on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(now=clock)
        self.begun, self.goes_on, self.ended = (threading.Event() for _ in range(3))

    def hold(self, key: str, owner: bytes, seconds: float) -> bool:
        self.begun.set()
        assert self.goes_on.wait(LIMIT)
        held = super().hold(key, owner, seconds)
        self.ended.set()
        return held


def test_a_slow_renewal_does_not_outlive_the_release() -> None:
    state = Slow()
    lock = Lock(state, "work")
    assert lock.acquire()
    assert state.begun.wait(LIMIT)
    releasing = threading.Thread(target=lock.release)
    releasing.start()
    releasing.join(0.2)
    state.goes_on.set()
    assert state.ended.wait(LIMIT)
    releasing.join(LIMIT)
    assert (state.get("work"), lock.own) == (None, False)


def test_a_lock_that_its_holder_never_releases_is_renewed_for_a_minute_only() -> None:
    clock = Clock()
    state = Slow(clock)
    lock = Lock(state, "work", clock)
    assert lock.acquire()
    clock.pass_time(LONGEST)
    assert not state.begun.wait(RENEWAL + 1)
    other = Lock(state, "work", clock)
    assert other.acquire()
    other.release()


def test_a_holder_whose_process_stood_still_knows_that_it_may_have_lost_its_lock(
    valkey: Valkey,
) -> None:
    clock = Clock()
    one, other = Lock(valkey.state(), "work", clock), Lock(valkey.state(), "work")
    assert one.acquire()
    clock.pass_time(LASTS - 0.1)
    assert one.own
    clock.pass_time(0.1)
    assert not one.own
    valkey.pass_time(LASTS)
    assert other.acquire()
    one.release()
    assert not one.acquire()
    other.release()


def test_a_lock_of_a_lost_server_is_free_in_each_process_and_held_once_it_is_back(
    mortal: Valkey,
) -> None:
    clock = Clock()
    here, there = mortal.state(monotonic=clock), mortal.state(monotonic=clock)
    mortal.freeze()
    one, other = Lock(here, "work"), Lock(there, "work")
    assert one.acquire()
    assert other.acquire()
    other.release()
    mortal.thaw()
    clock.pass_time(RETRY_INTERVAL)
    wait_until(lambda: there.get("work") is not None)
    assert not other.acquire()
    one.release()
