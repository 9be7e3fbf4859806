"""The partner's customers: pages, words, and what they never show."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.declared_reads import INFO, ROWS, answers, get
from tests.support.gateway import code
from tests.support.sandbox_driver import SandboxDriver

ROW = next(row for row in ROWS if row.operation == "list_customers")


def test_a_list_is_read_to_its_end_page_by_page(reads: FlaskClient, sandbox: SandboxDriver) -> None:
    for number in range(7):
        sandbox.customer(f"cust-{number}", name=f"shop_{number}")
    seen, after = [], ""
    for _ in range(3):
        page = get(reads, f"/v1/customers?limit=3{after}").json
        assert page["total"] == 7
        seen += [one["customer_id"] for one in page["items"]]
        after = f"&after={page.get('next')}"
    assert seen == [f"cust-{number}" for number in range(7)]
    assert "next" not in page


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=101", "limit=ten", "limit=1.5", "limit=1&limit=2"),
        *("after=x", "after=YWZ0ZXI6LTE=", "after=é", "association=FRIEND", "account_name=x"),
        *("associated_from=2026-11-02", "associated_from=2026-11-02T09:00:00"),
        # In UTC these times are before the year 1 and after the year 9999.
        "associated_from=0001-01-01T00:00:00%2B14:00",
        "associated_until=9999-12-31T23:59:59-14:00",
    ],
)
def test_a_wrong_query_of_a_list_is_refused_before_huawei_is_asked(
    reads: FlaskClient, sandbox: SandboxDriver, query: str
) -> None:
    assert code(get(reads, f"/v1/customers?{query}")) == "VALIDATION_FAILED"
    assert sandbox.requests() == []


def test_a_customer_whom_huawei_does_not_list_is_not_found(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.customer("cust-10", name="shop_10")
    assert code(get(reads, "/v1/customers/cust-1")) == "CUSTOMER_NOT_FOUND"
    answers(sandbox, ROW, {"count": 1, "customer_infos": [INFO | {"customer_id": "cust-10"}]})
    assert code(get(reads, "/v1/customers/cust-1")) == "CUSTOMER_NOT_FOUND"


@pytest.mark.parametrize(
    ("name", "value", "ours", "expected"),
    [
        ("customer_type", "0", "kind", "INDIVIDUAL"),
        ("customer_type", -1, "kind", "NONE"),
        ("customer_type", 7, "kind", "OTHER_7"),
        ("verified_status", 3, "verification", "FAILED"),
        ("verified_status", "zzz", "verification", "OTHER_ZZZ"),
        ("verified_status", "<b>", "verification", "OTHER"),
        ("association_type", "2", "association", "OTHER_2"),
        ("is_frozen", "0", "frozen", False),
        ("xaccount_id", None, "partner_user_id", None),
        ("xaccount_id", "", "partner_user_id", None),
    ],
)
def test_a_code_of_huaweis_becomes_a_word(
    reads: FlaskClient, sandbox: SandboxDriver, name: str, value: Any, ours: str, expected: Any
) -> None:
    answers(sandbox, ROW, {"count": 1, "customer_infos": [INFO | {name: value}]})
    assert get(reads, "/v1/customers/cust-1").json.get(ours) == expected


def test_no_personal_value_is_in_a_list_or_in_a_customer(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    answers(sandbox, ROW, {"count": 1, "customer_infos": [INFO]})
    for path in ("/v1/customers", "/v1/customers/cust-1"):
        text = get(reads, path).text
        assert not any(INFO[name] in text for name in ("customer", "telephone", "email"))
