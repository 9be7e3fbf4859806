"""Bills, orders, refunds and pay-per-use resources in the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.sandbox.onboarding import SUB_CUSTOMERS, Onboarding, code, onboarding
from tests.support.partner import Partner
from tests.support.sandbox_driver import SandboxDriver

__all__ = ["onboarding"]

BILL = "/v2/bills/partner-bills/postpaid-bill-summary"
ORDERS = "/v2/orders/customer-orders"
RESOURCES = f"{SUB_CUSTOMERS}/on-demand-resources/query"
PARAMETER_ERROR = (400, "CBC.0100")


def bill(onboarding: Onboarding, month: str) -> requests.Response:
    return onboarding.get(BILL, bill_cycle=month)


def ids(response: requests.Response) -> list[str]:
    return [info["order_id"] for info in response.json()["order_infos"]]


def test_a_bill_is_huaweis_example_or_what_a_control_call_sets(
    driver: SandboxDriver, onboarding: Onboarding
) -> None:
    assert bill(onboarding, "2020-12").json() == {
        "bill_cycle": "2020-12",
        "initial_amount_due": 90,
        "consume_amount": 140,
        "refunds": -30,
        "adjustments": -20,
        "tax_amount": 10,
        "currency": "USD",
    }
    driver.bill("2020-12", consumed="0.00000001", refunded="0", adjusted="0", tax="0")
    assert '"initial_amount_due": 1E-8' in bill(onboarding, "2020-12").text


@pytest.mark.parametrize(("seconds", "expected"), [(-60, (500, "CBC.0999")), (60, (200, None))])
def test_a_bill_exists_from_the_5th_at_noon_in_beijing(
    driver: SandboxDriver, onboarding: Onboarding, seconds: int, expected: tuple[int, Any]
) -> None:
    ready = datetime(2098, 1, 5, 4, tzinfo=UTC)
    onboarding.ahead = ready - datetime.now(UTC) + timedelta(seconds=seconds)
    driver.clock(onboarding.ahead.total_seconds())
    driver.settings(no_bill_code="CBC.0999")
    assert code(bill(onboarding, "2097-12")) == expected


@pytest.mark.parametrize("month", ["2020-13", "2020", "202012", "2020-12-01", ""])
def test_a_malformed_month_is_refused(onboarding: Onboarding, month: str) -> None:
    assert code(bill(onboarding, month)) == PARAMETER_ERROR


@pytest.fixture
def ordered(driver: SandboxDriver, onboarding: Onboarding) -> Onboarding:
    """Orders of two customers: one paid, one to pay, one that gives back."""
    driver.order("CS1", customer_id="cust-1", created="2026-01-01T00:00:00Z")
    driver.order("CS2", customer_id="cust-1", status=6, paid="", created="2026-02-01T00:00:00Z")
    driver.order("CS3", customer_id="cust-2", type=4, refunds=["-12.34", "0.00000001"])
    return onboarding


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["CS3", "CS2", "CS1"]),
        ({"order_by": "createTime"}, ["CS1", "CS2", "CS3"]),
        ({"order_by": "createTime", "limit": 1, "offset": 1}, ["CS2"]),
        ({"customer_id": "cust-2"}, ["CS3"]),
        ({"customer_id": "nobody"}, []),
        ({"order_id": "cs1"}, ["CS1"]),
        ({"status": 6}, ["CS2"]),
        ({"order_type": "4"}, ["CS3"]),
        ({"service_type_code": "hws.service.type.ebs"}, []),
        ({"create_time_begin": "2026-01-02T00:00:00Z"}, ["CS3", "CS2"]),
        ({"create_time_end": "2026-01-02T00:00:00Z"}, ["CS1"]),
        ({"payment_time_begin": "2026-01-01T00:00:00Z"}, ["CS3", "CS1"]),
    ],
)
def test_the_orders_are_filtered_sorted_and_cut_into_pages(
    ordered: Onboarding, query: dict[str, Any], expected: list[str]
) -> None:
    assert ids(ordered.get(ORDERS, **query)) == expected


@pytest.mark.parametrize(
    "query",
    [
        *({"limit": 101}, {"limit": 0}, {"offset": -1}, {"status": 7}, {"order_by": "status"}),
        *({"method": "all"}, {"customer_id": ""}, {"create_time_begin": "2026-01-01"}),
        *({"create_time_begin": "2026-99-01T00:00:00Z"}, {"more": 1}),
        {"create_time_begin": "2025-01-01T00:00:00Z", "create_time_end": "2026-02-01T00:00:00Z"},
        {"payment_time_begin": "2025-01-01T00:00:00Z", "payment_time_end": "2026-02-01T00:00:00Z"},
    ],
)
def test_a_malformed_filter_of_the_orders_is_refused(
    ordered: Onboarding, query: dict[str, Any]
) -> None:
    assert code(ordered.get(ORDERS, **query)) == PARAMETER_ERROR


def test_an_order_has_its_lines_and_an_unknown_one_is_refused(ordered: Onboarding) -> None:
    found = ordered.get(f"{ORDERS}/details/CS2").json()
    assert (found["order_info"]["order_id"], found["order_info"]["payment_time"]) == ("CS2", None)
    assert found["order_line_items"][0]["order_id"] == "CS2"
    assert code(ordered.get(f"{ORDERS}/details/CS9")) == (400, "CBC.30000010")
    assert code(ordered.get(f"{ORDERS}/details/CS2", limit=0)) == PARAMETER_ERROR


def test_refunds_are_those_of_an_order_of_the_customer(ordered: Onboarding) -> None:
    def ask(order_id: str, customer_id: str) -> requests.Response:
        query = {"order_id": order_id, "customer_id": customer_id}
        return ordered.get(f"{ORDERS}/refund-orders", **query)

    found = ask("CS3", "cust-2").json()
    assert found["total_count"] == 2
    assert [info["amount"] for info in found["refund_infos"]] == [-12.34, 1e-8]
    for order_id, customer_id in (("CS1", "cust-1"), ("CS3", "cust-1"), ("CS9", "cust-1")):
        assert code(ask(order_id, customer_id)) == (400, "CBC.99005026")
    assert code(ordered.get(f"{ORDERS}/refund-orders", order_id="CS3")) == PARAMETER_ERROR


@pytest.mark.parametrize("path", [ORDERS, f"{ORDERS}/refund-orders"])
def test_an_order_id_can_be_magic(onboarding: Onboarding, path: str) -> None:
    query = {"order_id": "code-CBC-5004-403", "customer_id": "cust-1"}
    assert code(onboarding.get(path, **query)) == (403, "CBC.5004")
    assert code(onboarding.get(f"{ORDERS}/details/code-CBC-0999")) == (500, "CBC.0999")


def test_names_are_chinese_unless_english_is_asked_for(
    driver: SandboxDriver, partner: Partner
) -> None:
    driver.order("CS1", customer_id="cust-1")

    def name(**headers: str) -> str:
        found = partner.call("GET", ORDERS, query=[("order_id", "CS1")], headers=headers)
        return str(found.json()["order_infos"][0]["service_type_name"])

    assert name() == "弹性云服务器"
    assert name(**{"X-Language": "en_US"}) == "Elastic Cloud Server"


def test_resources_are_those_of_a_customer_of_the_partner(
    driver: SandboxDriver, onboarding: Onboarding
) -> None:
    driver.customer("cust-1")
    driver.customer("cust-2")
    driver.resource("vm-1", customer_id="cust-1", name="web-1")
    driver.resource("disk-1", customer_id="cust-1", service="hws.service.type.ebs", status=3)
    driver.resource("vm-2", customer_id="cust-2")

    def found(**asked: Any) -> list[str]:
        answer = onboarding.post(RESOURCES, **{"customer_id": "cust-1"} | asked).json()
        return [one["resource_id"] for one in answer["resources"]]

    assert found() == ["vm-1", "disk-1"]
    assert found(limit=1, offset=1) == ["disk-1"]
    assert found(status=3) == ["disk-1"]
    assert found(resource_ids=["vm-1", "vm-2"]) == ["vm-1"]
    assert found(effective_time_begin="2027-01-01T00:00:00Z") == []
    assert code(onboarding.post(RESOURCES, customer_id="nobody")) == (400, "CBC.99000000")
    assert code(onboarding.post(RESOURCES)) == PARAMETER_ERROR
    assert code(onboarding.post(RESOURCES, customer_id="code-CBC-5002")) == (400, "CBC.5002")
