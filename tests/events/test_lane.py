"""The pace of a watch at one API: never faster than its part, slower after failures."""

from __future__ import annotations

import pytest

from app.errors import ErrorCode, GatewayError, Upstream
from app.events.lane import LONGEST, REFUSED, Lane
from app.huawei.pacing.quota import MARGIN
from app.huawei.review_result import READ_RESULT
from app.state import MemoryState
from tests.support.timing import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


def lane(clock: Clock, state: MemoryState, needed: bool = False) -> Lane:
    return Lane("default", READ_RESULT, 1, state, needed, clock)


def test_a_slot_that_was_used_late_is_not_followed_closely(clock: Clock) -> None:
    one = lane(clock, MemoryState(now=clock))
    assert one.wait() == 0
    one.use()
    clock.pass_time(MARGIN)
    assert one.wait() == 0  # reserves the slot, and the call is late
    clock.pass_time(0.9)
    one.use()
    assert one.wait() == pytest.approx(MARGIN)


def test_two_replicas_share_the_part(clock: Clock) -> None:
    state = MemoryState(now=clock)
    one, other = lane(clock, state), lane(clock, state)
    assert one.wait() == 0
    assert other.wait() == pytest.approx(MARGIN)


def test_failures_slow_the_calls_down_and_a_success_ends_that(clock: Clock) -> None:
    one = lane(clock, MemoryState(now=clock))
    pauses = []
    for _ in range(8):
        one.use()
        one.failed(GatewayError(ErrorCode.UPSTREAM_ERROR))
        pauses.append(one.wait())
        clock.pass_time(pauses[-1] + MARGIN)
    assert pauses == [2, 4, 8, 16, 32, LONGEST, LONGEST, LONGEST]
    one.succeeded()
    one.use()
    one.failed(GatewayError(ErrorCode.UPSTREAM_ERROR))
    assert one.wait() == 2


def test_huaweis_own_pause_is_kept(clock: Clock) -> None:
    one = lane(clock, MemoryState(now=clock))
    one.failed(GatewayError(ErrorCode.UPSTREAM_THROTTLED, retry_after=30))
    assert one.wait() == 30


@pytest.mark.parametrize(
    ("code", "needed", "pause"),
    [
        ("CBC.0151", False, REFUSED),
        ("CBC.0151", True, 2),
        ("APIGW.0302", False, REFUSED),
        ("APIGW.0301", False, 2),
        ("IAM.0062", False, 2),
        (None, False, 2),
    ],
)
def test_only_a_refused_permission_ends_the_calls_that_the_watch_can_do_without(
    clock: Clock, code: str | None, needed: bool, pause: float
) -> None:
    """A credential that is refused or suspended may be replaced soon."""
    one = lane(clock, MemoryState(now=clock), needed)
    upstream = Upstream(code, 403, None) if code else None
    one.failed(GatewayError(ErrorCode.UPSTREAM_ACCESS_DENIED, upstream=upstream))
    assert one.wait() == pause
