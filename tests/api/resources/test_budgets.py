"""Budgets of many customers, the changes of a budget, and the metric of the partner's credit."""

from __future__ import annotations

import time

import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from tests.support.declared_reads import get
from tests.support.gateway import code
from tests.support.sandbox_driver import SandboxDriver


def test_budgets_of_many_customers_name_the_missing_ones(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.customer("cust-1", budget={"amount": "500.10", "used": "1.00000001"})
    sandbox.customer("referral", association="1")
    assert get(reads, "/v1/budgets?customer_ids=referral,cust-1,unknown").get_json() == {
        "items": [
            {"customer_id": "cust-1", "amount": "500.10", "used": "1.00000001", "period": "MONTHLY"}
        ],
        "currency": "USD",
        "missing": ["referral", "unknown"],
    }


def test_a_hundred_budgets_are_one_call(reads: FlaskClient, sandbox: SandboxDriver) -> None:
    ids = [f"cust-{number}" for number in range(100)]
    answer = get(reads, f"/v1/budgets?customer_ids={','.join(ids)}")
    assert answer.get_json()["missing"] == ids
    assert len(sandbox.requests()) == 1


@pytest.mark.parametrize(
    "query",
    [
        "",
        "customer_ids=",
        "customer_ids=a,,b",
        "customer_ids=a, b",
        "customer_ids=a.b",
        f"customer_ids={'x' * 65}",
        f"customer_ids={','.join(str(number) for number in range(101))}",
        "customer_ids=a&limit=1",
    ],
)
def test_a_malformed_list_of_customers_is_refused_before_huawei_is_asked(
    reads: FlaskClient, sandbox: SandboxDriver, query: str
) -> None:
    assert code(get(reads, f"/v1/budgets?{query}")) == "VALIDATION_FAILED"
    assert sandbox.requests() == []


def test_a_limited_caller_reads_no_budget_if_one_customer_is_not_its_own(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    path = "/v1/budgets?customer_ids=cust-1,other-1"
    assert code(get(reads, path, "old-rotating-key")) == "FORBIDDEN"
    assert sandbox.requests() == []


def test_a_budget_of_an_id_that_was_not_asked_for_is_left_out(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    other = {
        "customer_id": "other",
        "budget_amount": 1,
        "used_amount": 0,
        "budget_type": "MONTHLY",
    }
    sandbox.fault("list_budgets", "status", status=200, body={"budget_infos": [other]})
    answer = get(reads, "/v1/budgets?customer_ids=cust-1").get_json()
    assert answer == {"items": [], "missing": ["cust-1"]}


@pytest.mark.parametrize(
    ("credit", "ratio"),
    [
        ({"quota": "10000", "due": "8000", "unbilled": "0.5"}, 0.80005),
        ({"quota": "100", "due": "0", "unbilled": "0", "balance": "50"}, -0.5),
    ],
)
def test_a_read_of_the_credit_updates_its_metric(
    reads: FlaskClient, sandbox: SandboxDriver, credit: dict[str, str], ratio: float
) -> None:
    sandbox.credit(**credit)
    before = time.time()
    assert get(reads, "/v1/partner/credit").status_code == 200
    account = {"account": "default"}
    used = REGISTRY.get_sample_value("gateway_credit_used_ratio", account)
    assert used == pytest.approx(ratio)
    read_at = REGISTRY.get_sample_value("gateway_credit_read_timestamp_seconds", account)
    assert read_at is not None
    assert read_at >= before


def test_a_credit_of_zero_is_answered_and_has_no_ratio(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.credit(quota="0")
    assert get(reads, "/v1/partner/credit").get_json()["quota"] == "0"
