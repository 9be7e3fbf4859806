"""The records, the locks and the looks of writes, without a gateway."""

from __future__ import annotations

import time

import pytest

from app.errors import ErrorCode, GatewayError
from app.huawei.pacing.deadline import FLOOR, Errand
from app.state import MemoryState
from app.writes import Attempt, Kept, Write, Writes, look
from app.writes.records import Record, Records, pause
from app.writes.writes import GRACE
from tests.support.timing import Clock
from tests.support.valkey import SEALING


@pytest.mark.parametrize("stored", [b"", b"{", b"[]", b'{"of": "another version"}'])
def test_a_record_of_another_version_counts_as_lost(stored: bytes) -> None:
    state = MemoryState()
    records = Records("default", state, SEALING)
    state.put("a", stored, 60)
    assert records.find("a") == (None, True)


def test_a_record_is_found_as_it_was_kept() -> None:
    records = Records("default", MemoryState(), SEALING)
    record = Record(body="b", begun=1.0, ends=2.0, before="REJECTED", answer={"status": "VERIFIED"})
    records.keep("a", record)
    assert records.find("a") == (record, False)


@pytest.mark.parametrize(
    ("age", "expected"),
    [(0.0, 1.0), (0.4, 1.0), (4.0, 4.0), (10.0, 10.0), (15.0, 5.0), (19.9, 1.0)],
)
def test_a_repeat_makes_sense_after_the_age_of_the_write_and_no_later_than_its_end(
    age: float, expected: float
) -> None:
    assert pause(1000.0, 1020.0, 1000.0 + age) == expected


def test_the_lock_of_a_killed_process_ends_soon_after_its_deadline_and_not_before() -> None:
    clock = Clock()
    state = MemoryState(now=clock)
    killed, other = (Writes("default", state, SEALING, clock) for _ in range(2))
    write = Write(kind="a", subject="c", body={}, errand=Errand.within(20, "caller"), key=None)
    kept: Kept[str] = Kept(lambda _: {}, lambda *_: "")

    def never_ends(_: Attempt) -> str:
        clock.pass_time(20 + GRACE - 1)
        with pytest.raises(GatewayError) as caught:
            other.run(write, lambda _: "sent at once", kept)
        assert caught.value.code is ErrorCode.CUSTOMER_WRITE_IN_PROGRESS
        clock.pass_time(1)
        return other.run(write, lambda _: "sent after it", kept)[0]

    assert killed.run(write, never_ends, kept) == ("sent after it", False)


def test_a_key_belongs_to_its_body_from_the_beginning_of_its_write() -> None:
    state = MemoryState()
    first, other = (Writes("default", state, SEALING) for _ in range(2))
    kept: Kept[None] = Kept(lambda _: {}, lambda *_: None)

    def write(body: dict[str, str]) -> Write:
        errand = Errand.within(20, "caller")
        return Write(kind="a", subject="c", body=body, errand=errand, key="key-1")

    def meanwhile(_: Attempt) -> None:
        for body, code in (({"name": "A"}, "IN_FLIGHT"), ({"name": "B"}, "REUSED")):
            with pytest.raises(GatewayError, match=f"IDEMPOTENCY_KEY_{code}"):
                other.run(write(body), lambda _: None, kept)

    first.run(write({"name": "A"}), meanwhile, kept)


def test_each_look_comes_after_its_pause_and_none_comes_too_late_for_an_answer() -> None:
    begun, looks = time.monotonic(), list[float]()
    errand = Errand.within(FLOOR + 0.7, "caller")
    assert look(errand, lambda: looks.append(time.monotonic() - begun), (0.1, 0.2, 5.0)) is None
    assert len(looks) == 2
    assert looks[0] >= 0.1
    assert looks[1] >= looks[0] + 0.2


def test_a_look_that_fails_finds_nothing_and_the_next_one_may_find() -> None:
    answers = [GatewayError(ErrorCode.UPSTREAM_ERROR), None, "found", "never asked for"]

    def find() -> str | None:
        answer = answers.pop(0)
        if isinstance(answer, GatewayError):
            raise answer
        return answer

    assert look(Errand.within(20, "caller"), find, (0.0,) * 4) == "found"
    assert answers == ["never asked for"]
