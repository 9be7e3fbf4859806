"""A write to a failing upstream: one try, one problem, no retry."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from app import create_app
from app.settings import Settings
from tests.support.gateway import INDIVIDUAL_PATH, PARTNER_ID, PERSON, altered, bearer, submit
from tests.support.patience import patience
from tests.support.raw_upstream import SUCCESS, RawUpstream, answer
from tests.support.sandbox_driver import SandboxDriver

PATH = f"/v1.0/{PARTNER_ID}/partner/customer-mgr/verified-info"


# Retry-After of Huawei -> Retry-After to the caller
PAUSES = [(17, "17"), (0, "0"), (999999, "3600"), (-5, "3")]

# fault, parameters -> HTTP status, code and `retry` of the write
FAULTS = [
    ("latency", {"seconds": 0.05}, (201, None, None)),
    ("content_type", {}, (201, None, None)),
    ("hang", {}, (504, "OUTCOME_UNKNOWN", "SAME_KEY")),
    ("reset", {}, (504, "OUTCOME_UNKNOWN", "SAME_KEY")),
    ("refuse", {}, (504, "OUTCOME_UNKNOWN", "SAME_KEY")),
    ("truncated", {}, (504, "OUTCOME_UNKNOWN", "SAME_KEY")),
    ("html", {}, (504, "OUTCOME_UNKNOWN", "SAME_KEY")),
    ("html", {"status": 200}, (504, "OUTCOME_UNKNOWN", "SAME_KEY")),
    ("html", {"status": 400}, (502, "UPSTREAM_MALFORMED", "SAME_KEY")),
    ("empty", {}, (504, "OUTCOME_UNKNOWN", "SAME_KEY")),
    ("bad_json", {}, (504, "OUTCOME_UNKNOWN", "SAME_KEY")),
    ("not_object", {}, (504, "OUTCOME_UNKNOWN", "SAME_KEY")),
    ("huge", {}, (504, "OUTCOME_UNKNOWN", "SAME_KEY")),
    ("slow_body", {"seconds": 60}, (504, "OUTCOME_UNKNOWN", "SAME_KEY")),
    ("redirect", {}, (502, "UPSTREAM_MALFORMED", "SAME_KEY")),
    ("status", {"status": 401}, (503, "PARTNER_NOT_ENABLED", "CONTACT_OPERATOR")),
    ("status", {"status": 403}, (503, "UPSTREAM_ACCESS_DENIED", "CONTACT_OPERATOR")),
    ("status", {"status": 404}, (502, "UPSTREAM_MALFORMED", "SAME_KEY")),
    ("status", {"status": 410}, (502, "UPSTREAM_MALFORMED", "SAME_KEY")),
    ("code", {"code": "APIGW.0101"}, (502, "LEGACY_API_RETIRED", "CONTACT_OPERATOR")),
    ("code", {"code": "CBC.0999", "status": 410}, (502, "LEGACY_API_RETIRED", "CONTACT_OPERATOR")),
    ("status", {"status": 500}, (504, "OUTCOME_UNKNOWN", "SAME_KEY")),
    ("status", {"status": 503, "body": {"x": 1}}, (504, "OUTCOME_UNKNOWN", "SAME_KEY")),
    ("throttled", {}, (503, "UPSTREAM_THROTTLED", "AFTER_DELAY")),
    ("throttled", {"code": None}, (503, "UPSTREAM_THROTTLED", "AFTER_DELAY")),
    ("code", {"code": "CBC.0999"}, (502, "UPSTREAM_ERROR", "SAME_KEY")),
    ("code", {"code": "CBC.12345678"}, (502, "UPSTREAM_UNMAPPED", "SAME_KEY")),
]


@pytest.mark.parametrize(("kind", "parameters", "expected"), FAULTS)
def test_each_fault_of_a_write_has_its_problem_and_the_write_is_sent_once(
    settings: Settings,
    sandbox: SandboxDriver,
    kind: str,
    parameters: dict[str, Any],
    expected: tuple[int, str | None, str | None],
) -> None:
    # Only a write that was certainly not processed may be repeated.
    tries = 1 if kind == "throttled" else 5
    changed = altered(settings, reliability={"tries": tries}, **patience(kind))
    client = create_app(changed).test_client()
    sandbox.fault("verified-info", kind, **parameters)
    response = submit(client)
    sandbox.clear_faults()
    answered = response.get_json()
    assert (response.status_code, answered.get("code"), answered.get("retry")) == expected
    assert len(sandbox.requests("verified-info")) == 1


def test_a_name_in_any_script_is_sent_as_utf_8(client: FlaskClient, sandbox: SandboxDriver) -> None:
    client.post(INDIVIDUAL_PATH, json={**PERSON, "full_name": "张三"}, headers=bearer())
    (sent,) = sandbox.requests("verified-info")
    assert '"张三"' in sent["body"]


def test_the_call_after_a_fault_succeeds(client: FlaskClient, sandbox: SandboxDriver) -> None:
    for kind in ("reset", "truncated", "huge", "html"):
        sandbox.fault("verified-info", kind, count=1)
        assert submit(client).status_code == 504
        assert submit(client).status_code == 201
    assert len(sandbox.requests("verified-info")) == 8


@pytest.mark.parametrize(
    ("said", "seconds"),
    [({}, "3")] + [({"retry_after": said}, seconds) for said, seconds in PAUSES],
)
def test_retry_after_is_that_of_huawei_or_the_catalogues_pause(
    client: FlaskClient, sandbox: SandboxDriver, said: dict[str, int], seconds: str
) -> None:
    sandbox.fault("verified-info", "throttled", **said)
    response = submit(client)
    assert response.headers["Retry-After"] == seconds
    assert response.get_json()["retry_after_s"] == int(seconds)


def unmapped() -> float:
    """The count of an unknown code; OTHER once the process has seen many."""
    name = "gateway_upstream_unmapped_codes_total"
    labels = ({"operation": "verified_info", "code": code} for code in ("CBC.12345678", "OTHER"))
    return sum(REGISTRY.get_sample_value(name, one) or 0.0 for one in labels)


def test_an_unmapped_code_of_huawei_is_answered_logged_and_counted(
    client: FlaskClient, sandbox: SandboxDriver, caplog: pytest.LogCaptureFixture
) -> None:
    before = unmapped()
    sandbox.fault("verified-info", "code", code="CBC.12345678", message="ZHANG SAN is unknown")
    problem = submit(client).get_json()
    assert problem["code"] == "UPSTREAM_UNMAPPED"
    assert problem["upstream"]["code"] == "CBC.12345678"
    assert unmapped() == before + 1
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.name for record in warnings] == ["gateway.upstream"]
    fields = vars(warnings[0])["gateway_fields"]
    assert fields["upstream_code"] == "CBC.12345678"
    assert fields["upstream_request_id"] == problem["upstream"]["request_id"]
    assert "ZHANG SAN" not in json.dumps(problem) + json.dumps(fields)


def test_the_documented_request_is_sent_to_partner_center(settings: Settings) -> None:
    with RawUpstream() as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        assert submit(client).status_code == 201
    (received,) = upstream.requests
    assert received.line == f"PUT {PATH} HTTP/1.1"
    assert received.headers["Host"] == upstream.authority
    assert received.headers["Content-Type"] == "application/json"
    assert received.headers["Accept-Encoding"] == "identity"
    assert int(received.headers["Content-Length"]) == len(received.body)
    assert "SignedHeaders=content-type;host;x-sdk-date," in received.headers["Authorization"]
    assert "traceparent" not in {name.lower() for name in received.headers}


def test_twenty_calls_use_one_connection(settings: Settings) -> None:
    with RawUpstream() as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        assert [submit(client).status_code for _ in range(20)] == [201] * 20
    assert (len(upstream.requests), upstream.connections) == (20, 1)


@pytest.mark.parametrize("announced", [True, False])
def test_a_connection_that_partner_center_closed_is_not_reused(
    settings: Settings, announced: bool
) -> None:
    def close(connection: Any) -> None:
        connection.sendall(SUCCESS)

    reply = SUCCESS.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) if announced else close
    with RawUpstream(reply) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        for _ in range(5):
            assert submit(client).status_code == 201
            assert upstream.closed.acquire(timeout=10)
    assert (len(upstream.requests), upstream.connections) == (5, 5)


def test_a_redirect_of_partner_center_is_not_followed(settings: Settings) -> None:
    with RawUpstream() as other:
        for status in (301, 302, 303, 307, 308):
            reply = answer(status, b"", f"Location: {other.url}{PATH}")
            with RawUpstream(reply) as upstream:
                client = create_app(altered(settings, endpoint=upstream.url)).test_client()
                assert submit(client).get_json()["code"] == "UPSTREAM_MALFORMED"
            assert len(upstream.requests) == 1
    assert other.connections == 0
