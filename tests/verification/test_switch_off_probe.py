"""How the belief in the switch-off is probed, confirmed, dropped and lost."""

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


def test_one_submission_per_interval_probes_legacy_and_then_goes_to_review(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    believe(client, sandbox)
    for round_ in range(3):
        for number in range(4):
            assert submit(client, customer=f"cust-{round_}-{number}").status_code == 202
        probed = ["verified-info"] if round_ else []
        assert sent(sandbox) == probed + ["individual"] * 4
        clock.pass_time(PROBE_INTERVAL)


def test_a_successful_probe_clears_the_belief_and_its_evidence(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    prove(client, sandbox, clock)
    sandbox.settings(legacy="served")
    assert problem(submit(client, body=NO_PICTURES)) == RETIRED
    clock.pass_time(PROBE_INTERVAL)
    assert submit(client, body=NO_PICTURES).status_code == 201
    assert retired(client) is None
    assert submit(client, customer="cust-2").get_json()["backend"] == "legacy"
    # Earlier evidence no longer counts.
    sandbox.settings(legacy="retired")
    for number in range(CUSTOMERS - 1):
        submit(client, customer=f"told-{number}")
        assert retired(client) is None
    submit(client, customer="cust-3")
    assert retired(client) is not None


def test_a_legacy_success_between_refusals_resets_their_count(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    for number in range(3 * CUSTOMERS):
        sandbox.settings(legacy="served" if number % CUSTOMERS == 0 else "retired")
        submit(client, customer=f"cust-{number}")
    assert retired(client) is None


def test_submissions_that_go_to_review_anyway_are_not_probes(
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


def test_a_belief_without_a_probe_expires_to_unknown(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    prove(client, sandbox, clock)
    clock.pass_time(KEPT - 1)
    assert retired(client) is not None
    clock.pass_time(1)
    assert retired(client) is None
    assert problem(submit(client, body=NO_PICTURES)) == UNAVAILABLE
    assert sent(sandbox) == ["verified-info"]


def test_a_suspicion_expires_a_day_after_the_first_refusal(clock: Clock) -> None:
    state = MemoryState(now=clock)
    switch_off = SwitchOff("default", state, SEALING, now=clock)
    switch_off.refused("cust-0")
    clock.pass_time(KEPT - 1)
    assert switch_off.refused("cust-1").name == "SUSPECTED"
    clock.pass_time(1)
    assert switch_off.stage.name == "SERVED"
    stages = [switch_off.refused(f"cust-{number}").name for number in range(2, 5)]
    assert stages == ["SUSPECTED", "SUSPECTED", "BELIEVED"]


def test_an_answer_to_a_call_sent_before_the_belief_proves_nothing(
    clock: Clock,
) -> None:
    switch_off = SwitchOff("default", MemoryState(now=clock), SEALING, now=clock)
    stages = [switch_off.refused(f"cust-{number}").name for number in range(5)]
    assert stages == ["SUSPECTED", "SUSPECTED", "BELIEVED", "BELIEVED", "BELIEVED"]
    clock.pass_time(PROBE_INTERVAL)
    assert switch_off.refused("cust-5").name == "PROVEN"


@pytest.mark.parametrize(
    "record",
    [
        *(b"", b"\xff", b"[]", b"{}", b"null", b'{"stage": 9}', b"[" * 100_000),
        b'{"episode": "", "stage": 2, "since": 1e300, "believed": 0, "first": ""}',
    ],
)
def test_an_unreadable_record_of_the_switch_off_is_dropped(clock: Clock, record: bytes) -> None:
    state = MemoryState(now=clock)
    switch_off = SwitchOff("default", state, SEALING, now=clock)
    switch_off.refused("cust-0")
    state.put("switch-off:default", record, KEPT)
    assert (switch_off.stage.name, switch_off.believed_since) == ("SERVED", None)
    stages = [switch_off.refused(f"cust-{number}").name for number in range(3)]
    assert stages == ["SUSPECTED", "SUSPECTED", "BELIEVED"]


class Overtaken(MemoryState):
    """A state to which another replica adds a sighting just before the first one arrives."""

    overtaken = False

    def add(self, key: str, value: bytes, seconds: float) -> bool:
        if not self.overtaken:
            self.overtaken = True
            SwitchOff("default", self, SEALING).refused("cust-0")
        return super().add(key, value, seconds)


def test_a_replica_that_another_one_overtakes_adds_to_the_sightings_of_the_other() -> None:
    switch_off = SwitchOff("default", Overtaken(), SEALING)
    stages = [switch_off.refused(f"cust-{number}").name for number in (1, 2)]
    assert stages == ["SUSPECTED", "BELIEVED"]


def test_replicas_that_learn_of_the_switch_off_at_once_do_not_revoke_the_belief() -> None:
    for _ in range(50):
        switch_off = SwitchOff("default", MemoryState(), SEALING)
        customers = [f"cust-{number}" for number in range(6)]
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(switch_off.refused, customers))
        assert switch_off.stage.name == "BELIEVED"
