"""Huawei's answers to an application on the review backend, and our answers to the caller."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.gateway import CUSTOMER, code
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import (
    CHANGE_FORM,
    COMPANY_FORM,
    FORMS,
    PERSON_FORM,
    Form,
    personal_values,
    read,
    submit,
)
from tests.verification.conftest import Build

# Every code of the tables of mc_00017 to mc_00020 -> status, code and `retry` of a write.
REAL_NAME: dict[str, tuple[int, str, str]] = {
    "CBC.0100": (422, "UPSTREAM_REJECTED_FIELDS", "AFTER_FIX"),
    "CBC.0151": (503, "UPSTREAM_ACCESS_DENIED", "CONTACT_OPERATOR"),
    "CBC.0999": (502, "UPSTREAM_ERROR", "SAME_KEY"),
    "CBC.99000027": (502, "UPSTREAM_UNMAPPED", "SAME_KEY"),  # verification by bank card only
    "CBC.99000035": (404, "CUSTOMER_NOT_FOUND", "NEVER"),
    "CBC.99000099": (422, "ATTACHMENT_TOO_LARGE", "AFTER_FIX"),
    "CBC.99000100": (422, "ATTACHMENT_FORMAT", "AFTER_FIX"),
    "CBC.99005030": (503, "PARTNER_NOT_ENABLED", "CONTACT_OPERATOR"),
    "CBC.99007004": (409, "BUSINESS_PRECONDITION_FAILED", "AFTER_FIX"),
    "CBC.99007188": (409, "ALREADY_VERIFIED_OR_IN_REVIEW", "NEVER"),
    "CBC.99007189": (409, "DOCUMENT_LIMIT_REACHED", "NEVER"),
    "CBC.99007191": (409, "ATTEMPT_LIMIT_REACHED", "NEVER"),
    "CBC.99007193": (422, "DOCUMENT_BLOCKED", "NEVER"),
    "CBC.99007202": (422, "VERIFICATION_FAILED", "AFTER_FIX"),
    "CBC.99007219": (422, "FACE_MISMATCH", "AFTER_FIX"),
    "CBC.99007255": (422, "VERIFICATION_FAILED", "AFTER_FIX"),
    "CBC.99007258": (422, "VERIFICATION_FAILED", "AFTER_FIX"),
    "CBC.99007260": (502, "UPSTREAM_ERROR", "SAME_KEY"),
    "CBC.99007261": (422, "VERIFICATION_FAILED", "AFTER_FIX"),
    "CBC.99007262": (502, "UPSTREAM_ERROR", "SAME_KEY"),
    "CBC.70600026": (422, "MANUAL_HANDLING_REQUIRED", "CONTACT_OPERATOR"),
    "CBC.70600032": (422, "IDENTITY_RISK", "CONTACT_OPERATOR"),
    "CBC.5002": (404, "CUSTOMER_NOT_FOUND", "NEVER"),
    "CBC.5002-500": (404, "CUSTOMER_NOT_FOUND", "NEVER"),
    "APIGW.0308": (503, "UPSTREAM_THROTTLED", "AFTER_DELAY"),
    "APIG.0308": (503, "UPSTREAM_THROTTLED", "AFTER_DELAY"),
}
# The v2 paths are not expected to be retired: their absence is an error of the configuration.
NOT_RETIRED = {"APIGW.0101": (502, "UPSTREAM_UNMAPPED")}


def statuses(sandbox: SandboxDriver) -> list[tuple[str, int | None]]:
    return [(entry["operation"], entry["status"]) for entry in sandbox.requests()]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_every_code_of_huaweis_real_name_tables_has_its_problem(
    review: FlaskClient, sandbox: SandboxDriver, form: Form, subtests: pytest.Subtests
) -> None:
    for upstream, (status, ours, advice) in REAL_NAME.items():
        with subtests.test(upstream):
            response = submit(review, form, customer=f"code-{upstream.replace('.', '-')}", wait=2)
            problem = response.get_json()
            assert (response.status_code, problem["code"]) == (status, ours)
            assert problem["retry"] == advice
            assert problem["upstream"]["code"] == upstream.partition("-")[0]
            assert problem["upstream"]["request_id"]
            assert not [value for value in personal_values(form.body) if value in response.text]
    assert sandbox.processed(form.applies) == 0


def test_a_missing_v2_call_is_not_the_switch_off_of_legacy(gateway: Build) -> None:
    client = gateway(backend="auto", review_share=100)
    for upstream, expected in NOT_RETIRED.items():
        response = submit(client, customer=f"code-{upstream.replace('.', '-')}")
        assert (response.status_code, code(response)) == expected


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_an_application_in_review_is_answered_with_location_and_next_check(
    review: FlaskClient, sandbox: SandboxDriver, form: Form
) -> None:
    response = submit(review, form)
    answer = response.get_json()
    assert (response.status_code, answer["status"], answer["final"]) == (202, "IN_REVIEW", False)
    assert response.headers["Location"] == f"/v1/customers/{CUSTOMER}/verification"
    assert response.headers["Retry-After"] == str(answer["next_check_after_s"])
    assert review.get(response.headers["Location"]).status_code == 401  # the path exists
    assert statuses(sandbox) == [("result", 200), (form.applies, 200)]


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("by", ["setting", "magic"])
def test_an_application_without_a_review_is_read_once_and_verified(
    review: FlaskClient, sandbox: SandboxDriver, form: Form, by: str
) -> None:
    customer = "review-instant-1" if by == "magic" else CUSTOMER
    sandbox.settings(is_review=int(by == "magic"))
    response = submit(review, form, customer=customer)
    answer = response.get_json()
    assert (response.status_code, answer["status"], answer["final"]) == (201, "VERIFIED", True)
    assert (answer["kind"], answer["backend"]) == (form.kind, "review")
    assert response.headers["Location"] == f"/v1/customers/{customer}/verification"
    assert "Retry-After" not in response.headers
    assert statuses(sandbox) == [("result", 200), (form.applies, 200), ("result", 200)]


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [
        ("reset", {}),
        ("html", {}),
        ("empty", {}),
        ("throttled", {}),
        ("code", {"code": "CBC.0999"}),
        ("status", {"status": 200, "body": {"review_result": "two"}}),
        ("status", {"status": 200, "body": {}}),  # "not submitted", although it was just submitted
        ("status", {"status": 200, "body": {"review_result": 0}}),
    ],
)
def test_a_result_that_cannot_be_read_yet_leaves_the_application_in_review(
    gateway: Build, sandbox: SandboxDriver, fault: str, parameters: dict[str, Any]
) -> None:
    review = gateway(backend="review")
    sandbox.settings(is_review=0)
    sandbox.fault("result", fault, **parameters)
    response = submit(review, wait=2)
    assert (response.status_code, response.get_json()["status"]) == (202, "IN_REVIEW")
    assert response.headers["Location"].endswith(f"/{CUSTOMER}/verification")
    sent = [operation for operation, _ in statuses(sandbox)]
    assert (set(sent), sent.count("individual")) == ({"individual", "result"}, 1)
    assert sent[-1] == "result"
    sandbox.clear_faults()
    assert read(review).get_json()["status"] == "VERIFIED"


def test_a_rejection_without_a_review_is_answered_at_once(
    review: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.settings(is_review=0)
    rejected = {"review_result": 1, "opinion": "No."}
    sandbox.fault(
        "result", "status", status=200, body={}, count=1
    )  # the read before the submission
    sandbox.fault("result", "status", status=200, body=rejected)
    response = submit(review, customer="cust-rejected")
    answer = response.get_json()
    assert (response.status_code, answer["status"], answer["final"]) == (201, "REJECTED", True)
    assert answer["rejection"] == {"reason": "No."}


@pytest.mark.parametrize("before", [{"review_result": 1}, "<html>"], ids=["rejected", "unknown"])
def test_a_rejection_of_an_earlier_application_is_not_reported_for_a_new_one(
    review: FlaskClient, sandbox: SandboxDriver, before: Any
) -> None:
    sandbox.settings(is_review=0)
    sandbox.fault("result", "status", status=200, body=before, count=1)
    sandbox.fault("result", "status", status=200, body={"review_result": 1, "opinion": "Old."})
    response = submit(review, customer="cust-rejected")
    assert (response.status_code, response.get_json()["status"]) == (202, "IN_REVIEW")
    assert "Old." not in response.text


@pytest.mark.parametrize("form", [PERSON_FORM, COMPANY_FORM], ids=str)
def test_a_second_application_during_a_review_is_refused(review: FlaskClient, form: Form) -> None:
    assert submit(review, form).status_code == 202
    again = submit(review, form)
    assert (again.status_code, code(again)) == (409, "ALREADY_VERIFIED_OR_IN_REVIEW")
    assert submit(review, form, customer="cust-0002").status_code == 202


def test_a_rejected_customer_may_apply_again_at_review(
    review: FlaskClient, sandbox: SandboxDriver
) -> None:
    assert submit(review).status_code == 202
    sandbox.review(CUSTOMER, "rejected", "Blurred.")
    assert read(review).get_json()["status"] == "REJECTED"
    assert submit(review).status_code == 202
    assert read(review).get_json()["status"] == "IN_REVIEW"


def test_a_verified_individual_can_change_to_an_enterprise(
    review: FlaskClient, sandbox: SandboxDriver
) -> None:
    assert submit(review).status_code == 202
    sandbox.review(CUSTOMER, "passed")
    refused = submit(review, COMPANY_FORM)
    assert code(refused) == "ALREADY_VERIFIED_OR_IN_REVIEW"
    assert submit(review, CHANGE_FORM).status_code == 202
    sandbox.review(CUSTOMER, "passed")
    assert sandbox.state()["customers"][CUSTOMER]["verified_kind"] == 1


def test_legacy_refuses_a_customer_whom_huawei_is_reviewing(
    review: FlaskClient, legacy: FlaskClient
) -> None:
    assert submit(review, customer="review-hold-1").status_code == 202
    response = submit(legacy, customer="review-hold-1")
    assert (response.status_code, code(response)) == (409, "VERIFICATION_IN_PROGRESS")
