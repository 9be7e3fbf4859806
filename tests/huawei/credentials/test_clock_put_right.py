"""A clock that was put right: key pairs that were refused for their time sign again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import ErrorCode
from app.huawei.credentials.key_pair import SUSPENSION
from app.huawei.pacing.pause import CLOCK_INTERVAL
from app.settings import Settings
from app.state import MemoryState
from tests.support.accounts import (
    Mounted,
    events,
    gateway,
    key_pairs,
    partner_center,
    read,
    signers,
    with_pairs,
)
from tests.support.gateway import ACCESS_KEY, code, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock

HOUR = 3600


@pytest.fixture
def ask(settings: Settings, clock: Clock) -> Callable[[], ErrorCode | None]:
    """Reads a result. Returns the error code; None for success."""
    center = partner_center(settings, key_pairs(settings, clock))
    return lambda: read(center)


def test_requests_succeed_within_seconds_after_the_clock_was_put_right(
    ask: Callable[[], ErrorCode | None], sandbox: SandboxDriver, clock: Clock
) -> None:
    lifted = events("lifted")
    sandbox.clock(1000)
    assert [ask() for _ in range(5)] == [ErrorCode.CLOCK_SKEWED] * 5
    sandbox.clock(0)
    clock.pass_time(CLOCK_INTERVAL)
    assert [ask() for _ in range(3)] == [None] * 3
    assert events("lifted") == lifted + 1
    assert len(signers(sandbox)) == 2 + 3

    sandbox.forget_requests()
    for _ in range(3):
        clock.pass_time(CLOCK_INTERVAL)
        assert ask() is None
    assert len(sandbox.requests()) == 3  # no more looks at the clock


def test_a_second_skew_ends_like_the_first(
    ask: Callable[[], ErrorCode | None], sandbox: SandboxDriver, clock: Clock
) -> None:
    for _ in range(2):
        sandbox.clock(1000)
        assert [ask() for _ in range(3)] == [ErrorCode.CLOCK_SKEWED] * 3
        sandbox.clock(0)
        clock.pass_time(CLOCK_INTERVAL)
        assert ask() is None


def test_a_lasting_skew_costs_no_refused_signature_and_ends_at_once(
    ask: Callable[[], ErrorCode | None], sandbox: SandboxDriver, clock: Clock
) -> None:
    sandbox.clock(1000)
    assert [ask() for _ in range(2)] == [ErrorCode.CLOCK_SKEWED] * 2
    for _ in range(int(SUSPENSION / CLOCK_INTERVAL) - 1):
        clock.pass_time(CLOCK_INTERVAL)
        assert ask() is ErrorCode.CLOCK_SKEWED
    assert len(signers(sandbox)) == 2
    assert sandbox.state()["access_keys"][ACCESS_KEY]["failures"] == 2
    sandbox.clock(0)
    clock.pass_time(CLOCK_INTERVAL - 1)
    assert ask() is ErrorCode.CLOCK_SKEWED  # no look yet
    clock.pass_time(1)
    assert ask() is None


def test_a_replica_whose_clock_is_right_lifts_the_suspension_of_another_replica(
    settings: Settings, sandbox: SandboxDriver, clock: Clock
) -> None:
    state = MemoryState(now=clock)
    sandbox.clock(1000)
    skewed = partner_center(settings, key_pairs(settings, clock, state))
    assert [read(skewed) for _ in range(3)] == [ErrorCode.CLOCK_SKEWED] * 3
    sandbox.clock(0)
    other = partner_center(settings, key_pairs(settings, clock, state))
    assert read(other) is None
    assert len(signers(sandbox)) == 2 + 1


def test_a_pair_that_is_refused_for_its_time_though_the_clock_is_right_is_suspended_again(
    settings: Settings, sandbox: SandboxDriver, clock: Clock, tmp_path: Path
) -> None:
    """Huawei refuses an expired temporary pair with the text of a skewed clock."""
    expired = Mounted(tmp_path / "expired", temporary=True)
    expired.write("TEMPORARYKEY00000001", "temporary-secret", "the-token", "2099-01-01T00:00:00Z")
    found = with_pairs(settings, expired)
    sandbox.fault(
        "result",
        "code",
        code="APIGW.0301",
        status=401,
        message="Incorrect IAM authentication information: calc ak sk signature fail:"
        "signature expired",
    )
    center = partner_center(found, key_pairs(found, clock))
    for _ in range(int(SUSPENSION / CLOCK_INTERVAL) - 1):
        assert read(center) is ErrorCode.CLOCK_SKEWED
        assert read(center) is ErrorCode.CLOCK_SKEWED
        clock.pass_time(CLOCK_INTERVAL)
    assert len(signers(sandbox)) == 3


def test_clock_skew_has_retry_after_while_the_pair_is_suspended(
    settings: Settings, sandbox: SandboxDriver
) -> None:
    client = gateway(settings)
    sandbox.clock(HOUR)
    for _ in range(4):
        response = submit(client)
        assert (code(response), response.headers["Retry-After"]) == ("CLOCK_SKEWED", "5")
        assert response.get_json()["retry_after_s"] == 5
