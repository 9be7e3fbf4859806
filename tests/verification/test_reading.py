"""The status of a verification, from Huawei's review result."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.gateway import CUSTOMER, code
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import (
    FORMS,
    INDIVIDUAL,
    Form,
    personal_values,
    read,
    submit,
    upload,
    without,
)
from tests.verification.conftest import Build

OPINION = "Erika Mustermann, Pass unscharf: 护照照片模糊 <b>\"'&\\"
TARGET = f"/v2/customers/realname-auths/result?customer_id={CUSTOMER}"

# Huawei's result -> our answer
RESULTS: list[tuple[dict[str, Any], str, bool]] = [
    ({}, "NOT_SUBMITTED", False),
    ({"review_result": None}, "NOT_SUBMITTED", False),
    ({"review_result": None, "opinion": "left over"}, "NOT_SUBMITTED", False),
    ({"error_code": "CBC.0000", "error_msg": "Success"}, "NOT_SUBMITTED", False),
    ({"review_result": 0}, "IN_REVIEW", False),
    ({"review_result": 0, "opinion": "left over"}, "IN_REVIEW", False),
    ({"review_result": 2, "opinion": None}, "VERIFIED", True),
    ({"review_result": 2, "opinion": "left over"}, "VERIFIED", True),
    ({"review_result": 2, "error_code": "CBC.0000", "error_msg": "success"}, "VERIFIED", True),
    ({"review_result": 2, "what_is_new": {"a": []}}, "VERIFIED", True),
]

NO_RESULTS: tuple[Any, ...] = ("", "02", "2.0", True, False, 2.0, 1.5, 3, -1, 99, [2], {})
NO_OPINIONS: tuple[Any, ...] = (1, ["no"], {"text": "no"}, True)
MALFORMED: list[dict[str, Any]] = [
    *({"review_result": value} for value in NO_RESULTS),
    *({"review_result": 1, "opinion": value} for value in NO_OPINIONS),
]


def answering(sandbox: SandboxDriver, body: Any, status: int = 200) -> None:
    sandbox.fault("result", "status", status=status, body=body)


@pytest.mark.parametrize("backend", ["legacy", "review", "auto"])
@pytest.mark.parametrize(("result", "status", "final"), RESULTS)
def test_each_review_result_has_its_status(
    shared: Build,
    sandbox: SandboxDriver,
    backend: str,
    result: dict[str, Any],
    status: str,
    final: bool,
) -> None:
    answering(sandbox, result)
    response = read(shared(backend=backend))
    answer = response.get_json()
    assert (response.status_code, answer["status"], answer["final"]) == (200, status, final)
    assert answer["backend"] == "review"
    assert ("next_check_after_s" in answer) == (status == "IN_REVIEW")
    assert response.headers.get("Retry-After") == ("30" if status == "IN_REVIEW" else None)
    assert {"rejection", "submitted_at"}.isdisjoint(answer)
    assert "left over" not in response.text
    (entry,) = sandbox.requests()
    assert (entry["method"], entry["target"], entry["body"]) == ("GET", TARGET, "")


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"review_result": 1, "opinion": OPINION}, OPINION),
        ({"review_result": 1, "opinion": "x" * 256}, "x" * 256),
        ({"review_result": 1, "opinion": ""}, ""),
        ({"review_result": 1, "opinion": None}, ""),
        ({"review_result": 1}, ""),
    ],
)
def test_a_rejection_contains_the_reviewers_reason(
    review: FlaskClient, sandbox: SandboxDriver, result: dict[str, Any], reason: str
) -> None:
    answering(sandbox, result)
    answer = read(review).get_json()
    assert (answer["status"], answer["final"]) == ("REJECTED", True)
    assert answer["rejection"] == {"reason": reason}


@pytest.mark.parametrize("result", MALFORMED, ids=str)
def test_a_review_result_of_another_type_is_upstream_malformed(
    review: FlaskClient, sandbox: SandboxDriver, result: dict[str, Any]
) -> None:
    answering(sandbox, result)
    response = read(review)
    assert (response.status_code, code(response)) == (502, "UPSTREAM_MALFORMED")
    assert response.get_json()["retry"] == "AFTER_DELAY"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("reset", (502, "UPSTREAM_ERROR")),
        ("html", (502, "UPSTREAM_MALFORMED")),
        ("not_object", (502, "UPSTREAM_MALFORMED")),
        ("code", (502, "UPSTREAM_ERROR")),
    ],
)
def test_a_failed_read_of_the_result_may_be_repeated(
    gateway: Build, sandbox: SandboxDriver, fault: str, expected: tuple[int, str]
) -> None:
    review = gateway(backend="review")
    sandbox.fault("result", fault)
    response = read(review)
    problem = response.get_json()
    assert (response.status_code, problem["code"]) == expected
    assert problem["retry"] == "AFTER_DELAY"
    sandbox.clear_faults()
    assert read(review).get_json()["status"] == "NOT_SUBMITTED"


@pytest.mark.parametrize(
    ("upstream", "expected"),
    [
        ("CBC.0100", (422, "UPSTREAM_REJECTED_FIELDS")),
        ("CBC.0151", (503, "UPSTREAM_ACCESS_DENIED")),
        ("CBC.5002", (404, "CUSTOMER_NOT_FOUND")),
        ("CBC.99000035", (404, "CUSTOMER_NOT_FOUND")),
    ],
)
def test_codes_of_huawei_are_the_same_problems_on_a_read_as_on_a_submission(
    review: FlaskClient, upstream: str, expected: tuple[int, str]
) -> None:
    response = read(review, f"code-{upstream.replace('.', '-')}")
    assert (response.status_code, code(response)) == expected


def test_a_read_follows_a_review_from_not_submitted_to_its_result(
    review: FlaskClient, sandbox: SandboxDriver
) -> None:
    seen = [read(review).get_json()["status"]]
    submit(review)
    seen.append(read(review).get_json()["status"])
    sandbox.clock(3)  # a review ends by itself after two seconds
    seen.append(read(review).get_json()["status"])
    assert seen == ["NOT_SUBMITTED", "IN_REVIEW", "VERIFIED"]


def test_a_legacy_push_is_reported_only_where_huawei_shows_it(
    legacy: FlaskClient, sandbox: SandboxDriver
) -> None:
    assert submit(legacy).status_code == 201
    assert read(legacy).get_json()["status"] == "VERIFIED"
    sandbox.settings(result_shows_legacy=False)
    assert read(legacy).get_json()["status"] == "NOT_SUBMITTED"


def everything_logged(caplog: pytest.LogCaptureFixture) -> str:
    """Every log record at any level: texts, arguments, fields, exceptions."""
    return "\n".join(repr(vars(entry)) + entry.getMessage() for entry in caplog.records)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_nothing_personal_reaches_a_log(
    gateway: Build, sandbox: SandboxDriver, caplog: pytest.LogCaptureFixture, form: Form
) -> None:
    caplog.set_level(logging.DEBUG)
    opinion = "Unscharf, Mustermann"
    for settings in ({"backend": "legacy"}, {"backend": "auto"}, {"backend": "review"}):
        client = gateway(**settings)
        for customer in (CUSTOMER, "code-CBC-0100", "code-CBC-12345678"):
            submit(client, form, customer=customer)
        submit(client, form, {**form.body, "document": {"number": "E1234567"}})
        submit(client, form, without(form.body, "partner_user_id"), query="?validate_only=true")
        sandbox.review(CUSTOMER, "rejected", opinion)
        answer = read(client).get_json()
        assert answer["rejection"] == {"reason": opinion}
        sandbox.fault("*", "html", count=1)
        submit(client, form, customer="cust-fault", wait=1)
    upload(client, "page.jpg", b"\xff\xd8\xff Mustermann")
    logged = everything_logged(caplog)
    assert "get_verification" in logged
    secrets = {opinion, "Mustermann", *personal_values(form.body), *personal_values(INDIVIDUAL)}
    assert [secret for secret in secrets if secret in logged] == []
