"""No burst reaches Huawei: requests take their turn in the quota last, after every other wait."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.huawei.pacing.deadline import Errand
from app.huawei.pacing.quota import Quota
from app.state import MemoryState
from tests.huawei.pacing.test_quota import LONG, depth, most_within
from tests.support.fixtures import Build
from tests.support.patience import read, said
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock, together, wait_until

QUOTA = 10  # calls a second


def test_requests_that_waited_for_the_proof_of_the_key_pair_do_not_leave_together(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(quota={"requests_per_second": QUOTA}, timeouts={"read": 10.0})
    sandbox.fault("result", "latency", seconds=1.5, count=1)  # the request that proves the pair
    answers = together(15, lambda place: said(read(app, f"c-{place}"))[1])
    assert set(answers) == {"NOT_SUBMITTED"}
    times = sorted(one["at"] for one in sandbox.requests("result"))
    assert most_within(times, 0.5) <= QUOTA / 2 + 1


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
