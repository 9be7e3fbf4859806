"""The switch-off of Huawei's legacy call: the gateway's belief, and its answers."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.state import MemoryState
from app.verification.switch_off import CUSTOMERS, PROBE_INTERVAL
from tests.support.gateway import bearer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock
from tests.support.verifications import (
    INDIVIDUAL,
    PERSON_FORM,
    fields_at_fault,
    submit,
    without,
)
from tests.verification.conftest import Build
from tests.verification.switched_off import (
    CHECK,
    ID_CARD,
    LEGACY_ONLY,
    NO_PICTURES,
    RETIRED,
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


@pytest.mark.parametrize("off", ["retired", "gone"])
def test_submissions_move_to_review_and_legacy_is_tried_until_the_switch_off_is_believed(
    client: FlaskClient, sandbox: SandboxDriver, off: str
) -> None:
    sandbox.settings(legacy=off)
    for number in range(CUSTOMERS):
        assert retired(client) is None
        response = submit(client, customer=f"cust-{number}")
        assert (response.status_code, response.get_json()["backend"]) == (202, "review")
        assert sent(sandbox) == ["verified-info", "individual"]
    assert retired(client) is not None
    assert submit(client, customer="cust-after").status_code == 202
    assert sent(sandbox) == ["individual"]


def test_refusals_for_one_customer_are_not_believed_as_the_switch_off(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.settings(legacy="retired")
    for _ in range(CUSTOMERS + 2):
        assert problem(submit(client, body=NO_PICTURES)) == UNAVAILABLE
    assert sent(sandbox) == ["verified-info"] * (CUSTOMERS + 2)
    assert retired(client) is None


@pytest.mark.parametrize("body", LEGACY_ONLY)
def test_a_legacy_only_submission_may_be_repeated_while_the_switch_off_is_unconfirmed(
    client: FlaskClient, sandbox: SandboxDriver, body: dict[str, Any]
) -> None:
    sandbox.settings(legacy="retired")
    first = submit(client, body=body)
    assert problem(first) == UNAVAILABLE
    assert first.get_json()["upstream"]["code"] == "APIGW.0101"
    assert first.headers["Retry-After"] == "60"
    assert fields_at_fault(first) == []
    believe(client, sandbox)
    young = submit(client, body=body, customer="cust-young")
    assert problem(young) == UNAVAILABLE
    assert young.headers["Retry-After"] == "60"
    assert sent(sandbox) == []


@pytest.mark.parametrize("body", LEGACY_ONLY)
def test_a_legacy_only_submission_is_for_the_operator_once_the_switch_off_is_confirmed(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock, body: dict[str, Any]
) -> None:
    prove(client, sandbox, clock)
    response = submit(client, body=body)
    assert problem(response) == RETIRED
    assert fields_at_fault(response) == []
    assert sent(sandbox) == []
    clock.pass_time(PROBE_INTERVAL)
    probe = submit(client, body=body)
    assert problem(probe) == RETIRED
    assert probe.get_json()["upstream"]["code"] == "APIGW.0101"
    assert sent(sandbox) == ["verified-info"]


def test_a_submission_that_no_backend_accepts_is_the_callers_fault_before_and_after(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    # Legacy needs `partner_user_id`; review needs the attachments.
    neither = without(INDIVIDUAL, "attachments", "partner_user_id")
    before = submit(client, body=neither)
    assert problem(before) == (422, "VALIDATION_FAILED", "AFTER_FIX", "CALLER")
    prove(client, sandbox, clock)
    after = submit(client, body=neither)
    assert problem(after) == (422, "EVIDENCE_REQUIRED", "AFTER_FIX", "CALLER")
    short = {**ID_CARD, "document": {"type": "ID_CARD", "number": "x" * 40}}
    assert fields_at_fault(submit(client, body=short)) == [("/document/number", "NUMBER")]
    assert sent(sandbox) == []


def test_with_backend_review_missing_attachments_stay_the_callers_fault(
    gateway: Build, sandbox: SandboxDriver
) -> None:
    sandbox.settings(legacy="retired")
    response = submit(gateway(backend="review"), body=NO_PICTURES)
    assert problem(response) == (422, "EVIDENCE_REQUIRED", "AFTER_FIX", "CALLER")
    assert sent(sandbox) == []


@pytest.mark.parametrize("off", ["retired", "gone"])
def test_with_backend_legacy_each_submission_is_sent_and_no_switch_off_is_recorded(
    gateway: Build, sandbox: SandboxDriver, off: str
) -> None:
    client = gateway(backend="legacy")
    sandbox.settings(legacy=off)
    for number in range(CUSTOMERS + 1):
        response = submit(client, customer=f"cust-{number}")
        assert problem(response) == RETIRED
        assert "upstream" in response.get_json()
    assert sent(sandbox) == ["verified-info"] * (CUSTOMERS + 1)
    assert retired(client) is None
    assert submit(client, query=CHECK).get_json()["accepted"] is True
    sandbox.settings(legacy="served")
    assert submit(client).status_code == 201


def test_a_gateway_with_backend_legacy_does_not_change_the_belief_of_one_on_auto(
    gateway: Build, sandbox: SandboxDriver, clock: Clock
) -> None:
    state = MemoryState(now=clock)
    auto = on_clock(gateway(backend="auto", review_share=0), clock, state)
    legacy = on_clock(gateway(backend="legacy"), clock, state)
    believe(auto, sandbox)
    assert retired(legacy) is None
    sandbox.settings(legacy="served")
    assert submit(legacy).status_code == 201
    assert retired(auto) is not None


def test_each_account_has_its_own_belief_about_the_switch_off(
    gateway: Build, sandbox: SandboxDriver
) -> None:
    client = gateway(backend="auto", review_share=0)
    believe(client, sandbox)
    sandbox.settings(legacy="served")
    assert submit(client, PERSON_FORM, key="second-key").status_code == 201
    assert retired(client) is not None


def test_an_earlier_answer_is_replayed_after_the_switch_off(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    path = "/v1/customers/cust-0001/verifications/individual"
    headers = {**bearer(), "Idempotency-Key": "order-1"}
    assert client.post(path, json=NO_PICTURES, headers=headers).status_code == 201
    prove(client, sandbox, clock)
    replayed = client.post(path, json=NO_PICTURES, headers=headers)
    assert (replayed.status_code, replayed.headers["Idempotent-Replayed"]) == (201, "true")
    assert sent(sandbox) == []


def test_the_idempotency_key_of_an_unprocessed_submission_may_be_reused(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    path = "/v1/customers/cust-0001/verifications/individual"
    headers = {**bearer(), "Idempotency-Key": "order-1"}
    sandbox.settings(legacy="retired")
    assert problem(client.post(path, json=NO_PICTURES, headers=headers)) == UNAVAILABLE
    sandbox.settings(legacy="served")
    assert client.post(path, json=NO_PICTURES, headers=headers).status_code == 201


def test_validate_only_during_the_switch_off_sends_no_probe(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    assert submit(client, query=CHECK).get_json()["backend"] == "legacy"
    believe(client, sandbox)
    clock.pass_time(PROBE_INTERVAL)
    checked = submit(client, query=CHECK).get_json()
    assert (checked["accepted"], checked["backend"]) == (True, "review")
    checked = submit(client, body=NO_PICTURES, query=CHECK).get_json()
    assert (checked["accepted"], checked["backend"]) == (False, "review")
    assert [one["accepted"] for one in checked["backends"]] == [False, False]
    assert [len(one["errors"]) for one in checked["backends"]] == [0, 1]
    assert sent(sandbox) == []


def test_capabilities_list_legacy_only_while_it_is_served(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    def backends() -> list[str]:
        served: list[str] = client.get("/v1/capabilities", headers=bearer()).get_json()["backends"]
        return served

    sandbox.settings(legacy="retired")
    submit(client)
    assert backends() == ["legacy", "review"]
    believe(client, sandbox)
    assert backends() == ["review"]


def test_the_log_has_each_stage_of_the_switch_off(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    prove(client, sandbox, clock)
    sandbox.settings(legacy="served")
    clock.pass_time(PROBE_INTERVAL)
    submit(client)
    lines = [one for one in caplog.records if one.name == "gateway.switch_off"]
    assert [one.levelno for one in lines] == [
        logging.WARNING,
        logging.ERROR,
        logging.ERROR,
        logging.WARNING,
    ]
