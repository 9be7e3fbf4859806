"""Budgets and freezes in the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.onboarding import SUB_CUSTOMERS, Onboarding, code, onboarding
from tests.support.sandbox_driver import SandboxDriver

__all__ = ["onboarding"]

PARAMETER_ERROR = (400, "CBC.0100")


@pytest.fixture
def customer(onboarding: Onboarding) -> str:
    """A customer that was created and is associated."""
    return onboarding.created()


def is_frozen(onboarding: Onboarding, customer_id: str) -> int:
    return int(onboarding.listed(customer_id=customer_id)[0]["is_frozen"])


@pytest.mark.parametrize("status", [200, 204])
def test_a_budget_is_set_to_an_amount_and_opens_the_account(
    driver: SandboxDriver, onboarding: Onboarding, customer: str, status: int
) -> None:
    driver.settings(write_status=status)
    response = onboarding.set_budget(customer, budget_amount=500.1)
    assert (response.status_code, response.content) == (status, b"")
    assert onboarding.budget(customer).json() == {
        "budget_amount": 500.1,
        "used_amount": 0,
        "measure_id": 1,
        "currency": "USD",
        "budget_type": "MONTHLY",
    }
    assert is_frozen(onboarding, customer) == 1
    onboarding.set_budget(customer, cancel_partner_frozen="1", budget_type="PACKAGE")
    assert onboarding.budget(customer).json()["budget_type"] == "PACKAGE"
    assert is_frozen(onboarding, customer) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"budget_amount": 0},
        {"budget_amount": -1},
        {"budget_amount": 1.001},
        {"budget_amount": 2147483648},
        {"budget_amount": 2147483647.01},
        {"budget_amount": "500"},
        {"budget_amount": True},
        {"budget_amount": None},
        {"budget_type": ""},
        {"budget_type": "YEARLY"},
        {"cancel_partner_frozen": 1},
        {"cancel_partner_frozen": "2"},
        {"frozen_operate_type": "1"},
        {"more": 1},
    ],
)
def test_a_malformed_budget_is_refused_and_changes_nothing(
    onboarding: Onboarding, customer: str, changes: dict[str, Any]
) -> None:
    assert code(onboarding.set_budget(customer, **changes)) == PARAMETER_ERROR
    assert onboarding.records(customer).json()["total_count"] == 0


def test_the_largest_budget_is_accepted(onboarding: Onboarding, customer: str) -> None:
    assert onboarding.set_budget(customer, budget_amount=2147483647).status_code == 200


def test_every_change_of_a_budget_is_recorded(
    driver: SandboxDriver, onboarding: Onboarding, customer: str
) -> None:
    for amount, kind in ((100, "MONTHLY"), (200.5, "PACKAGE"), (300, "MONTHLY")):
        onboarding.set_budget(customer, budget_amount=amount, budget_type=kind)

    def amounts(**query: Any) -> list[float]:
        records = onboarding.records(customer, **query).json()["record_list"]
        return [record["budget_amount"] for record in records]

    assert amounts() == [300, 200.5, 100]
    assert amounts(limit=1, offset=1) == [200.5]
    assert amounts(budget_type="MONTHLY") == [300, 100]
    assert amounts(operation_type="DELETE") == []
    driver.settings(newest_record_first=False)
    assert amounts() == [100, 200.5, 300]
    record = onboarding.records(customer).json()["record_list"][0]
    assert record["operation_time"].endswith("Z")
    assert (record["operation_type"], record["operator"]) == ("SETTING", "partner")


@pytest.mark.parametrize(
    "query", [{"limit": 101}, {"limit": 0}, {"offset": -1}, {"operation_type": ""}]
)
def test_the_records_refuse_a_malformed_filter(
    onboarding: Onboarding, customer: str, query: dict[str, Any]
) -> None:
    assert code(onboarding.records(customer, **query)) == PARAMETER_ERROR


def test_many_budgets_leave_out_other_ids_and_referrals(
    driver: SandboxDriver, onboarding: Onboarding, customer: str
) -> None:
    driver.customer("referral", association="1")
    ids = [customer, "referral", "unknown"]
    answer = onboarding.post(f"{SUB_CUSTOMERS}/budget/query", customer_ids=ids).json()
    assert [info["customer_id"] for info in answer["budget_infos"]] == [customer]
    assert answer["currency"] == "USD"


@pytest.mark.parametrize("ids", [[], [str(number) for number in range(101)], ["x" * 65], "c"])
def test_many_budgets_need_1_to_100_ids(onboarding: Onboarding, ids: Any) -> None:
    response = onboarding.post(f"{SUB_CUSTOMERS}/budget/query", customer_ids=ids)
    assert code(response) == PARAMETER_ERROR


def test_a_customer_without_a_budget_can_answer_a_code(
    driver: SandboxDriver, onboarding: Onboarding, customer: str
) -> None:
    driver.settings(no_budget_code="CBC.99000035")
    assert code(onboarding.budget(customer)) == (400, "CBC.99000035")
    answer = onboarding.post(f"{SUB_CUSTOMERS}/budget/query", customer_ids=[customer]).json()
    assert answer["budget_infos"] == []
    onboarding.set_budget(customer)
    assert onboarding.budget(customer).status_code == 200


@pytest.mark.parametrize(("automatic", "frozen"), [(None, 0), (0, 0), (1, 1)])
def test_an_exceeded_budget_freezes_the_customer_if_it_says_so(
    driver: SandboxDriver,
    onboarding: Onboarding,
    customer: str,
    automatic: int | None,
    frozen: int,
) -> None:
    onboarding.set_budget(customer, cancel_partner_frozen="1", frozen_operate_type=automatic)
    driver.customer(customer, budget={"used": "500"})
    assert is_frozen(onboarding, customer) == 0
    driver.customer(customer, budget={"used": "500.01"})
    assert is_frozen(onboarding, customer) == frozen


@pytest.mark.parametrize("kind", ["ACCOUNT", "ACCOUNT_AND_RESOURCE"])
def test_a_customer_is_unfrozen_by_the_kind_of_its_freeze(
    onboarding: Onboarding, customer: str, kind: str
) -> None:
    response = onboarding.change("freeze", customer, freeze_type=kind)
    assert (response.status_code, response.content) == (200, b"")
    other = ({"ACCOUNT", "ACCOUNT_AND_RESOURCE"} - {kind}).pop()
    failed = onboarding.change("unfreeze", customer, unfreeze_type=other)
    assert failed.json()["error_details"][0]["error_code"] == "CBC.0100"
    assert is_frozen(onboarding, customer) == 1
    assert onboarding.change("unfreeze", customer, unfreeze_type=kind).content == b""
    assert is_frozen(onboarding, customer) == 0


def test_failed_customers_of_a_freeze_are_named_under_http_200(
    driver: SandboxDriver, onboarding: Onboarding, customer: str
) -> None:
    driver.customer("referral", association="1")
    ids = (customer, "unknown", "referral", "code-CBC-5004")
    response = onboarding.change("freeze", *ids)
    failed = {entry["id"]: entry["error_code"] for entry in response.json()["error_details"]}
    assert response.status_code == 200
    assert failed == {
        "unknown": "CBC.99000035",
        "referral": "CBC.99005024",
        "code-CBC-5004": "CBC.5004",
    }
    assert driver.processed("freeze") == 1
    onboarding.change("freeze", "unknown")
    assert driver.processed("freeze") == 1
    assert code(onboarding.change("freeze", "code-CBC-0151-403")) == (403, "CBC.0151")


def test_a_freeze_of_a_frozen_customer_succeeds_unless_a_setting_says_otherwise(
    driver: SandboxDriver, onboarding: Onboarding, customer: str
) -> None:
    assert onboarding.change("freeze", customer).content == b""
    driver.settings(same_state_code="CBC.5024")
    for verb, entries in (("freeze", 1), ("unfreeze", 0), ("unfreeze", 1)):
        response = onboarding.change(verb, customer)
        assert (response.content != b"") == bool(entries)


@pytest.mark.parametrize("changes", [True, False])
def test_a_second_freeze_changes_the_kind_if_a_setting_says_so(
    driver: SandboxDriver, onboarding: Onboarding, customer: str, changes: bool
) -> None:
    driver.settings(refreeze_changes_kind=changes)
    for kind in ("ACCOUNT", "ACCOUNT_AND_RESOURCE"):
        onboarding.change("freeze", customer, freeze_type=kind)
    kind = "ACCOUNT_AND_RESOURCE" if changes else "ACCOUNT"
    assert onboarding.change("unfreeze", customer, unfreeze_type=kind).content == b""


@pytest.mark.parametrize(
    "changes",
    [
        {"customer_ids": []},
        {"customer_ids": [f"c{number}" for number in range(11)]},
        {"reason": None},
        {"reason": "x" * 257},
        {"freeze_type": ""},
        {"freeze_type": "ALL"},
        {"unfreeze_type": "ACCOUNT"},
    ],
)
def test_a_malformed_freeze_is_refused(
    onboarding: Onboarding, customer: str, changes: dict[str, Any]
) -> None:
    assert code(onboarding.change("freeze", customer, **changes)) == PARAMETER_ERROR


def test_a_referral_customer_has_no_budget_to_set(
    driver: SandboxDriver, onboarding: Onboarding
) -> None:
    driver.customer("referral", association="1")
    assert code(onboarding.set_budget("referral"))[1] == "CBC.99005024"
    assert code(onboarding.set_budget("unknown")) == (400, "CBC.99000035")
    assert code(onboarding.set_budget("code-CBC-50000030"))[1] == "CBC.50000030"
