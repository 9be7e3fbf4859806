"""The audit trail: one line for each write, whatever its outcome, without personal values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from tests.support.accounts import with_token
from tests.support.gateway import (
    COMPANY,
    CUSTOMER,
    ENTERPRISE_PATH,
    INDIVIDUAL_PATH,
    PERSON,
    altered,
    bearer,
)
from tests.support.log import AUDIT, Log, check_silence, sendings, trail
from tests.support.patience import HASTY
from tests.support.raw_upstream import SUCCESS, RawUpstream, answer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import INDIVIDUAL, configured, upload


def test_a_write_leaves_one_audit_line_with_caller_account_and_customer(
    client: FlaskClient, sandbox: SandboxDriver, log: Log
) -> None:
    response = client.post(
        INDIVIDUAL_PATH, json=PERSON, headers=bearer() | {"X-Request-Id": "request-0001"}
    )
    assert response.status_code == 201
    (line,) = trail(log)
    assert len(sandbox.requests()) == 1
    assert line.pop("time").startswith("20")
    assert re.fullmatch("[0-9a-f-]{32,36}", line.pop("upstream_request_id"))
    assert line == {
        "level": "INFO",
        "logger": AUDIT,
        "event": "write",
        "request_id": "request-0001",
        "caller": "writer",
        "account": "default",
        "customer_id": CUSTOMER,
        "operation": "submit_individual",
        "backend": "legacy",
        "outcome": "VERIFIED",
        "status": 201,
        "upstream_code": "CBC.0000",
        "replayed": False,
        "reconciled": False,
    }
    check_silence(log)


def test_an_audit_line_is_written_before_a_write_is_sent(settings: Settings, log: Log) -> None:
    told: list[dict[str, Any]] = []

    def respond(connection: Any) -> None:
        told.extend(sendings(log))
        assert trail(log) == []
        connection.sendall(SUCCESS)

    with RawUpstream(respond) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        headers = bearer() | {"X-Request-Id": "request-0001"}
        assert client.post(INDIVIDUAL_PATH, json=PERSON, headers=headers).status_code == 201
    (line,) = told
    assert line.pop("time") <= trail(log)[0]["time"]
    assert line == {
        "level": "INFO",
        "logger": AUDIT,
        "event": "sending",
        "request_id": "request-0001",
        "caller": "writer",
        "account": "default",
        "customer_id": CUSTOMER,
        "operation": "submit_individual",
        "upstream_operation": "verified_info",
    }
    assert len(sendings(log)) == 1
    check_silence(log)


def test_an_audit_line_is_written_before_an_attachment_is_sent(
    sandbox: SandboxDriver, tmp_path: Path, log: Log
) -> None:
    client = create_app(configured(tmp_path, sandbox.url)).test_client()
    assert upload(client, "page.jpg", b"\xff\xd8\xff\xe0" + bytes(600)).status_code == 201
    (line,) = sendings(log)
    assert (line["operation"], line["customer_id"]) == ("upload_attachment", CUSTOMER)
    assert line["upstream_operation"] == "store_attachment"


def test_a_write_that_is_not_sent_leaves_no_line_before_it(client: FlaskClient, log: Log) -> None:
    client.post(INDIVIDUAL_PATH, json={"full_name": "ZHANG SAN"}, headers=bearer())
    client.get(f"/v1/customers/{CUSTOMER}/verification", headers=bearer())
    assert sendings(log) == []


def test_the_audit_line_of_a_refusal_by_huawei_names_the_backend_and_the_code(
    client: FlaskClient, sandbox: SandboxDriver, log: Log
) -> None:
    sandbox.fault("verified-info", "status", status=200, body='{"error_code":"CBC.5006"}')
    assert client.post(INDIVIDUAL_PATH, json=PERSON, headers=bearer()).status_code == 409
    (line,) = trail(log)
    assert (line["backend"], line["outcome"]) == ("legacy", "CUSTOMER_KIND_MISMATCH")
    assert (line["status"], line["upstream_code"]) == (409, "CBC.5006")


@pytest.mark.parametrize(
    ("key", "body", "outcome", "caller"),
    [
        ("nobody-knows", PERSON, "UNAUTHENTICATED", None),
        ("reader-key", PERSON, "FORBIDDEN", "reader"),
        ("writer-key", {"full_name": "ZHANG SAN"}, "VALIDATION_FAILED", "writer"),
    ],
)
def test_a_write_that_the_gateway_refuses_leaves_an_audit_line(
    client: FlaskClient, log: Log, key: str, body: dict[str, Any], outcome: str, caller: str | None
) -> None:
    client.post(INDIVIDUAL_PATH, json=body, headers=bearer(key))
    (line,) = trail(log)
    assert (line["outcome"], line.get("caller")) == (outcome, caller)
    assert "upstream_code" not in line
    check_silence(log)


def test_the_audit_trail_distinguishes_a_replay_from_a_reconciled_write(
    settings: Settings, sandbox: SandboxDriver, log: Log
) -> None:
    client = create_app(altered(settings, **HASTY)).test_client()
    keyed = bearer() | {"Idempotency-Key": "one"}
    sandbox.fault("verified-info", "hang", count=1)
    sandbox.fault("result", "status", status=200, body={}, count=3)  # it shows late
    client.post(INDIVIDUAL_PATH, json=PERSON, headers=keyed | {"Prefer": "wait=4"})
    for _ in range(2):
        client.post(INDIVIDUAL_PATH, json=PERSON, headers=keyed)
    logged = [(line["outcome"], line["replayed"], line["reconciled"]) for line in trail(log)]
    assert logged == [
        ("OUTCOME_UNKNOWN", False, False),
        ("VERIFIED", False, True),
        ("VERIFIED", True, True),
    ]


def test_the_audit_line_holds_the_request_id_of_the_submission_and_not_of_the_result(
    settings: Settings, log: Log
) -> None:
    fine = "Content-Type: application/json\r\nConnection: close"
    answers = [
        answer(200, "{}", fine, "X-Request-Id: before"),
        answer(200, '{"is_review": 0}', fine, "X-Request-Id: submitted"),
        answer(200, '{"review_result": 2}', fine, "X-Request-Id: looked"),
    ]
    with RawUpstream(lambda connection: connection.sendall(answers.pop(0))) as upstream:
        changes = {"verification": {"backend": "review"}, "endpoint": upstream.url}
        client = create_app(altered(settings, **changes)).test_client()
        assert client.post(INDIVIDUAL_PATH, json=INDIVIDUAL, headers=bearer()).status_code == 201
    (line,), (request,) = trail(log), log.requests()
    assert answers == []
    assert line["upstream_request_id"] == request["upstream_request_id"] == "submitted"
    assert request["tries"] == 1


def test_the_audit_line_of_a_lost_answer_does_not_hold_the_request_id_of_the_result(
    settings: Settings, sandbox: SandboxDriver, log: Log
) -> None:
    changes = {"verification": {"backend": "review"}, **HASTY}
    client = create_app(altered(settings, **changes)).test_client()
    sandbox.settings(is_review=0)
    sandbox.fault("individual", "hang", count=1)
    assert client.post(INDIVIDUAL_PATH, json=INDIVIDUAL, headers=bearer()).status_code == 201
    (line,), (request,) = trail(log), log.requests()
    assert line["reconciled"] is True
    assert "upstream_request_id" not in line
    assert "upstream_request_id" not in request
    assert request["tries"] == 1
    assert len(sandbox.requests("result")) == 2  # before the submission, and after it


def test_a_failed_request_for_a_token_is_not_recorded_as_the_call_of_the_submission(
    settings: Settings, sandbox: SandboxDriver, tmp_path: Path, log: Log
) -> None:
    client = create_app(with_token(settings, tmp_path, sandbox.url)).test_client()
    sandbox.fault("token", "code", code="IAM.0011", status=403)
    assert client.post(INDIVIDUAL_PATH, json=PERSON, headers=bearer()).status_code == 503
    (line,), (request,) = trail(log), log.requests()
    assert "upstream_code" not in line
    assert "tries" not in request


def test_a_read_leaves_no_audit_line(client: FlaskClient, log: Log) -> None:
    check = f"{ENTERPRISE_PATH}?validate_only=true"
    assert client.post(check, json=COMPANY, headers=bearer()).status_code == 200
    assert client.get(f"/v1/customers/{CUSTOMER}/verification", headers=bearer()).status_code == 200
    for path in ("/v1/capabilities", "/v1/errors", "/livez", "/nowhere"):
        client.get(path, headers=bearer())
    assert client.options(INDIVIDUAL_PATH, headers=bearer()).status_code == 405
    assert trail(log) == []


def test_every_operation_that_writes_is_audited(app: Flask, log: Log) -> None:
    values = {"customer_id": CUSTOMER, "name": "page.png"}
    client, asked = app.test_client(), 0
    for rule in app.url_map.iter_rules():
        for method in {"POST", "PUT", "PATCH", "DELETE"} & (rule.methods or set()):
            _, path = rule.build({name: values[name] for name in rule.arguments}) or ("", "")
            client.open(path, method=method, json={}, headers=bearer())
            asked += 1
    assert asked >= 4
    assert len(trail(log)) == asked


def test_the_audit_line_of_a_failed_move_to_review_names_review(
    settings: Settings, sandbox: SandboxDriver, log: Log
) -> None:
    settings = altered(settings, verification={"backend": "auto", "review_share": 0})
    client = create_app(settings).test_client()
    sandbox.settings(legacy="retired")
    sandbox.fault("individual", "code", code="CBC.5006", status=400)
    assert client.post(INDIVIDUAL_PATH, json=INDIVIDUAL, headers=bearer()).status_code == 409
    (line,) = trail(log)
    assert (line["backend"], line["outcome"]) == ("review", "CUSTOMER_KIND_MISMATCH")
