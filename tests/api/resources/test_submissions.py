"""Submissions on the legacy backend: the body for Huawei, and the answer to the caller."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.settings import Settings
from tests.support.gateway import (
    CHANGE_PATH,
    COMPANY,
    CUSTOMER,
    ENTERPRISE_PATH,
    INDIVIDUAL_PATH,
    PARTNER_ID,
    PERSON,
    altered,
    bearer,
)
from tests.support.sandbox_driver import SandboxDriver

TARGET = f"/v1.0/{PARTNER_ID}/partner/customer-mgr/verified-info"
SENT_PERSON = {
    "xaccountType": "PARTNER01",
    "xaccountId": "shop-981",
    "domainId": CUSTOMER,
    "verifiedType": 0,
    "verifiedStatus": 2,
    "name": "ZHANG SAN",
    "identifyType": 2,
    "verifiedNumber": "E1234567",
}
SENT_COMPANY = {
    "xaccountType": "PARTNER01",
    "xaccountId": "shop-77",
    "domainId": CUSTOMER,
    "verifiedType": 1,
    "verifiedStatus": 2,
    "name": "Example Trading Co., Ltd.",
    "identifyType": 3,
    "verifiedNumber": "91330000X",
}
KINDS = {
    "INDIVIDUAL": (INDIVIDUAL_PATH, PERSON, SENT_PERSON),
    "ENTERPRISE": (ENTERPRISE_PATH, COMPANY, SENT_COMPANY),
    "ENTERPRISE_CHANGE": (CHANGE_PATH, COMPANY, SENT_COMPANY),
}


def post(client: FlaskClient, path: str, body: Any) -> TestResponse:
    return client.post(path, json=body, headers=bearer())


def changed(body: dict[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """The body with the value at a pointer replaced; without it if the value is `...`."""
    copy: dict[str, Any] = json.loads(json.dumps(body))
    *parents, last = pointer.strip("/").split("/")
    place = copy
    for name in parents:
        place = place.setdefault(name, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return copy


def refused(response: TestResponse, sandbox: SandboxDriver) -> list[tuple[str, str]]:
    """Pointers and codes of the broken rules. Asserts that nothing was sent."""
    problem = response.get_json()
    assert response.status_code == 422, problem
    assert sandbox.requests() == []
    return [(error["pointer"], error["code"]) for error in problem["errors"]]


@pytest.mark.parametrize("kind", KINDS)
def test_huawei_receives_exactly_the_documented_body(
    client: FlaskClient, sandbox: SandboxDriver, kind: str
) -> None:
    path, body, expected = KINDS[kind]
    assert post(client, path, body).status_code == 201
    (sent,) = sandbox.requests()
    assert (sent["method"], sent["target"], sent["processed"]) == ("PUT", TARGET, True)
    assert json.loads(sent["body"]) == expected
    numbers = {name for name, value in json.loads(sent["body"]).items() if isinstance(value, int)}
    assert numbers == {"verifiedType", "verifiedStatus", "identifyType"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_legacy_body_can_send_its_numbers_as_strings(
    settings: Settings, sandbox: SandboxDriver, kind: str
) -> None:
    path, body, expected = KINDS[kind]
    client = create_app(altered(settings, verification={"legacy_numbers": "string"})).test_client()
    assert post(client, path, body).status_code == 201
    (sent,) = sandbox.requests()
    assert json.loads(sent["body"]) == {name: str(value) for name, value in expected.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_the_answer_to_a_submission_holds_nothing_personal(
    client: FlaskClient, sandbox: SandboxDriver, kind: str
) -> None:
    path, body, _ = KINDS[kind]
    before = datetime.now(UTC) - timedelta(seconds=1)
    response = post(client, path, body)
    answered = response.get_json()
    submitted_at, checked_at = (
        datetime.strptime(answered.pop(name), "%Y-%m-%dT%H:%M:%S%z")
        for name in ("submitted_at", "checked_at")
    )
    assert answered == {
        "customer_id": CUSTOMER,
        "kind": kind,
        "status": "VERIFIED",
        "final": True,
        "backend": "legacy",
    }
    assert before <= submitted_at <= checked_at <= datetime.now(UTC)
    assert response.headers["Content-Type"] == "application/json"
    assert len(sandbox.requests()) == 1


@pytest.mark.parametrize(
    ("kind", "document", "number"),
    [
        ("INDIVIDUAL", "ID_CARD", 1),
        ("INDIVIDUAL", "PASSPORT", 2),
        ("INDIVIDUAL", "ID_CARD_GEN1", 4),
        ("INDIVIDUAL", "ID_CARD_TEMPORARY", 5),
        ("ENTERPRISE", "BUSINESS_LICENSE", 3),
        ("ENTERPRISE", "ORGANIZATION_CODE", 11),
        ("ENTERPRISE_CHANGE", "ORGANIZATION_CODE", 11),
    ],
)
def test_each_document_type_is_sent_as_huaweis_number(
    client: FlaskClient, sandbox: SandboxDriver, kind: str, document: str, number: int
) -> None:
    path, body, _ = KINDS[kind]
    assert post(client, path, changed(body, "/document/type", document)).status_code == 201
    assert json.loads(sandbox.requests()[0]["body"])["identifyType"] == number


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("INDIVIDUAL", "HK_MACAU_PERMIT"),
        ("INDIVIDUAL", "TAIWAN_PERMIT"),
        ("INDIVIDUAL", "HK_MACAU_RESIDENCE"),
        ("INDIVIDUAL", "TAIWAN_RESIDENCE"),
        ("ENTERPRISE", "INSTITUTION_CERTIFICATE"),
        ("ENTERPRISE", "SOCIAL_ORGANIZATION_CERTIFICATE"),
        ("ENTERPRISE", "LAW_ENFORCEMENT_CERTIFICATE"),
        ("ENTERPRISE_CHANGE", "OTHER"),
    ],
)
def test_a_document_type_that_only_review_accepts_is_unsupported_on_legacy(
    client: FlaskClient, sandbox: SandboxDriver, kind: str, document: str
) -> None:
    path, body, _ = KINDS[kind]
    response = post(client, path, changed(body, "/document/type", document))
    assert refused(response, sandbox) == [("/document/type", "DOCUMENT_TYPE_UNSUPPORTED")]
    assert response.get_json()["code"] == "DOCUMENT_TYPE_UNSUPPORTED"


@pytest.mark.parametrize("wrong", ["", "passport", "DRIVING_LICENCE", "2", "6", "10"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_document_type_is_refused(
    client: FlaskClient, sandbox: SandboxDriver, kind: str, wrong: str
) -> None:
    path, body, _ = KINDS[kind]
    response = post(client, path, changed(body, "/document/type", wrong))
    assert refused(response, sandbox) == [("/document/type", "NOT_ALLOWED")]
    assert response.get_json()["code"] == "VALIDATION_FAILED"


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("INDIVIDUAL", "BUSINESS_LICENSE"),
        ("INDIVIDUAL", "ORGANIZATION_CODE"),
        ("INDIVIDUAL", "OTHER"),
        ("ENTERPRISE", "PASSPORT"),
        ("ENTERPRISE", "ID_CARD"),
        ("ENTERPRISE_CHANGE", "ID_CARD_GEN1"),
    ],
)
def test_a_companys_document_type_is_refused_for_a_person_and_vice_versa(
    client: FlaskClient, sandbox: SandboxDriver, kind: str, wrong: str
) -> None:
    path, body, _ = KINDS[kind]
    response = post(client, path, changed(body, "/document/type", wrong))
    assert refused(response, sandbox) == [("/document/type", "NOT_ALLOWED")]


def test_all_broken_rules_are_reported_in_one_answer(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    body = {"full_name": "12", "document": {"number": "a b"}, "partner_user_id": "x" * 65}
    assert set(refused(post(client, INDIVIDUAL_PATH, body), sandbox)) == {
        ("/full_name", "NAME"),
        ("/document/type", "REQUIRED"),
        ("/document/number", "NUMBER"),
        ("/partner_user_id", "LENGTH"),
    }


def test_legacy_accepts_registration_representative_and_attachments_and_does_not_send_them(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    body = {
        **COMPANY,
        "registration": {"country": "CN", "address": "1 Example Road"},
        "representative": {"full_name": "LI SI", "id_number": "E7654321"},
        "attachments": ["kyc/77/licence.jpg"],
    }
    assert post(client, ENTERPRISE_PATH, body).status_code == 201
    assert json.loads(sandbox.requests()[0]["body"]) == SENT_COMPANY


@pytest.mark.parametrize("customer", [CUSTOMER, "code-CBC-5002"])
def test_answers_about_a_customer_must_not_be_cached(client: FlaskClient, customer: str) -> None:
    path = f"/v1/customers/{customer}/verifications/individual"
    assert post(client, path, PERSON).headers["Cache-Control"] == "no-store"
