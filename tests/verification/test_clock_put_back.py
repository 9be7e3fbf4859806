"""A clock that is put back by an hour keeps nothing waiting for an hour."""

from __future__ import annotations

import pytest

from app.errors import ErrorCode, GatewayError
from app.huawei.pacing.deadline import WRITE, Errand
from app.state import MemoryState
from app.verification.switch_off import CUSTOMERS, PROBE_INTERVAL, Stage, SwitchOff
from app.writes import Attempt, Kept, Write, Writes
from tests.support.timing import Clock
from tests.support.valkey import SEALING

HOUR = 3600.0
KEPT: Kept[str] = Kept(lambda answer: {"is": answer}, lambda _, known: str(known["is"]))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_submission_whose_process_was_killed_before_can_be_repeated(clock: Clock) -> None:
    writes = Writes("default", MemoryState(), SEALING, now=clock)
    errand = Errand.within(WRITE, "writer")
    write = Write(kind="individual", subject="c-1", body={}, errand=errand, key="k")

    def die(attempt: Attempt) -> str:
        attempt.sending("legacy")
        raise KeyboardInterrupt

    def look_first(attempt: Attempt) -> str:
        assert attempt.earlier is not None
        return attempt.earlier.sent_to

    with pytest.raises(KeyboardInterrupt):
        writes.run(write, die, KEPT)
    with pytest.raises(GatewayError) as refused:
        writes.run(write, look_first, KEPT)
    assert refused.value.code is ErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT
    clock.pass_time(-HOUR)
    assert writes.run(write, look_first, KEPT) == ("legacy", False)


def test_the_switch_off_is_proven_after_an_interval(clock: Clock) -> None:
    switch_off = SwitchOff("default", MemoryState(), SEALING, now=clock)
    for number in range(CUSTOMERS):
        switch_off.refused(f"c-{number}")
    assert switch_off.stage is Stage.BELIEVED
    clock.pass_time(-HOUR)
    assert switch_off.refused("c-1") is Stage.BELIEVED
    clock.pass_time(PROBE_INTERVAL - 1)
    assert switch_off.refused("c-1") is Stage.BELIEVED
    clock.pass_time(1)
    assert switch_off.refused("c-1") is Stage.PROVEN
