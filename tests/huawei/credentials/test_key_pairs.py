"""One key pair: permission to sign, and suspension."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from requests import PreparedRequest

from app.errors import ErrorCode, GatewayError
from app.huawei.codes import Verdict
from app.huawei.credentials.key_pair import SUSPENSION, KeyPair
from app.huawei.credentials.key_pairs import KeyPairs
from app.huawei.credentials.key_slot import load
from app.settings import PairSettings
from app.state import MemoryState
from app.state.lock import LASTS
from tests.support.accounts import SEALING, loaded
from tests.support.timing import Clock, together, wait_until
from tests.support.valkey import Valkey

REFUSALS = [Verdict.REFUSED, Verdict.SKEWED]


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2030, 1, 1, tzinfo=UTC).timestamp())


@pytest.fixture
def pair(files: PairSettings, clock: Clock) -> KeyPair:
    return loaded(files, clock)


def test_a_pair_shows_only_the_ends_of_its_access_key(pair: KeyPair) -> None:
    assert pair.shortened == "THEA…EY"
    for shown in (repr(pair), str(pair), repr(pair.signer)):
        assert not any(word in shown for word in ("THEACCESSKEY", "the-secret", "the-token"))


def test_the_condition_of_a_pair_follows_verdicts_and_time(pair: KeyPair, clock: Clock) -> None:
    assert pair.condition == "UNPROVEN"
    pair.release(bool(pair.acquire()), Verdict.ACCEPTED)
    assert (pair.condition, pair.last_success) == ("PROVEN", clock.utc())
    pair.release(False, Verdict.LOCKED)
    assert pair.condition == "LOCKED"
    clock.pass_time(SUSPENSION)
    assert pair.condition == "UNPROVEN"
    pair.release(False, Verdict.REFUSED)
    pair.release(False, Verdict.REFUSED)
    assert pair.condition == "REFUSED"
    clock.pass_time(86400 * 3)
    assert pair.condition == "EXPIRED"


@pytest.mark.parametrize("verdict", REFUSALS)
def test_a_pair_is_suspended_for_the_window_after_two_refusals(
    pair: KeyPair, clock: Clock, verdict: Verdict
) -> None:
    for _ in range(2):
        assert pair.acquire() is True
        pair.release(True, verdict)
    assert pair.acquire() is None
    clock.pass_time(SUSPENSION - 0.1)
    assert pair.acquire() is None
    clock.pass_time(0.1)
    assert pair.acquire() is True


def test_a_pair_may_be_refused_twice_in_each_window(pair: KeyPair, clock: Clock) -> None:
    refused = 0
    for _ in range(3):
        while pair.acquire():
            refused += 1
            pair.release(True, Verdict.REFUSED)
        clock.pass_time(SUSPENSION)
    assert refused == 6


def test_late_refusals_do_not_prolong_the_suspension_of_a_pair(pair: KeyPair, clock: Clock) -> None:
    """Many requests of a proven pair are in progress at its first refusal."""
    assert pair.acquire() is True
    pair.release(True, Verdict.ACCEPTED)
    for _ in range(10):
        pair.release(False, Verdict.REFUSED)
        clock.pass_time(0.1)
    clock.pass_time(SUSPENSION)
    assert pair.acquire() is True


def test_rereading_the_files_of_a_suspended_pair_keeps_the_suspension(
    pair: KeyPair, files: PairSettings, clock: Clock
) -> None:
    pair.release(bool(pair.acquire()), Verdict.LOCKED)
    again = loaded(files, clock, pair.state)
    assert again.acquire() is None
    assert (again.condition, round(again.suspended_for)) == ("LOCKED", SUSPENSION)
    clock.pass_time(SUSPENSION)
    assert again.acquire() is True


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.UNKNOWN, *REFUSALS, Verdict.LOCKED])
def test_one_of_eight_threads_signs_with_an_unproven_pair_while_the_others_wait(
    pair: KeyPair, verdict: Verdict
) -> None:
    signing, most = 0, 0
    counting = threading.Lock()

    def sign(_: int) -> bool | None:
        nonlocal signing, most
        leave = pair.acquire()
        if leave:
            with counting:
                signing += 1
                most = max(most, signing)
            with counting:
                signing -= 1
            pair.release(True, verdict)
        return leave

    leaves = together(8, sign)
    assert most == 1
    proving = {Verdict.ACCEPTED: 1, Verdict.UNKNOWN: 8, Verdict.LOCKED: 1}.get(verdict, 2)
    assert leaves.count(True) == proving
    others = False if verdict is Verdict.ACCEPTED else None
    assert leaves.count(others) == 8 - proving


def test_a_replica_that_dies_while_proving_a_pair_blocks_the_others_only_briefly(
    files: PairSettings, clock: Clock, valkey: Valkey
) -> None:
    died, alive = valkey.state(), loaded(files, clock, valkey.state())
    assert died.add(f"pair:{alive.fingerprint}:probation", b"its holder", LASTS)
    leave: list[bool | None] = []
    waiting = threading.Thread(target=lambda: leave.append(alive.acquire()))
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    valkey.pass_time(LASTS)
    wait_until(lambda: leave)
    waiting.join()
    assert leave == [True]
    alive.release(True, Verdict.UNKNOWN)


def test_a_probation_request_of_a_process_that_stood_still_is_not_sent(
    pair: KeyPair, clock: Clock
) -> None:
    """Another replica may be proving the pair by now."""
    assert pair.acquire() is True
    clock.pass_time(LASTS - 0.1)
    assert pair.may_send(True)
    clock.pass_time(0.1)
    assert not pair.may_send(True)
    pair.release(True, Verdict.UNKNOWN)
    assert pair.acquire() is True
    assert pair.may_send(True)
    pair.release(True, Verdict.ACCEPTED)
    assert pair.may_send(False)


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_a_clock_that_was_put_right_changes_no_suspension(
    files: PairSettings, valkey: Valkey, seconds: float
) -> None:
    intervals, wall = Clock(), Clock()
    one, other = (
        load(files, valkey.state(), SEALING, monotonic=intervals, now=wall) for _ in range(2)
    )
    one.release(bool(one.acquire()), Verdict.LOCKED)
    wall.pass_time(seconds)
    for pair in (one, other):
        assert pair.acquire() is None
        assert pair.suspended_for == pytest.approx(SUSPENSION, abs=10)
    valkey.pass_time(SUSPENSION)
    intervals.pass_time(SUSPENSION)
    assert other.acquire() is True
    other.release(True, Verdict.ACCEPTED)
    assert one.acquire() is False


def unused(_: object) -> Verdict:
    raise AssertionError("no key file changed")


def test_a_request_that_cannot_be_signed_blocks_no_other(files: PairSettings) -> None:
    pairs = KeyPairs("default", [files], MemoryState(), SEALING)
    request = PreparedRequest()
    request.prepare("POST", "https://partner.example", json={})
    request.body = "text"  # a body is bytes
    with pytest.raises(TypeError):
        pairs.authorize(request, (), unused, 0.1)
    request.body = b"text"
    use = pairs.authorize(request, (), unused, 0.1)
    assert use.probation
    pairs.settle(use, Verdict.ACCEPTED)


def test_the_state_reveals_nothing_of_a_pair(
    files: PairSettings, clock: Clock, valkey: Valkey
) -> None:
    pair = loaded(files, clock, valkey.state())
    assert pair.acquire()
    pair.release(False, Verdict.REFUSED)
    held = valkey.values()
    pair.release(True, Verdict.LOCKED)
    held |= valkey.values()
    assert len(held) == 3
    for word in (b"THEACCESSKEY", b"the-secret-key", b"the-token"):
        assert word not in b"".join([*held, *held.values()])


def test_waiting_for_the_proof_of_a_pair_ends_at_the_deadline(files: PairSettings) -> None:
    pair = load(files, MemoryState(), SEALING)
    assert pair.acquire() is True
    with pytest.raises(GatewayError) as failed:
        pair.acquire(0.05)
    assert failed.value.code is ErrorCode.DEADLINE_EXCEEDED
    pair.release(True, Verdict.ACCEPTED)
    assert pair.acquire(0.05) is False


def test_waiting_for_another_replica_to_prove_a_pair_ends_at_the_deadline(
    files: PairSettings, valkey: Valkey
) -> None:
    proving, other = (load(files, valkey.state(), SEALING) for _ in range(2))
    assert proving.acquire() is True
    with pytest.raises(GatewayError) as failed:
        other.acquire(0.1)
    assert failed.value.code is ErrorCode.DEADLINE_EXCEEDED
    proving.release(True, Verdict.UNKNOWN)


def test_a_pair_that_one_replica_proved_needs_no_proof_in_another(
    files: PairSettings, valkey: Valkey
) -> None:
    proving, fresh, third = (load(files, valkey.state(), SEALING) for _ in range(3))
    proving.release(bool(proving.acquire()), Verdict.ACCEPTED)
    valkey.pass_time(3600)
    assert fresh.acquire() is False
    assert fresh.may_send(probation=False)
    fresh.release(False, Verdict.REFUSED)
    assert third.acquire() is True
    third.release(True, Verdict.UNKNOWN)
