"""One contract for both backends, before, during and after the switch-off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.gateway import CUSTOMER, PERSON, bearer, code
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import (
    FORMS,
    INDIVIDUAL,
    Form,
    fields_at_fault,
    personal_values,
    read,
    submit,
)
from tests.verification.conftest import Build, hear_of_the_switch_off
from tests.verification.invalid_bodies import INVALID


@dataclass(frozen=True)
class Side:
    """A situation: the account's settings, and Huawei's treatment of the legacy call."""

    verification: dict[str, Any]
    serves: tuple[str, ...]
    before: str = "served"
    after: str = "served"


LEGACY, REVIEW, EITHER = ("legacy",), ("review",), ("review", "legacy")
SIDES = {
    "legacy": Side({"backend": "legacy"}, LEGACY),
    "legacy, numbers as strings": Side({"backend": "legacy", "legacy_numbers": "string"}, LEGACY),
    "review": Side({"backend": "review"}, REVIEW),
    "review, legacy retired": Side({"backend": "review"}, REVIEW, "retired", "retired"),
    "auto": Side({"backend": "auto"}, REVIEW),
    "auto 0": Side({"backend": "auto", "review_share": 0}, LEGACY),
    "auto 30": Side({"backend": "auto", "review_share": 30}, EITHER),
    "auto, retired before": Side({"backend": "auto"}, REVIEW, "retired", "retired"),
    "auto 0, retired before": Side(
        {"backend": "auto", "review_share": 0}, REVIEW, "retired", "retired"
    ),
    "auto 0, gone before": Side({"backend": "auto", "review_share": 0}, REVIEW, "gone", "gone"),
    "auto 0, retired between": Side(
        {"backend": "auto", "review_share": 0}, REVIEW, "served", "retired"
    ),
    "auto 30, gone between": Side({"backend": "auto", "review_share": 30}, REVIEW, after="gone"),
}

# Huawei's code -> our code, for codes of both generations of the API.
CODES = {
    "CBC.0100": (422, "UPSTREAM_REJECTED_FIELDS"),
    "CBC.0151": (503, "UPSTREAM_ACCESS_DENIED"),
    "CBC.0999": (502, "UPSTREAM_ERROR"),
    "CBC.5002": (404, "CUSTOMER_NOT_FOUND"),
    "CBC.99005030": (503, "PARTNER_NOT_ENABLED"),
    "CBC.99007188": (409, "ALREADY_VERIFIED_OR_IN_REVIEW"),
    "CBC.0250": (503, "UPSTREAM_THROTTLED"),
    "CBC.12345678": (502, "UPSTREAM_UNMAPPED"),
}

FAULTS = {
    "reset": (504, "OUTCOME_UNKNOWN"),
    "html": (504, "OUTCOME_UNKNOWN"),
    "bad_json": (504, "OUTCOME_UNKNOWN"),
    "throttled": (503, "UPSTREAM_THROTTLED"),
}


@pytest.fixture(params=[pytest.param(side, id=name) for name, side in SIDES.items()])
def side(request: pytest.FixtureRequest) -> Side:
    chosen: Side = request.param
    return chosen


@pytest.fixture
def client(
    side: Side,
    sandbox: SandboxDriver,
    shared: Build,
    gateway: Build,
    request: pytest.FixtureRequest,
) -> FlaskClient:
    """A gateway in this situation; the switch-off is past or happens now."""
    sandbox.settings(legacy=side.before)
    # Consecutive faults must not open the circuit.
    if side.before == side.after and "fault" not in request.node.name:
        client = shared(memory=side.before, **side.verification)
    else:
        client = gateway(**side.verification)
    if side.before == side.after:
        if side.before != "served":
            hear_of_the_switch_off(client)
            sandbox.forget_requests()
        return client
    assert submit(client, customer="cust-before").status_code in (201, 202)
    sandbox.settings(legacy=side.after)
    sandbox.forget_requests()
    return client


def assert_taken(response: TestResponse, side: Side, kind: str) -> None:
    """Assert a success of a backend of this situation, with members of the contract only."""
    backend = (answer := response.get_json())["backend"]
    assert backend in side.serves
    status, state, final = {
        "legacy": (201, "VERIFIED", True),
        "review": (202, "IN_REVIEW", False),
    }[backend]
    assert (response.status_code, answer["status"], answer["final"]) == (status, state, final)
    assert (answer["customer_id"], answer["kind"]) == (CUSTOMER, kind)
    assert set(answer) - {"next_check_after_s"} == {
        "backend",
        "checked_at",
        "customer_id",
        "final",
        "kind",
        "status",
        "submitted_at",
    }
    assert ("next_check_after_s" in answer) is not final
    assert answer["checked_at"].endswith("Z")


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_both_backends_accept_the_same_body_and_verify_the_customer(
    client: FlaskClient, sandbox: SandboxDriver, side: Side, form: Form
) -> None:
    response = submit(client, form)
    assert_taken(response, side, form.kind)
    assert not [value for value in personal_values(form.body) if value in response.text]
    sent = ["verified-info", form.applies]
    assert [entry["operation"] for entry in sandbox.submissions() if entry["processed"]] == [
        sent[response.get_json()["backend"] == "review"]
    ]
    if response.status_code == 202:
        assert read(client).get_json()["status"] == "IN_REVIEW"
        sandbox.review(CUSTOMER, "passed")
    result = read(client)
    assert (result.status_code, result.get_json()["status"]) == (200, "VERIFIED")
    assert result.get_json()["final"] is True


def test_both_backends_send_a_name_in_any_script_unchanged(
    client: FlaskClient, sandbox: SandboxDriver, side: Side, subtests: pytest.Subtests
) -> None:
    for name in ("张三", "Ñandú O'Brien-1", "Ahmad \u0622\u200c", "x" * 255):
        with subtests.test(name):
            sandbox.forget_customer(CUSTOMER)
            sandbox.forget_requests()
            assert_taken(submit(client, body={**INDIVIDUAL, "full_name": name}), side, "INDIVIDUAL")
            taken = [entry for entry in sandbox.submissions() if entry["processed"]]
            assert [name in entry["body"] for entry in taken] == [True]


def test_a_code_of_huawei_is_the_same_problem_on_both_backends(
    client: FlaskClient, sandbox: SandboxDriver, subtests: pytest.Subtests
) -> None:
    for upstream, (status, ours) in CODES.items():
        with subtests.test(upstream):
            response = submit(client, customer=f"code-{upstream.replace('.', '-')}", wait=3)
            problem = response.get_json()
            assert (response.status_code, problem["code"]) == (status, ours)
            assert problem["upstream"]["code"] == upstream
            assert response.mimetype == "application/problem+json"
    assert sandbox.processed() == 0


def test_a_fault_is_the_same_problem_on_both_backends_and_nothing_is_sent_twice(
    client: FlaskClient, sandbox: SandboxDriver, side: Side, subtests: pytest.Subtests
) -> None:
    for fault, expected in FAULTS.items():
        with subtests.test(fault):
            sandbox.clear_faults()
            sandbox.forget_requests()
            sandbox.fault("*", fault)
            response = submit(client, customer=f"cust-{fault}", wait=2)
            sent = [entry["operation"] for entry in sandbox.requests()]
            assert len(sent) == len(set(sent)) > 0
            if fault == "bad_json" and side.after != "served" and sent == ["verified-info"]:
                # An unreadable 404 is not evidence of the switch-off.
                expected = (502, "UPSTREAM_MALFORMED")
            assert (response.status_code, code(response)) == expected


def test_a_body_breaks_the_same_rules_on_both_backends_and_is_not_sent(
    client: FlaskClient, sandbox: SandboxDriver, subtests: pytest.Subtests
) -> None:
    for form, body, errors in INVALID:
        with subtests.test(form=form.path, errors=errors):
            response = submit(client, form, body)
            assert (response.status_code, code(response)) == (422, "VALIDATION_FAILED")
            assert fields_at_fault(response) == errors
    assert sandbox.requests() == []


def test_a_malformed_body_or_a_missing_scope_sends_nothing_on_both_backends(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    path = f"/v1/customers/{CUSTOMER}/verifications/individual"
    json_type = {**bearer(), "Content-Type": "application/json"}
    assert code(client.post(path, data="{", headers=json_type)) == "MALFORMED_JSON"
    assert code(client.post(path, data={"a": "b"}, headers=bearer())) == "UNSUPPORTED_MEDIA_TYPE"
    assert code(client.post(path, json=PERSON)) == "UNAUTHENTICATED"
    assert code(submit(client, key="reader-key")) == "FORBIDDEN"
    assert code(read(client, key="operator-key")) == "FORBIDDEN"
    assert code(submit(client, customer="cust.0001")) == "NOT_FOUND"
    assert sandbox.requests() == []


def test_validate_only_sends_nothing_on_both_backends(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    response = submit(client, query="?validate_only=true")
    assert (response.status_code, response.get_json()["accepted"]) == (200, True)
    assert sandbox.requests() == []
