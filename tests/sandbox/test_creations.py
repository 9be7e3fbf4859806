"""The creation of customers in the sandbox, and their association."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.onboarding import EMAIL, Onboarding, code, onboarding
from tests.support.sandbox_driver import SandboxDriver

__all__ = ["onboarding"]


def test_a_created_customer_is_associated_later_and_starts_frozen_without_a_budget(
    driver: SandboxDriver, onboarding: Onboarding
) -> None:
    driver.settings(association_seconds=60)
    response = onboarding.create_with_code(domain_name="shop_1", password="pass-word-1")
    customer_id = response.json()["domain_id"]
    assert (response.status_code, response.json()["domain_name"]) == (200, "shop_1")
    assert onboarding.listed() == []
    assert code(onboarding.budget(customer_id)) == (400, "CBC.99000035")
    driver.clock(61)
    (info,) = onboarding.listed(account_name="shop")
    assert (info["customer_id"], info["xaccount_id"]) == (customer_id, "shop-1")
    assert (info["is_frozen"], info["association_type"]) == (1, "3")
    assert info["email"] == EMAIL
    assert onboarding.budget(customer_id).json()["budget_amount"] == 0
    assert "pass-word-1" not in str(driver.state())


@pytest.mark.parametrize("name", [None, ""])
def test_a_customer_without_a_name_gets_one_of_32_characters(
    onboarding: Onboarding, name: str | None
) -> None:
    assert len(onboarding.create(domain_name=name).json()["domain_name"]) == 32


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"domain_area": "Singapore"}, "CBC.0100"),
        ({"domain_area": None}, "CBC.0100"),
        ({"xaccount_id": "x" * 129}, "CBC.0100"),
        ({"xaccount_type": "OTHER"}, "CBC.0100"),
        ({"email": EMAIL}, "CBC.0100"),
        ({"verification_code": "123456"}, "CBC.0100"),
        ({"email": "li", "verification_code": "123456"}, "CBC.0100"),
        ({"email": EMAIL, "verification_code": "12345"}, "CBC.0100"),
        ({"is_close_market_ms": True}, "CBC.0100"),
        ({"include_association_result": "true"}, "CBC.0100"),
        ({"more": 1}, "CBC.0100"),
        ({"domain_name": "four"}, "CBC.99000031"),
        ({"domain_name": "x" * 33}, "CBC.99000031"),
        ({"domain_name": "1shop"}, "CBC.99000031"),
        ({"domain_name": "op_shop"}, "CBC.99000031"),
        ({"domain_name": "shop 1"}, "CBC.99000031"),
        ({"password": "short-1"}, "CBC.99000036"),
        ({"password": "onlyletters"}, "CBC.99000036"),
        ({"password": "x1" * 17}, "CBC.99000036"),
        ({"password": "shop_number", "domain_name": "shop_number"}, "CBC.99000036"),
        ({"password": "rebmun_pohs", "domain_name": "shop_number"}, "CBC.99000036"),
    ],
)
def test_a_malformed_creation_is_refused_with_the_code_of_its_field(
    driver: SandboxDriver, onboarding: Onboarding, changes: dict[str, Any], refusal: str
) -> None:
    assert code(onboarding.create(**changes)) == (400, refusal)
    assert driver.processed() == 0
    assert onboarding.listed() == []


def test_names_emails_and_ids_of_the_partner_are_unique(
    driver: SandboxDriver, onboarding: Onboarding
) -> None:
    onboarding.create_with_code(domain_name="shop_1")
    again = onboarding.create(domain_name="shop_2")
    assert code(again) == (400, "CBC.99000039")
    again = onboarding.create(xaccount_id="shop-2", domain_name="shop_1")
    assert code(again) == (400, "CBC.99000038")
    assert code(onboarding.create_with_code(xaccount_id="shop-2")) == (400, "CBC.99000051")
    driver.settings(email_taken_code="CBC.0999")
    assert code(onboarding.create_with_code(xaccount_id="shop-2")) == (500, "CBC.0999")


def test_a_wrong_code_is_refused_and_dies_after_too_many_tries(
    onboarding: Onboarding,
) -> None:
    onboarding.send_code()
    wrong = {"email": EMAIL, "verification_code": "wrong!"}
    refusals = [code(onboarding.create(**wrong))[1] for _ in range(5)]
    assert refusals == ["CBC.99004010"] * 4 + ["CBC.99004009"]
    assert code(onboarding.create(**onboarding.given_code())) == (400, "CBC.99004009")
    assert onboarding.create_with_code().status_code == 200


def test_a_code_expires_and_a_later_code_replaces_it(
    driver: SandboxDriver, onboarding: Onboarding
) -> None:
    onboarding.send_code()
    first = onboarding.given_code()
    driver.clock(601)
    assert code(onboarding.create(**first)) == (400, "CBC.99004008")
    assert onboarding.create_with_code().status_code == 200
    used = onboarding.create(email="other@example.com", verification_code="123456")
    assert code(used) == (400, "CBC.99000039")


def test_a_magic_id_of_the_partner_answers_a_late_association_with_the_new_id(
    driver: SandboxDriver, onboarding: Onboarding
) -> None:
    response = onboarding.create(xaccount_id="associate-timeout-1", domain_name="shop_1")
    assert code(response) == (500, "CBC.99000050")
    (info,) = onboarding.listed()
    assert info["customer_id"] == response.json()["domain_id"]
    assert response.json()["domain_name"] == "shop_1"
    assert driver.processed("create_customer") == 1


def test_a_held_association_ends_by_a_control_call(
    driver: SandboxDriver, onboarding: Onboarding
) -> None:
    customer_id = onboarding.created(xaccount_id="associate-hold-1")
    assert onboarding.listed() == []
    driver.customer(customer_id)
    (info,) = onboarding.listed()
    assert (info["customer_id"], info["is_frozen"]) == (customer_id, 1)
    assert info["associated_on"].endswith("Z")


def test_a_setting_lists_a_customer_before_its_association(
    driver: SandboxDriver, onboarding: Onboarding
) -> None:
    driver.settings(association_seconds=60, pending_listed=True)
    customer_id = onboarding.created(domain_name="shop_1")
    (info,) = onboarding.listed(account_name="shop_1")
    assert (info["customer_id"], info["associated_on"]) == (customer_id, "")
    assert code(onboarding.budget(customer_id)) == (400, "CBC.99000035")
    driver.clock(61)
    (info,) = onboarding.listed(account_name="shop_1")
    assert info["associated_on"].endswith("Z")


def test_a_setting_gives_every_mail_the_same_code(
    driver: SandboxDriver, onboarding: Onboarding
) -> None:
    driver.settings(mail_code="Abc-12")
    onboarding.send_code()
    created = onboarding.create(email=EMAIL, verification_code="Abc-12")
    assert created.status_code == 200
    for wrong in ("12345", 123456, ""):
        with pytest.raises(ValueError, match="mail_code"):
            driver.settings(mail_code=wrong)
