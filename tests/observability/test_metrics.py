"""The metrics of requests, upstream calls, credentials and the switch-off."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import REGISTRY, CollectorRegistry
from werkzeug.test import TestResponse

from app import create_app
from app.condition import Condition
from app.errors import ErrorCode
from app.huawei.codes import KNOWN
from app.observability import metrics
from app.settings import Settings
from app.verification.switch_off import CUSTOMERS
from demo.local import PROJECT
from tests.support.accounts import Mounted, with_pairs, with_token
from tests.support.gateway import CUSTOMER, INDIVIDUAL_PATH, PERSON, altered, bearer, code, submit
from tests.support.log import Log
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until
from tests.support.verifications import INDIVIDUAL

FIRST_PAIR = {"account": "default", "pair": "0"}


def counted(name: str, **labels: str) -> Callable[[], float]:
    """A function that returns the increase of a sample since this call."""

    def value() -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    begun = value()
    return lambda: value() - begun


def seen(app: Flask, name: str, **labels: str) -> float | None:
    """The current value of a sample that the gateway computes at the scrape."""
    registry = CollectorRegistry()
    registry.register(Condition(app.extensions["partner_gateway"], "1.2.3"))
    return registry.get_sample_value(name, labels)


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
    client = create_app(altered(settings, timeouts={"read": 0.5})).test_client()
    labels = {"account": "default", "backend": "legacy"}
    unknown = counted("gateway_outcomes_total", **labels, status="UNKNOWN")
    sandbox.fault("verified-info", "hang", count=1)
    assert code(submit(client)) == "OUTCOME_UNKNOWN"
    sandbox.clear_faults()
    sandbox.fault("verified-info", "code", code="CBC.5006", status=200)
    assert code(submit(client, "c-2")) == "CUSTOMER_KIND_MISMATCH"
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


def test_a_call_to_iam_is_counted_and_a_locked_user_makes_the_credentials_unusable(
    settings: Settings, sandbox: SandboxDriver, tmp_path: Path, log: Log
) -> None:
    app = create_app(with_token(settings, tmp_path, sandbox.url))
    labels = {"account": "default", "operation": "iam_token"}
    calls = "gateway_upstream_calls_total"
    denied = counted(calls, **labels, outcome="UPSTREAM_ACCESS_DENIED", code="IAM.0061")
    fine = counted(calls, **labels, outcome="OK", code="none")
    timed = counted("gateway_upstream_seconds_count", **labels)
    locked = counted("gateway_credential_events_total", account="default", event="locked")
    assert submit(app.test_client()).status_code == 201
    assert seen(app, "gateway_credentials_usable", account="default") == 1

    app = create_app(with_token(settings, tmp_path, sandbox.url))
    sandbox.fault("token", "code", code="IAM.0061", status=401)
    assert code(submit(app.test_client())) == "UPSTREAM_ACCESS_DENIED"
    assert seen(app, "gateway_credentials_usable", account="default") == 0
    assert (fine(), denied(), timed(), locked()) == (1, 1, 2, 1)
    (line,) = (one for one in log.lines if one["event"] == "IAM refused to give a token")
    assert (line["verdict"], line["upstream_code"]) == ("locked", "IAM.0061")
    assert line["upstream_status"] == 401
    assert line["upstream_request_id"]


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


def test_the_expiry_of_a_temporary_pair_is_a_metric(settings: Settings, tmp_path: Path) -> None:
    temporary = Mounted(tmp_path / "temporary", temporary=True)
    temporary.write("AK", "SK", "token", "2099-01-01T00:00:00Z")
    app = create_app(with_pairs(settings, temporary))
    assert app.test_client().get("/readyz").status_code == 200
    ends = datetime(2099, 1, 1, tzinfo=UTC).timestamp()
    assert seen(app, "gateway_key_expiry_timestamp_seconds", **FIRST_PAIR) == ends


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
        wait_until(lambda: sandbox.requests("verified-info"))
        assert code(ask()) == "IDEMPOTENCY_KEY_IN_FLIGHT"
        sandbox.clear_faults()
        assert first.result().status_code == 201
    assert ask().headers["Idempotent-Replayed"] == "true"
    assert not_ready() == 1


def test_a_suspended_key_pair_is_a_metric(app: Flask, sandbox: SandboxDriver) -> None:
    assert seen(app, "gateway_key_locked", **FIRST_PAIR) == 0
    assert seen(app, "gateway_credentials_usable", account="default") == 1
    sandbox.fault("verified-info", "code", code="APIGW.0301", status=401, message=LOCKED)
    assert code(submit(app.test_client())) == "ACCESS_KEY_LOCKED"
    assert seen(app, "gateway_key_locked", **FIRST_PAIR) == 1
    assert seen(app, "gateway_credentials_usable", account="default") == 0
    assert seen(app, "gateway_credentials_usable", account="second") == 1


LOCKED = "Incorrect IAM authentication information: AK access failed to reach the limit, forbidden"


def test_the_age_of_a_key_pair_is_that_of_its_files(app: Flask, settings: Settings) -> None:
    written = time.time() - 86400
    for path in settings.accounts["default"].credentials[0].model_dump(exclude_none=True).values():
        os.utime(Path(path), (written, written))
    app = create_app(settings)
    found = seen(app, "gateway_key_timestamp_seconds", **FIRST_PAIR)
    assert found == pytest.approx(written, abs=1)


def test_the_metric_of_the_retired_legacy_api_is_1_once_the_switch_off_is_believed(
    settings: Settings, sandbox: SandboxDriver
) -> None:
    app = create_app(altered(settings, verification={"backend": "auto"}))
    sandbox.settings(legacy="retired")
    for number in range(CUSTOMERS):
        assert seen(app, "gateway_legacy_retired", account="default") == 0
        response = submit(app.test_client(), f"cust-{number}")
        assert code(response) == "LEGACY_API_UNAVAILABLE"
    assert seen(app, "gateway_legacy_retired", account="default") == 1


def test_with_backend_legacy_the_metric_of_the_retired_legacy_api_stays_0(
    app: Flask, sandbox: SandboxDriver
) -> None:
    sandbox.settings(legacy="retired")
    for number in range(CUSTOMERS):
        response = submit(app.test_client(), f"cust-{number}")
        assert code(response) == "LEGACY_API_RETIRED"
    assert seen(app, "gateway_legacy_retired", account="default") == 0


def test_quota_and_version_are_metrics(app: Flask) -> None:
    assert seen(app, "gateway_quota_calls_per_second", account="default") == 1000
    assert seen(app, "gateway_build_info", version="1.2.3") == 1


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
