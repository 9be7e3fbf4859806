"""Orders, refunds and resources: pages, filters, words, and the customers of the caller."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from app.errors import ErrorCode
from tests.support.declared_billing import ORDER_INFO, ROWS
from tests.support.declared_reads import answers, get
from tests.support.gateway import check_problem, code
from tests.support.metrics import counted
from tests.support.sandbox_driver import SandboxDriver

ROW = {row.operation: row for row in ROWS}
LIMITED = "old-rotating-key"  # of a caller for the customers `cust-.*`


@pytest.fixture
def orders(sandbox: SandboxDriver) -> SandboxDriver:
    for number in range(5):
        created = f"2026-0{number + 1}-01T00:00:00Z"
        sandbox.order(f"CS{number}", customer_id="cust-1", created=created)
    sandbox.order("XS0", customer_id="other-1", refunds=["-1"], created="2026-09-01T00:00:00Z")
    return sandbox


@pytest.mark.usefixtures("orders")
def test_orders_are_listed_oldest_first_page_by_page(reads: FlaskClient) -> None:
    seen, after = [], ""
    for _ in range(3):
        page = get(reads, f"/v1/orders?limit=2{after}").json
        assert page["total"] == 6
        seen += [order["order_id"] for order in page["items"]]
        after = f"&after={page.get('next')}"
    assert seen == ["CS0", "CS1", "CS2", "CS3", "CS4", "XS0"]
    assert "next" not in page


def test_names_come_in_english(reads: FlaskClient, orders: SandboxDriver) -> None:
    orders.customer("cust-1", name="shop_1")
    orders.resource("vm-1", customer_id="cust-1")
    orders.order("CS9", customer_id="cust-1", type=4, refunds=["-1"])
    refunds = get(reads, "/v1/customers/cust-1/orders/CS9/refunds").json["items"]
    assert get(reads, "/v1/orders").json["items"][0]["service"] == "Elastic Cloud Server"
    assert get(reads, "/v1/orders/CS1").json["service"] == "Elastic Cloud Server"
    assert (refunds[0]["service"], refunds[0]["type"]) == ("Elastic Cloud Server", "Cloud Host")
    resource = get(reads, "/v1/customers/cust-1/resources").json["items"][0]
    assert (resource["service"], resource["type"]) == ("Elastic Cloud Server", "Cloud Host")


@pytest.mark.parametrize(
    ("query", "parameter", "rule"),
    [
        ("limit=101", "limit", "RANGE"),
        ("after=x", "after", "INVALID"),
        ("customer_id=", "customer_id", "CUSTOMER_ID"),
        ("customer_id=..", "customer_id", "CUSTOMER_ID"),
        ("customer_id=cust-1%0A", "customer_id", "CUSTOMER_ID"),
        (f"customer_id={'x' * 65}", "customer_id", "CUSTOMER_ID"),
        ("status=5", "status", "NOT_ALLOWED"),
        ("created_from=yesterday", "created_from", "WRONG_TYPE"),
        ("created_from=0001-01-01T00:00:00%2B14:00", "created_from", "WRONG_TYPE"),
        (
            "created_from=2025-01-01T00:00:00Z&created_until=2026-01-02T00:00:01Z",
            "created_until",
            "SPAN",
        ),
        ("order_id=CS1", "", "UNKNOWN_FIELD"),
    ],
)
def test_a_wrong_query_of_the_orders_is_refused_before_huawei_is_asked(
    reads: FlaskClient, sandbox: SandboxDriver, query: str, parameter: str, rule: str
) -> None:
    answer = get(reads, f"/v1/orders?{query}")
    problem = check_problem(answer, ErrorCode.VALIDATION_FAILED)
    assert [(one["parameter"], one["code"]) for one in problem["errors"]] == [(parameter, rule)]
    assert sandbox.requests() == []


def test_a_year_of_orders_can_be_asked_for(reads: FlaskClient, sandbox: SandboxDriver) -> None:
    query = "created_from=2024-01-01T00:00:00Z&created_until=2025-01-01T00:00:00Z"
    assert get(reads, f"/v1/orders?{query}").json == {"items": [], "total": 0}
    assert len(sandbox.requests("list_orders")) == 1


@pytest.mark.parametrize(
    ("operation", "name", "value", "ours", "expected"),
    [
        ("show_order", "status", 5, "status", "COMPLETED"),
        ("show_order", "status", "13", "status", "EXCHANGE"),
        ("show_order", "status", 7, "status", "OTHER_7"),
        ("show_order", "order_type", 4, "type", "UNSUBSCRIBE"),
        ("show_order", "order_type", 99, "type", "OTHER_99"),
        ("show_order", "order_type", -1, "type", "OTHER_-1"),
        ("show_order", "service_type_name", None, "service", None),
        ("show_order", "payment_time", "", "paid_at", None),
        ("show_order", "payment_time", "2026-11-02T08:01:00Z", "paid_at", "2026-11-02T08:01:00Z"),
        ("show_order", "amount_info", None, "coupons", None),
        ("list_refunds", "measure_id", "3", "currency", "OTHER_3"),
        ("list_refunds", "amount", "0.00000001", "amount", "0.00000001"),
        ("list_refunds", "base_order_id", None, "original_order_id", None),
        ("list_resources", "status", 6, "status", "CLOSED"),
        ("list_resources", "status", 0, "status", "OTHER_0"),
        ("list_resources", "availability_zone_code", "zone-a", "zone", "zone-a"),
        ("list_resources", "resource_name", "", "name", None),
        ("list_resources", "expire_time", "2027-11-02T08:00:00Z", "until", "2027-11-02T08:00:00Z"),
    ],
)
def test_a_value_of_huaweis_becomes_ours(
    reads: FlaskClient,
    sandbox: SandboxDriver,
    operation: str,
    name: str,
    value: Any,
    ours: str,
    expected: Any,
) -> None:
    row = ROW[operation]
    (part,) = row.huaweis.keys() - {"total_count"}
    one = row.huaweis[part]
    changed = one | {name: value} if part == "order_info" else [one[0] | {name: value}]
    answers(sandbox, row, row.huaweis | {part: changed})
    answer = get(reads, row.path).json
    assert (answer if part == "order_info" else answer["items"][0]).get(ours) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/orders", 403),
        ("/v1/orders?customer_id=other-1", 403),
        ("/v1/orders?customer_id=cust-1x-", 200),
        ("/v1/orders?customer_id=cust-1", 200),
        ("/v1/orders?limit=1&status=COMPLETED", 403),
        ("/v1/orders/CS1", 200),
        ("/v1/orders/XS0", 404),
        ("/v1/customers/cust-1/orders/XS0/refunds", 404),
        ("/v1/customers/other-1/orders/XS0/refunds", 403),
        ("/v1/customers/other-1/resources", 403),
        ("/v1/partner/bills/2020-12", 403),
    ],
)
def test_a_caller_limited_to_some_customers_sees_nothing_of_the_others(
    reads: FlaskClient, orders: SandboxDriver, path: str, expected: int
) -> None:
    answer = get(reads, path, LIMITED)
    assert answer.status_code == expected
    assert "other-1" not in answer.text
    if expected == 403:
        check_problem(answer, ErrorCode.FORBIDDEN)
        assert orders.requests() == []


def test_an_order_of_another_customer_looks_like_an_order_that_does_not_exist(
    reads: FlaskClient, orders: SandboxDriver
) -> None:
    unknown = check_problem(get(reads, "/v1/orders/XS9", LIMITED), ErrorCode.ORDER_NOT_FOUND)
    foreign = check_problem(get(reads, "/v1/orders/XS0", LIMITED), ErrorCode.ORDER_NOT_FOUND)
    assert unknown | {"request_id": ""} == foreign | {"request_id": ""}
    assert [one["operation"] for one in orders.requests()] == ["show_order", "show_order"]


@pytest.mark.parametrize(
    ("operation", "known"), [("show_order", "CBC.30000010"), ("list_refunds", "CBC.99005026")]
)
def test_the_code_of_an_unknown_order_keeps_its_label_after_many_unknown_codes(
    reads: FlaskClient, sandbox: SandboxDriver, operation: str, known: str
) -> None:
    path = ROW[operation].path
    labels = {"operation": operation, "outcome": "ORDER_NOT_FOUND", "code": known}
    seen = counted("gateway_upstream_calls_total", account="default", **labels)
    for huaweis in (*(f"CBC.66{number:05}" for number in range(60)), known):
        sandbox.fault(operation, "status", status=400, body={"error_code": huaweis}, count=1)
        assert get(reads, path).status_code >= 400
    assert seen() == 1


def test_a_filter_that_huawei_ignores_reveals_no_order(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    row = ROW["list_orders"]
    foreign = ORDER_INFO | {"customer_id": "other-1"}
    answers(sandbox, row, {"total_count": 2, "order_infos": [ORDER_INFO, foreign]})
    answer = get(reads, "/v1/orders?customer_id=cust-1", LIMITED)
    check_problem(answer, ErrorCode.UPSTREAM_MALFORMED)


def test_resources_of_another_customer_are_not_answered(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    row = ROW["list_resources"]
    (resource,) = row.huaweis["resources"]
    foreign = [resource, resource | {"customer_id": "other-1"}]
    answers(sandbox, row, {"total_count": 2, "resources": foreign})
    answer = get(reads, row.path, LIMITED)
    check_problem(answer, ErrorCode.UPSTREAM_MALFORMED)
    assert "other-1" not in answer.text


def test_refunds_of_another_customers_order_are_not_answered(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    row = ROW["list_refunds"]
    (refund,) = row.huaweis["refund_infos"]
    foreign = [refund, refund | {"customer_id": "other-1"}]
    unknown = check_problem(get(reads, row.path, LIMITED), ErrorCode.ORDER_NOT_FOUND)
    answers(sandbox, row, {"total_count": 2, "refund_infos": foreign})
    found = check_problem(get(reads, row.path, LIMITED), ErrorCode.ORDER_NOT_FOUND)
    assert found | {"request_id": ""} == unknown | {"request_id": ""}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/orders/CS1x", "ORDER_NOT_FOUND"),
        ("/v1/customers/cust-1/orders/CS1/refunds", "ORDER_NOT_FOUND"),
        ("/v1/customers/cust-1/resources", "CUSTOMER_NOT_ASSOCIATED"),
        ("/v1/orders/..", "NOT_FOUND"),
        ("/v1/orders/%2e%2e", "NOT_FOUND"),
        ("/v1/orders/a%2Fb", "NOT_FOUND"),
        ("/v1/orders/CS1%0A", "NOT_FOUND"),
        (f"/v1/orders/{'x' * 65}", "NOT_FOUND"),
    ],
)
@pytest.mark.usefixtures("orders")
def test_an_order_or_customer_that_does_not_exist_has_its_own_problem(
    reads: FlaskClient, path: str, expected: str
) -> None:
    assert code(get(reads, path)) == expected
