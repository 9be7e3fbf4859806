"""The circuit on a clock that the test advances."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pybreaker
import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.errors import ErrorCode, GatewayError
from app.huawei.pacing.breaker import (
    CUSTOMERS,
    LONGEST_TRIAL,
    TRIAL_PAUSE,
    WINDOW,
    Breaker,
    Evidence,
    Permit,
)
from app.observability.logs import JsonFormatter
from tests.support.timing import Clock

FAILURES, PAUSE = 3, 12.0  # another pause than that after a trial
ANSWERED, FAILED, DOUBTFUL = Evidence


class Circuit:
    """A circuit with single exchanges that the test reports."""

    def __init__(self) -> None:
        self.clock = Clock(0.0)
        self.breaker = Breaker("circuit", FAILURES, PAUSE, self.clock)

    def exchange(self, evidence: Evidence | None, customer: str = "one") -> bool:
        """Report this evidence of a read. Returns False if the circuit refused the read."""

        def work(permit: Permit) -> None:
            now = self.breaker.confirm(permit, write=False)
            self.breaker.record(now, evidence, customer)

        try:
            self.breaker.call(write=False, probe=lambda _: None, work=work)
        except GatewayError:
            return False
        return True

    def open(self) -> None:
        """Report enough failures to open the circuit."""
        assert all(self.exchange(FAILED) for _ in range(FAILURES))
        assert not self.breaker.closed

    def refused_for(self) -> float | None:
        """The seconds until a retry; None if a read passes."""
        try:
            self.breaker.call(write=False, probe=lambda _: None, work=lambda _: None)
        except GatewayError as error:
            return error.retry_after
        return None


@pytest.fixture
def circuit() -> Circuit:
    return Circuit()


def permit_of(circuit: Circuit) -> Permit:
    """A permit that is still held after its call."""
    return circuit.breaker.call(False, lambda _: None, lambda permit: permit)


@pytest.mark.parametrize("late", [FAILED, ANSWERED])
def test_calls_sent_before_the_circuit_opened_do_not_change_the_pause(
    circuit: Circuit, late: Evidence
) -> None:
    before = permit_of(circuit)
    circuit.open()
    circuit.clock.pass_time(PAUSE - 1)
    for _ in range(2 * FAILURES):
        circuit.breaker.record(before, late, "one")
    assert circuit.refused_for() == 1
    circuit.clock.pass_time(1)
    assert circuit.refused_for() is None


def test_calls_sent_before_the_circuit_opened_do_not_open_it_again(circuit: Circuit) -> None:
    before = permit_of(circuit)
    circuit.open()
    circuit.clock.pass_time(PAUSE)
    assert circuit.exchange(ANSWERED)
    for _ in range(2 * FAILURES):
        circuit.breaker.record(before, FAILED, "one")
    assert circuit.breaker.closed


def test_each_change_of_the_circuit_is_logged_and_a_closed_one_is_no_warning(
    circuit: Circuit, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gateway.breaker")
    circuit.open()
    circuit.clock.pass_time(PAUSE)
    circuit.exchange(ANSWERED)
    lines = [(one.levelno, JsonFormatter().format(one)) for one in caplog.records]
    levels = [logging.WARNING, logging.WARNING, logging.INFO]
    assert [level for level, _ in lines] == levels
    for state, (_, line) in zip(("open", "half-open", "closed"), lines, strict=True):
        assert f'"state":"{state}"' in line


def test_a_refusal_tells_how_much_of_the_pause_is_left(circuit: Circuit) -> None:
    held = permit_of(circuit)
    circuit.open()
    circuit.clock.pass_time(PAUSE - 0.5)
    assert circuit.refused_for() == 0.5
    circuit.clock.pass_time(5)
    with pytest.raises(GatewayError) as caught:
        circuit.breaker.confirm(held, write=False)
    assert caught.value.retry_after == TRIAL_PAUSE  # a trial is due


def test_a_failed_probe_starts_another_pause(circuit: Circuit) -> None:
    circuit.open()
    circuit.clock.pass_time(PAUSE)
    assert circuit.exchange(FAILED)
    assert circuit.refused_for() == PAUSE
    circuit.clock.pass_time(PAUSE)
    assert circuit.exchange(ANSWERED)
    assert circuit.breaker.closed


def test_a_probe_without_evidence_leaves_the_circuit_half_open_for_the_next(
    circuit: Circuit,
) -> None:
    circuit.open()
    circuit.clock.pass_time(PAUSE)
    assert circuit.exchange(None)
    assert not circuit.breaker.closed
    assert circuit.exchange(ANSWERED)
    assert circuit.breaker.closed


def test_a_probe_that_never_ends_blocks_the_others_only_for_a_while(circuit: Circuit) -> None:
    circuit.open()
    circuit.clock.pass_time(PAUSE)

    def stuck(permit: Permit) -> None:
        assert circuit.refused_for() == TRIAL_PAUSE
        circuit.clock.pass_time(LONGEST_TRIAL)
        assert circuit.exchange(FAILED)
        circuit.breaker.record(permit, ANSWERED, "one")

    circuit.breaker.call(False, lambda _: None, stuck)
    assert circuit.refused_for() == PAUSE


@pytest.mark.parametrize("evidence", [None, FAILED])
def test_a_write_is_never_the_probe(circuit: Circuit, evidence: Evidence | None) -> None:
    circuit.open()
    circuit.clock.pass_time(PAUSE)

    def probe(permit: Permit) -> None:
        circuit.breaker.record(circuit.breaker.confirm(permit, write=False), evidence, "one")

    def work(_: Permit) -> None:
        pytest.fail("a write was the trial")

    with pytest.raises(GatewayError) as refused:
        circuit.breaker.call(True, probe, work)
    assert refused.value.code is ErrorCode.CIRCUIT_OPEN


def test_a_permit_from_before_the_opening_is_renewed_only_by_a_closed_circuit(
    circuit: Circuit,
) -> None:
    before = permit_of(circuit)
    circuit.open()
    circuit.clock.pass_time(PAUSE)
    with pytest.raises(GatewayError):
        circuit.breaker.confirm(before, write=True)
    assert circuit.exchange(ANSWERED)
    now = circuit.breaker.confirm(before, write=True)
    for _ in range(FAILURES):
        circuit.breaker.record(now, FAILED, "one")
    assert not circuit.breaker.closed


def test_doubtful_answers_outside_the_window_do_not_open_the_circuit(circuit: Circuit) -> None:
    for customer in "abcdefghiabacaaa":  # also if one of them comes back
        assert circuit.exchange(DOUBTFUL, customer)
        circuit.clock.pass_time((WINDOW + PAUSE) / (CUSTOMERS - 1) + 1)
    assert circuit.breaker.closed


def test_three_customers_within_the_window_open_the_circuit_whatever_was_before(
    circuit: Circuit,
) -> None:
    circuit.exchange(DOUBTFUL, "long before")
    for customer, seconds in (("one", WINDOW + PAUSE + 1), ("two", WINDOW), ("three", PAUSE)):
        circuit.clock.pass_time(seconds)
        assert circuit.exchange(DOUBTFUL, customer)
    assert all(circuit.exchange(DOUBTFUL, "three") for _ in range(FAILURES - 1))
    assert not circuit.breaker.closed


def test_a_circuit_opened_by_several_customers_stays_open_while_others_fail_alike(
    circuit: Circuit,
) -> None:
    number = 0
    while circuit.breaker.closed:
        number += 1
        assert circuit.exchange(DOUBTFUL, f"customer-{number}")
    circuit.clock.pass_time(PAUSE)
    assert circuit.exchange(DOUBTFUL, "another")
    assert circuit.refused_for() == PAUSE


EXCHANGES = some.lists(
    some.tuples(some.sampled_from([*Evidence, None]), some.sampled_from("abcd")), max_size=40
)


def state_after(exchanges: Sequence[tuple[Evidence | None, str]]) -> tuple[str, int]:
    circuit = Circuit()
    for evidence, customer in exchanges:
        if not circuit.exchange(evidence, customer):
            circuit.clock.pass_time(PAUSE)
            circuit.exchange(evidence, customer)
    if circuit.breaker.closed:
        return pybreaker.STATE_CLOSED, circuit.breaker._circuit.fail_counter
    return pybreaker.STATE_OPEN, 0


@given(EXCHANGES)
def test_exchanges_without_evidence_leave_the_circuit_unchanged(
    exchanges: list[tuple[Evidence | None, str]],
) -> None:
    told = [one for one in exchanges if one[0] is not None]
    assert state_after(exchanges) == state_after(told)


@given(some.lists(some.sampled_from(["answered", "doubtful", None]), max_size=60))
def test_unanswered_calls_for_one_customer_open_the_circuit(words: list[str | None]) -> None:
    circuit = Circuit()
    for word in words:
        assert circuit.exchange(Evidence(word) if word else None, "one")
    assert circuit.breaker.closed
