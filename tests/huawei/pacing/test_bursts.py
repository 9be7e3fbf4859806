"""No burst reaches Huawei: requests take their turn in the quota last, after every other wait."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from app.errors import ErrorCode, GatewayError
from app.huawei.pacing.deadline import Errand
from app.huawei.pacing.quota import Quota
from app.state import MemoryState, Slot
from tests.huawei.pacing.test_quota import LONG, depth, most_within
from tests.support.connect_proxy import ConnectProxy
from tests.support.fixtures import Build
from tests.support.patience import read, said
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock, together, wait_until

QUOTA = 10  # calls a second


def test_requests_that_waited_for_the_proof_of_the_key_pair_do_not_leave_together(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(quota={"requests_per_second": QUOTA})
    sandbox.fault("result", "latency", seconds=1.5, count=1)  # the request that proves the pair
    answers = together(15, lambda place: said(read(app, f"c-{place}"))[1])
    assert set(answers) == {"NOT_SUBMITTED"}
    times = sorted(one["at"] for one in sandbox.requests("result"))
    assert most_within(times, 0.5) <= QUOTA / 2 + 1


def test_requests_whose_connections_opened_together_do_not_leave_together(
    build: Build, sandbox: SandboxDriver
) -> None:
    with ConnectProxy() as proxy:
        limits = {"connect": 10.0, "read": 10.0}
        app = build(quota={"requests_per_second": QUOTA}, proxy=proxy.url, timeouts=limits)
        read(app, "first")  # proves the key pair
        sandbox.fault("result", "latency", seconds=1.5)  # so that no connection is idle
        proxy.before = partial(threading.Barrier(5).wait, LONG)
        answers = together(6, lambda place: said(read(app, f"c-{place}"))[1])
    assert set(answers) == {"NOT_SUBMITTED"}
    assert len(proxy.asked) == 6
    times = sorted(one["at"] for one in sandbox.requests("result"))
    assert most_within(times, 0.2) <= 3


def test_a_slot_that_was_missed_is_lost_if_another_replica_has_the_next_one() -> None:
    clock = Clock(0.0)
    state = MemoryState(now=clock)
    first = state.reserve("a", 10, 1)
    state.reserve("a", 10, 1)
    clock.pass_time(0.05)
    assert state.reserve("a", 10, 1, late=first).wait == pytest.approx(0.15)


def test_a_slot_that_was_missed_moves_to_the_present_if_no_replica_has_a_later_one() -> None:
    clock = Clock(0.0)
    state = MemoryState(now=clock)
    first = state.reserve("a", 10, 1)
    clock.pass_time(0.05)
    moved = state.reserve("a", 10, 1, late=first)
    assert (moved.wait, moved.due - first.due) == (0, 50_000)
    assert state.reserve("a", 10, 1).wait == pytest.approx(0.1)


def test_no_burst_leaves_after_a_pause_of_the_process() -> None:
    clock = Clock(0.0)
    quota = Quota("test", "PUT /stall", "stall", 10, MemoryState(now=clock), monotonic=clock)
    sent = []

    def ask() -> None:
        quota.wait(Errand.within(LONG, "caller"), write=False)
        sent.append(clock.seconds)

    with ThreadPoolExecutor(20) as threads:
        for _ in range(20):
            threads.submit(ask)
        wait_until(lambda: depth("stall") + len(sent) == 20)
        while len(sent) < 20:  # the process stands still for seconds, then runs again
            waiting = 20 - len(sent)
            clock.pass_time(3.0)
            wait_until(lambda waiting=waiting: 20 - len(sent) < waiting)  # type: ignore[misc]
            time.sleep(0.05)  # time for a burst to leave
    assert most_within(sorted(sent), 1.0) <= 2


def test_a_call_that_is_late_for_its_slot_is_sent_in_another_one() -> None:
    clock = Clock(0.0)
    quota = Quota("test", "PUT /late", "late", 10, MemoryState(now=clock), monotonic=clock)
    confirm = quota.wait(Errand.within(LONG, "late"), write=False)
    clock.pass_time(0.5)  # its connection took as long to open
    quota.wait(Errand.within(LONG, "other"), write=False)()
    with ThreadPoolExecutor(1) as threads:
        confirmed = threads.submit(confirm)
        wait_until(lambda: depth("late") == 1)
        clock.pass_time(0.08)
        time.sleep(0.05)  # time for it to leave too early
        assert not confirmed.done()
        clock.pass_time(0.02)
        confirmed.result(LONG)


def test_a_call_that_is_late_for_its_slot_goes_before_those_that_wait() -> None:
    clock, order = Clock(0.0), []
    quota = Quota("test", "PUT /again", "again", 10, MemoryState(now=clock), monotonic=clock)
    confirm = quota.wait(Errand.within(LONG, "late"), write=False)
    clock.pass_time(0.05)

    def ask(caller: str) -> None:
        quota.wait(Errand.within(LONG, caller), write=False)
        order.append(caller)

    def repeat() -> None:
        confirm()
        order.append("late")

    with ThreadPoolExecutor(3) as threads:
        for place, caller in enumerate(("first", "second"), 1):
            threads.submit(ask, caller)
            wait_until(lambda place=place: depth("again") == place)  # type: ignore[misc]
        threads.submit(repeat)
        wait_until(lambda: depth("again") == 3)
        for number in (1, 2, 3):
            clock.pass_time(0.1)
            wait_until(lambda number=number: len(order) == number)  # type: ignore[misc]
    assert order == ["late", "first", "second"]


def test_a_late_call_without_others_is_sent_at_once() -> None:
    clock = Clock(0.0)
    quota = Quota("test", "PUT /alone", "alone", 10, MemoryState(now=clock), monotonic=clock)
    confirm = quota.wait(Errand.within(LONG, "caller"), write=False)
    clock.pass_time(0.05)  # the next slot is 0.05 s away
    confirm()
    assert clock.seconds == 0.05


def test_a_call_keeps_its_slot_however_far_the_state_is() -> None:
    clock = Clock(0.0)

    class Far(MemoryState):
        def reserve(self, key: str, calls: float, seconds: float, late: Slot | None = None) -> Slot:
            clock.pass_time(1.0)
            return super().reserve(key, calls, seconds, late)

    quota = Quota("test", "PUT /far", "far", 10, Far(now=clock), monotonic=clock)
    confirm = quota.wait(Errand.within(LONG, "caller"), write=False)
    answered = clock.seconds
    confirm()
    assert clock.seconds == answered


def test_a_call_that_is_always_late_is_sent_in_the_end() -> None:
    clock = Clock(0.0)

    def stalled() -> float:  # the process gets its next CPU time a second later
        clock.pass_time(1.0)
        return clock.seconds

    quota = Quota("test", "PUT /slow", "slow", 10, MemoryState(now=clock), monotonic=stalled)
    quota.wait(Errand.within(LONG, "caller"), write=False)()
    assert clock.seconds < LONG


def test_a_late_call_is_refused_if_no_other_slot_comes_in_time() -> None:
    clock = Clock(0.0)
    quota = Quota("test", "PUT /never", "never", 0.01, MemoryState(now=clock), monotonic=clock)
    confirm = quota.wait(Errand.within(1.0, "late"), write=True)
    clock.pass_time(200.0)
    quota.wait(Errand.within(1.0, "other"), write=True)
    with pytest.raises(GatewayError) as caught:
        confirm()
    assert caught.value.code is ErrorCode.OVERLOADED


def test_a_late_call_is_not_sent_if_it_is_not_valid_after_its_wait() -> None:
    clock = Clock(0.0)
    quota = Quota("test", "PUT /void", "void", 10, MemoryState(now=clock), monotonic=clock)
    confirm = quota.wait(Errand.within(LONG, "caller"), True, lambda: clock.seconds < 1)
    confirm()
    clock.pass_time(1.0)
    with pytest.raises(GatewayError) as caught:
        confirm()
    assert caught.value.code is ErrorCode.OVERLOADED
