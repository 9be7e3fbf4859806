"""The registration of customers in the sandbox: checks and codes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.sandbox.onboarding import EMAIL, SUB_CUSTOMERS, Onboarding, code, onboarding
from tests.support.sandbox_driver import SandboxDriver

__all__ = ["onboarding"]

PARAMETER_ERROR = (400, "CBC.0100")


def test_a_check_tells_whether_an_email_or_a_name_is_used(onboarding: Onboarding) -> None:
    free = {"error_code": "CBC.0000", "check_result": "available"}
    assert onboarding.check("email", EMAIL).json() == free
    assert onboarding.check("name", "shop_1").json() == free
    assert onboarding.check("mobile", "0065-1234567").json() == {
        **free,
        "mobile_remain_available_num": 5,
    }
    onboarding.create_with_code(domain_name="shop_1")
    assert onboarding.check("email", EMAIL).json()["check_result"] == "used_by_user"
    assert onboarding.check("name", "shop_1").json()["check_result"] == "used_by_user"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "li.example.com"),
        ("email", f"{'x' * 60}@a.sg"),
        ("name", "four"),
        ("name", "1shop"),
        ("name", "op_shop"),
        ("name", "shadow_shop"),
        ("mobile", "+65-1234567"),
        ("phone", "0065-1234567"),
        ("email", None),
    ],
)
def test_a_check_refuses_a_value_that_does_not_match_its_type(
    onboarding: Onboarding, kind: str, value: Any
) -> None:
    assert code(onboarding.check(kind, value)) == PARAMETER_ERROR


def test_a_check_is_allowed_five_times_a_second(
    driver: SandboxDriver, onboarding: Onboarding
) -> None:
    driver.settings(requests_per_second=10)
    statuses = [onboarding.check("email", EMAIL).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]


def test_a_code_is_mailed_and_the_answer_is_empty(
    driver: SandboxDriver, onboarding: Onboarding
) -> None:
    response = onboarding.send_code(timeout=30)
    assert (response.status_code, response.content) == (204, b"")
    mail = driver.mails(EMAIL)[0]
    assert len(mail["code"]) == 6
    assert mail["language"] == "en-us"
    assert mail["expires_at"] - mail["sent_at"] == 1800


@pytest.mark.parametrize(("minutes", "valid"), [(None, 600), (60, 3600), (61, 300), (3000, 300)])
def test_a_code_with_a_timeout_above_an_hour_is_valid_for_five_minutes(
    driver: SandboxDriver, onboarding: Onboarding, minutes: int | None, valid: float
) -> None:
    onboarding.send_code(timeout=minutes)
    mail = driver.mails()[0]
    assert mail["expires_at"] - mail["sent_at"] == valid


@pytest.mark.parametrize(
    "changes",
    [
        {"receiver_type": 1},
        {"receiver_type": None},
        {"email": "li"},
        {"timeout": 0},
        {"timeout": 3001},
        {"lang": "en_US"},
        {"more": 1},
    ],
)
def test_a_malformed_request_for_a_code_sends_no_mail(
    driver: SandboxDriver, onboarding: Onboarding, changes: dict[str, Any]
) -> None:
    assert code(onboarding.send_code(**changes)) == PARAMETER_ERROR
    assert driver.mails() == []


def test_an_address_gets_a_limited_number_of_codes_an_hour_and_a_day(
    driver: SandboxDriver, onboarding: Onboarding
) -> None:
    driver.settings(codes_per_hour=2, codes_per_day=3)
    asked = [onboarding.send_code().status_code for _ in range(3)]
    assert asked == [204, 204, 400]
    assert onboarding.send_code(email="wang@example.com").status_code == 204
    driver.clock(3601)
    onboarding.ahead = timedelta(seconds=3601)
    assert onboarding.send_code().status_code == 204
    driver.clock(7300)
    onboarding.ahead = timedelta(seconds=7300)
    assert code(onboarding.send_code()) == (400, "CBC.99004015")


@pytest.mark.parametrize("number", ["0151", "99000037", "99000050", "50010059", "12345678"])
def test_every_code_can_be_chosen_without_a_customer_id(
    onboarding: Onboarding, number: str
) -> None:
    refusal, email = f"CBC.{number}", f"code-CBC-{number}@example.com"
    assert code(onboarding.create(xaccount_id=f"code-CBC-{number}"))[1] == refusal
    assert code(onboarding.check("email", email))[1] == refusal
    assert code(onboarding.check("name", f"code-CBC-{number}"))[1] == refusal
    assert code(onboarding.send_code(email=email))[1] == refusal


@pytest.mark.parametrize(
    ("kind", "status", "content"),
    [
        ("truncated", 200, None),
        ("bad_json", 200, b"{,,"),
        ("not_object", 200, b"[]"),
        ("html", 502, None),
        ("empty", 200, b""),
    ],
)
def test_a_fault_changes_an_empty_answer_too(
    driver: SandboxDriver, onboarding: Onboarding, kind: str, status: int, content: bytes | None
) -> None:
    driver.fault("send_code", kind, count=1)
    response = onboarding.send_code(stream=True)
    assert response.status_code == status
    assert content is None or content == response.raw.read()
    assert len(driver.mails()) == (kind != "html")


def test_the_paths_of_the_registration_answer_their_method_only(onboarding: Onboarding) -> None:
    assert code(onboarding.get(f"{SUB_CUSTOMERS}/freeze")) == (404, "APIGW.0101")
