"""The metrics of requests, submissions and upstream calls."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import REGISTRY
from werkzeug.test import TestResponse

from app import create_app
from app.errors import ErrorCode
from app.huawei.codes import KNOWN
from app.observability import metrics
from app.settings import Settings
from demo.local import PROJECT
from tests.support.gateway import CUSTOMER, INDIVIDUAL_PATH, PERSON, altered, bearer, code, submit
from tests.support.metrics import counted
from tests.support.patience import HASTY
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until
from tests.support.verifications import INDIVIDUAL


@pytest.mark.parametrize(
    ("backend", "customer", "status"),
    [
        ("legacy", "c-1", "VERIFIED"),
        ("review", "c-1", "IN_REVIEW"),
        ("review", "review-instant-1", "VERIFIED"),
    ],
)
def test_submissions_are_counted_by_backend_and_status(
    settings: Settings, sandbox: SandboxDriver, backend: str, customer: str, status: str
) -> None:
    client = create_app(altered(settings, verification={"backend": backend})).test_client()
    labels = {"account": "default", "backend": backend}
    good = counted("gateway_outcomes_total", **labels, status=status)
    unknown = counted("gateway_outcomes_total", **labels, status="UNKNOWN")
    path = f"/v1/customers/{customer}/verifications/individual"
    keyed = bearer() | {"Idempotency-Key": "one"}
    for _ in range(2):  # a replay does not count again
        assert client.post(path, json=INDIVIDUAL, headers=keyed).status_code in (201, 202)
    assert (good(), unknown()) == (1, 0)
    assert sandbox.processed() >= 1


def test_a_submission_with_an_unknown_outcome_is_counted_as_unknown(
    settings: Settings, sandbox: SandboxDriver
) -> None:
    client = create_app(altered(settings, **HASTY)).test_client()
    labels = {"account": "default", "backend": "legacy"}
    unknown = counted("gateway_outcomes_total", **labels, status="UNKNOWN")
    sandbox.fault("verified-info", "hang", count=1)
    assert code(submit(client)) == "OUTCOME_UNKNOWN"
    sandbox.clear_faults()
    sandbox.fault("verified-info", "code", code="CBC.5006", status=200)
    assert code(submit(client, "c-2")) == "CUSTOMER_KIND_MISMATCH"
    sandbox.clear_faults()
    sandbox.fault("verified-info", "code", code="CBC.0151", status=403)
    assert code(submit(client, "c-3")) == "UPSTREAM_ACCESS_DENIED"
    assert unknown() == 1


def test_upstream_calls_are_counted_by_outcome_code_and_tries(
    settings: Settings, sandbox: SandboxDriver
) -> None:
    client = create_app(altered(settings, reliability={"tries": 3})).test_client()
    operation = _operation_of_a_push(client)
    labels = {"account": "default", "operation": operation}
    calls = "gateway_upstream_calls_total"
    fine = counted(calls, **labels, outcome="OK", code="CBC.0000")
    throttled = counted(calls, **labels, outcome="UPSTREAM_THROTTLED", code="APIGW.0308")
    twice = counted("gateway_upstream_tries_sum", **labels)
    once = counted("gateway_upstream_tries_count", **labels)
    sandbox.fault("verified-info", "throttled", count=1, retry_after=0)
    assert submit(client).status_code == 201
    assert (fine(), throttled(), twice(), once()) == (1, 1, 2, 1)


def _operation_of_a_push(client: FlaskClient) -> str:
    def names() -> dict[str, float]:
        return {
            sample.labels["operation"]: sample.value
            for metric in metrics.UPSTREAM_CALLS.collect()
            for sample in metric.samples
            if sample.name.endswith("_total")
            and (sample.labels["account"], sample.labels["code"]) == ("default", "CBC.0000")
        }

    before = names()
    assert submit(client).status_code == 201
    (name,) = [name for name, value in names().items() if value > before.get(name, 0)]
    return name


def test_an_unmapped_code_is_counted(client: FlaskClient, sandbox: SandboxDriver) -> None:
    operation = _operation_of_a_push(client)
    name = "gateway_upstream_unmapped_codes_total"
    # OTHER once this process has seen many unknown codes.
    unmapped = [counted(name, operation=operation, code=one) for one in ("CBC.12345678", "OTHER")]
    assert code(submit(client, "code-CBC-12345678")) == "UPSTREAM_UNMAPPED"
    assert sum(rise() for rise in unmapped) == 1
    assert sandbox.requests()


def test_arbitrary_codes_of_huawei_create_a_limited_number_of_labels() -> None:
    labels = metrics.CodeLabels(known={"CBC.9"}, most_unknown=3)
    assert [labels.of(f"CBC.{number}") for number in (1, 2, 3, 4, 1)] == [
        "CBC.1",
        "CBC.2",
        "CBC.3",
        "OTHER",
        "CBC.1",
    ]
    assert labels.of("CBC.9") == "CBC.9"
    assert labels.of(None) == "none"


def test_a_known_code_keeps_its_label_after_many_unknown_codes(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    labels = {"account": "default", "operation": "verified_info", "outcome": "CUSTOMER_NOT_FOUND"}
    known = counted("gateway_upstream_calls_total", **labels, code="CBC.5002")
    for number in range(60):
        assert code(submit(client, f"code-CBC-77{number:05}")) == "UPSTREAM_UNMAPPED"
    assert code(submit(client, "code-CBC-5002")) == "CUSTOMER_NOT_FOUND"
    assert known() == 1
    assert sandbox.requests()


def _documented() -> list[tuple[str, str | None]]:
    document = json.loads((PROJECT / "tests/vectors/huawei_codes.json").read_text())
    return [(one["code"], one["problem"]) for one in document["codes"]]


@pytest.mark.parametrize("code", [code for code, problem in _documented() if problem])
def test_every_mapped_code_of_huawei_has_its_own_label(code: str) -> None:
    assert code in KNOWN


def test_a_waiting_request_is_counted_under_its_operation(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    name = "gateway_queue_seconds_count"
    written = counted(name, account="default", operation="verified_info")
    looked = counted(name, account="default", operation="read_result")
    submit(client)
    client.get(f"/v1/customers/{CUSTOMER}/verification", headers=bearer())
    assert (written(), looked()) == (1, 1)
    assert len(sandbox.requests()) == 2


def test_a_request_that_was_not_sent_counts_no_try(
    settings: Settings, sandbox: SandboxDriver
) -> None:
    tries = counted("gateway_upstream_tries_count", account="default", operation="verified_info")
    client = create_app(settings).test_client()
    late = client.post(INDIVIDUAL_PATH, json=PERSON, headers=bearer() | {"Prefer": "wait=0"})
    assert code(late) == "DEADLINE_EXCEEDED"
    assert (tries(), sandbox.requests()) == (0, [])


def test_failures_are_counted_by_fault_and_every_series_starts_at_0(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    for one in ErrorCode:
        labels = {"fault": one.fault.value, "code": one.name}
        assert REGISTRY.get_sample_value("gateway_failures_total", labels) is not None
    missing = counted("gateway_failures_total", fault="CALLER", code="CUSTOMER_NOT_FOUND")
    submit(client, "code-CBC-5002")
    assert missing() == 1
    assert sandbox.requests()


def test_readiness_of_submissions_for_review_is_counted_by_caller(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    ready = counted("gateway_review_readiness_total", caller="writer", ready="yes")
    not_ready = counted("gateway_review_readiness_total", caller="writer", ready="no")
    submit(client)
    client.post(INDIVIDUAL_PATH, json=INDIVIDUAL, headers=bearer())
    assert (ready(), not_ready()) == (1, 1)
    assert sandbox.requests()


def test_a_replay_and_an_in_flight_refusal_are_not_counted_as_submissions(
    app: Flask, sandbox: SandboxDriver
) -> None:
    not_ready = counted("gateway_review_readiness_total", caller="writer", ready="no")

    def ask() -> TestResponse:
        keyed = bearer() | {"Idempotency-Key": "one"}
        return app.test_client().post(INDIVIDUAL_PATH, json=PERSON, headers=keyed)

    sandbox.fault("verified-info", "latency", seconds=60, count=1)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(ask)
        wait_until(lambda: sandbox.received("verified-info"))
        assert code(ask()) == "IDEMPOTENCY_KEY_IN_FLIGHT"
        sandbox.clear_faults()
        assert first.result().status_code == 201
    assert ask().headers["Idempotent-Replayed"] == "true"
    assert not_ready() == 1


def test_requests_are_counted_by_operation_caller_status_and_code(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    good = {"operation": "submit_individual", "caller": "writer", "status": "201", "code": "none"}
    name = "gateway_requests_total"
    fine = counted(name, **good)
    unknown = counted(name, **good | {"caller": "none", "status": "401", "code": "UNAUTHENTICATED"})
    nowhere = {"operation": "none", "caller": "none", "status": "404", "code": "NOT_FOUND"}
    lost = counted(name, **nowhere)
    timed = counted("gateway_request_seconds_count", operation="submit_individual")
    submit(client)
    client.post(INDIVIDUAL_PATH, json=PERSON)
    client.get("/made-up-path")
    assert (fine(), unknown(), lost(), timed()) == (1, 1, 1, 2)
    assert sandbox.requests()
