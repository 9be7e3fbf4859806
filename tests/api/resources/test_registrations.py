"""What comes before a new customer: the check of a name or e-mail, and the mail with a code."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.huawei import codes
from tests.huawei.test_codes import LISTED, SENT, customer
from tests.support.gateway import bearer
from tests.support.onboarding import post
from tests.support.sandbox_driver import SandboxDriver

EMAIL = "li@example.com"
REGISTRATION: dict[str, str] = {
    entry["code"]: entry["registration"] for entry in LISTED if "registration" in entry
}


def sent(sandbox: SandboxDriver) -> list[Any]:
    """The bodies of the requests to Huawei."""
    return [json.loads(entry["body"]) for entry in sandbox.requests()]


@pytest.mark.parametrize(
    ("asked", "kind"), [({"email": EMAIL}, "email"), ({"account_name": "shop_981"}, "name")]
)
def test_a_check_tells_whether_a_value_is_free(
    registrar: FlaskClient, sandbox: SandboxDriver, asked: dict[str, str], kind: str
) -> None:
    assert post(registrar, "check", **asked) == ("200", {"available": True})
    sandbox.customer("cust-1", name="shop_981", email=EMAIL)
    assert post(registrar, "check", **asked) == ("200", {"available": False})
    body = {"search_type": kind, "search_value": next(iter(asked.values()))}
    assert sent(sandbox) == [body, body]
    assert all("?" not in entry["target"] for entry in sandbox.requests())


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"email": EMAIL, "account_name": "shop_981"},
        {"email": None},
        {"email": "li.example.com"},
        {"email": "@"},
        {"email": f"{'x' * 60}@a.sg"},
        {"account_name": "four"},
        {"account_name": "1shop"},
        {"account_name": "x" * 33},
        {"account_name": "op_shop"},
        {"account_name": "shadow_shop"},
        {"account_name": "shop 981"},
        {"mobile": "0065-1234567"},
    ],
)
def test_a_malformed_check_is_refused_before_huawei_is_asked(
    registrar: FlaskClient, sandbox: SandboxDriver, asked: dict[str, Any]
) -> None:
    assert post(registrar, "check", **asked)[0] == "VALIDATION_FAILED"
    assert sandbox.requests() == []


def test_an_unknown_result_of_a_check_is_malformed(
    registrar: FlaskClient, sandbox: SandboxDriver
) -> None:
    for body in ({}, {"check_result": "perhaps"}, {"check_result": None}):
        sandbox.clear_faults()
        sandbox.fault("check_identity", "status", status=200, body=body)
        assert post(registrar, "check", email=EMAIL)[0] == "UPSTREAM_MALFORMED"


@pytest.mark.parametrize(
    ("asked", "language"),
    [({}, "en-us"), ({"language": "EN"}, "en-us"), ({"language": "ZH"}, "zh-cn")],
)
def test_a_code_is_mailed_and_the_answer_is_empty(
    registrar: FlaskClient, sandbox: SandboxDriver, asked: dict[str, str], language: str
) -> None:
    assert post(registrar, "code", email=EMAIL, **asked) == ("204", {})
    assert sent(sandbox) == [{"receiver_type": 2, "email": EMAIL, "lang": language}]
    assert len(sandbox.mails(EMAIL)) == 1


@pytest.mark.parametrize("asked", [{}, {"email": "li"}, {"email": EMAIL, "language": "FR"}])
def test_a_malformed_address_gets_no_code(
    registrar: FlaskClient, sandbox: SandboxDriver, asked: dict[str, Any]
) -> None:
    assert post(registrar, "code", **asked)[0] == "VALIDATION_FAILED"
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    ("fault", "more", "mails"),
    [
        ("reset", {}, 1),
        ("reset", {"processed": False}, 0),
        ("html", {}, 0),
        ("bad_json", {}, 1),
        ("not_object", {}, 1),
        ("truncated", {}, 1),
        ("code", {"code": "CBC.0999"}, 0),
        ("code", {"code": "CBC.99424242"}, 0),
        ("status", {"status": 200, "body": {"sent": True}}, 0),
        ("status", {"status": 202, "body": ""}, 0),
    ],
)
def test_a_code_whose_answer_is_lost_is_sent_once_and_only_the_customer_can_tell(
    registrar: FlaskClient, sandbox: SandboxDriver, fault: str, more: dict[str, Any], mails: int
) -> None:
    sandbox.fault("send_code", fault, **more)
    code, problem = post(registrar, "code", email=EMAIL)
    assert code in ("OUTCOME_UNKNOWN", "UPSTREAM_ERROR", "UPSTREAM_UNMAPPED", "UPSTREAM_MALFORMED")
    assert (problem["retry"], problem["retry_after_s"]) == ("AFTER_DELAY", 60)
    assert "Ask the customer" in problem["detail"]
    assert (len(sandbox.requests()), len(sandbox.mails())) == (1, mails)


def test_the_limit_of_codes_is_told_with_an_hour_to_wait(
    registrar: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.settings(codes_per_hour=1)
    assert post(registrar, "code", email=EMAIL)[0] == "204"
    code, problem = post(registrar, "code", email=EMAIL)
    assert (code, problem["retry"]) == ("SEND_LIMIT_REACHED", "AFTER_DELAY")
    assert problem["retry_after_s"] == 3600


@pytest.mark.parametrize("what", ["check", "code"])
@pytest.mark.parametrize("key", ["reader-key", "old-rotating-key"])
def test_only_a_caller_for_all_customers_with_the_scope_may_register(
    registrar: FlaskClient, sandbox: SandboxDriver, what: str, key: str
) -> None:
    path = f"/v1/registrations/{what}"
    answer = registrar.post(path, json={"email": EMAIL}, headers=bearer(key))
    assert answer.get_json()["code"] == "FORBIDDEN"
    assert sandbox.requests() == []


def test_checks_are_sent_five_times_a_second_at_most(
    registrar: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.settings(requests_per_second=10)
    answers = [post(registrar, "check", email=EMAIL)[0] for _ in range(7)]
    assert answers == ["200"] * 7
    assert {entry["status"] for entry in sandbox.requests()} == {200}


def test_the_codes_of_the_registration_are_those_that_huawei_documents() -> None:
    assert {name: entry.name for name, entry in codes.REGISTRATION.items()} == REGISTRATION


@pytest.mark.parametrize("name", sorted(REGISTRATION))
def test_a_code_of_the_registration_has_one_meaning_whatever_the_status(
    registrar: FlaskClient, sandbox: SandboxDriver, name: str
) -> None:
    sent = [f"{customer(name, status)}@example.com" for status in SENT]
    assert {post(registrar, "code", email=one)[0] for one in sent} == {REGISTRATION[name]}
    assert len(sandbox.requests()) == len(sent)
