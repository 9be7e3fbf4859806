"""How a belief in the switch-off is probed, confirmed, dropped and lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient

from app.state import MemoryState
from app.verification.switch_off import CUSTOMERS, KEPT, PROBE_INTERVAL, SwitchOff
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock
from tests.support.verifications import (
    submit,
)
from tests.verification.conftest import Build
from tests.verification.switched_off import (
    NO_PICTURES,
    ONLY_REVIEW,
    RETIRED,
    SEALING,
    UNAVAILABLE,
    believe,
    on_clock,
    problem,
    prove,
    retired,
    sent,
)


@pytest.fixture
def client(gateway: Build, clock: Clock) -> FlaskClient:
    """A gateway that prefers legacy, on the test's clock."""
    return on_clock(gateway(backend="auto", review_share=0), clock)


def test_one_submission_an_interval_is_the_probe_and_goes_on_to_review(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    believe(client, sandbox)
    for round_ in range(3):
        for number in range(4):
            assert submit(client, customer=f"cust-{round_}-{number}").status_code == 202
        probed = ["verified-info"] if round_ else []
        assert sent(sandbox) == probed + ["individual"] * 4
        clock.pass_time(PROBE_INTERVAL)


def test_a_probe_that_succeeds_forgets_everything(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    prove(client, sandbox, clock)
    sandbox.settings(legacy="served")
    assert problem(submit(client, body=NO_PICTURES)) == RETIRED
    clock.pass_time(PROBE_INTERVAL)
    assert submit(client, body=NO_PICTURES).status_code == 201
    assert retired(client) is None
    assert submit(client, customer="cust-2").get_json()["backend"] == "legacy"
    # What was heard before does not count any more.
    sandbox.settings(legacy="retired")
    for number in range(CUSTOMERS - 1):
        submit(client, customer=f"told-{number}")
        assert retired(client) is None
    submit(client, customer="cust-3")
    assert retired(client) is not None


def test_a_success_between_the_answers_starts_the_count_anew(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    for number in range(3 * CUSTOMERS):
        sandbox.settings(legacy="served" if number % CUSTOMERS == 0 else "retired")
        submit(client, customer=f"cust-{number}")
    assert retired(client) is None


def test_submissions_that_prefer_review_or_that_only_review_takes_are_no_probes(
    gateway: Build, sandbox: SandboxDriver, clock: Clock
) -> None:
    client = on_clock(gateway(backend="auto", review_share=100), clock)
    sandbox.settings(legacy="retired")
    for number in range(CUSTOMERS):
        assert problem(submit(client, body=NO_PICTURES, customer=f"c-{number}")) == UNAVAILABLE
    sent(sandbox)
    clock.pass_time(PROBE_INTERVAL)
    assert submit(client, customer="cust-both").status_code == 202
    assert submit(client, body=ONLY_REVIEW, customer="cust-review").status_code == 202
    assert sent(sandbox) == ["individual"] * 2
    assert problem(submit(client, body=NO_PICTURES)) == RETIRED  # the probe
    assert sent(sandbox) == ["verified-info"]


def test_a_belief_that_nobody_could_probe_lapses_to_not_known(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    prove(client, sandbox, clock)
    clock.pass_time(KEPT - 1)
    assert retired(client) is not None
    clock.pass_time(1)
    assert retired(client) is None
    assert problem(submit(client, body=NO_PICTURES)) == UNAVAILABLE
    assert sent(sandbox) == ["verified-info"]


def test_a_suspicion_lapses_a_day_after_the_first_answer(clock: Clock) -> None:
    state = MemoryState(now=clock)
    switch_off = SwitchOff("default", state, SEALING, now=clock)
    switch_off.refused("cust-0")
    clock.pass_time(KEPT - 1)
    assert switch_off.refused("cust-1").name == "SUSPECTED"
    clock.pass_time(1)
    assert switch_off.stage.name == "SERVED"
    stages = [switch_off.refused(f"cust-{number}").name for number in range(2, 5)]
    assert stages == ["SUSPECTED", "SUSPECTED", "BELIEVED"]


def test_an_answer_that_was_on_its_way_when_the_belief_was_formed_proves_nothing(
    clock: Clock,
) -> None:
    switch_off = SwitchOff("default", MemoryState(now=clock), SEALING, now=clock)
    stages = [switch_off.refused(f"cust-{number}").name for number in range(5)]
    assert stages == ["SUSPECTED", "SUSPECTED", "BELIEVED", "BELIEVED", "BELIEVED"]
    clock.pass_time(PROBE_INTERVAL)
    assert switch_off.refused("cust-5").name == "PROVEN"


@pytest.mark.parametrize(
    "record", [b"", b"\xff", b"[]", b"{}", b"null", b'{"stage": 9}', b"[" * 100_000]
)
def test_a_record_that_cannot_be_read_is_dropped(clock: Clock, record: bytes) -> None:
    state = MemoryState(now=clock)
    switch_off = SwitchOff("default", state, SEALING, now=clock)
    switch_off.refused("cust-0")
    state.put("switch-off:default", record, KEPT)
    assert (switch_off.stage.name, switch_off.believed_since) == ("SERVED", None)
    stages = [switch_off.refused(f"cust-{number}").name for number in range(3)]
    assert stages == ["SUSPECTED", "SUSPECTED", "BELIEVED"]


def test_replicas_that_hear_it_at_the_same_moment_do_not_take_the_belief_back() -> None:
    for _ in range(50):
        switch_off = SwitchOff("default", MemoryState(), SEALING)
        customers = [f"cust-{number}" for number in range(6)]
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(switch_off.refused, customers))
        assert switch_off.stage.name == "BELIEVED"
