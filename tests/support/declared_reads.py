"""The declared reads: a row for each, and a gateway whose callers may read everything."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from tests.support.declared_billing import ROWS as BILLING
from tests.support.declared_row import Row
from tests.support.gateway import bearer, configuration
from tests.support.sandbox_driver import SandboxDriver

SUB_CUSTOMERS = "/v2/partners/sub-customers"
INFO: dict[str, Any] = {
    "customer": "ZHANG SAN",
    "account_name": "shop_981",
    "customer_id": "cust-1",
    "associated_on": "2026-11-02T08:00:00Z",
    "association_type": "3",
    "telephone": "0086-13800000000",
    "verified_status": "2",
    "country_code": "0065",
    "customer_type": 1,
    "is_frozen": 1,
    "xaccount_id": "shop-981",
    "email": "zhang@example.com",
}
CUSTOMER: dict[str, Any] = {
    "customer_id": "cust-1",
    "partner_user_id": "shop-981",
    "account_name": "shop_981",
    "kind": "ENTERPRISE",
    "verification": "VERIFIED",
    "frozen": True,
    "association": "RESELLER",
    "associated_at": "2026-11-02T08:00:00Z",
    "country": "0065",
}


ROWS = [
    *BILLING,
    Row(
        "show_budget",
        "/v1/customers/cust-1/budget",
        f"{SUB_CUSTOMERS}/budget?customer_id=cust-1",
        {"budget_amount": 500, "used_amount": 12.5, "currency": "USD", "budget_type": "PACKAGE"},
        {"amount": "500", "used": "12.5", "currency": "USD", "period": "ONCE"},
    ),
    Row(
        "show_credit",
        "/v1/partner/credit",
        "/v2/partners/credit/consumption-quota",
        {
            "consumption_quota": "10000",
            "used_consumption_quota": "-580.08",
            "amount": "1.10",
            "coupon_amount": "0",
            "due_amount": "480.08",
            "unbilled_amount": "100.00000001",
            "currency": "USD",
        },
        {
            "quota": "10000",
            "used": "-580.08",
            "balance": "1.10",
            "coupons": "0",
            "due": "480.08",
            "unbilled": "100.00000001",
            "currency": "USD",
        },
    ),
    Row(
        "list_budget_changes",
        "/v1/customers/cust-1/budget/changes?limit=2",
        f"{SUB_CUSTOMERS}/budget/records?customer_id=cust-1&limit=2&offset=0",
        {
            "total_count": 1,
            "record_list": [
                {
                    "budget_amount": 500.5,
                    "operation_type": "DELETE",
                    "operation_time": "2026-11-02T08:00:00Z",
                    "operator": "system",
                    "budget_type": "MONTHLY",
                }
            ],
        },
        {
            "total": 1,
            "items": [
                {
                    "amount": "500.5",
                    "type": "REMOVED",
                    "at": "2026-11-02T08:00:00Z",
                    "operator": "system",
                    "period": "MONTHLY",
                }
            ],
        },
    ),
    Row(
        "list_budgets",
        "/v1/budgets?customer_ids=cust-1,cust-2,cust-1",
        f"{SUB_CUSTOMERS}/budget/query",
        {
            "budget_infos": [
                {
                    "customer_id": "cust-1",
                    "budget_amount": 500,
                    "used_amount": 12.5,
                    "budget_type": "PACKAGE",
                }
            ]
        },
        {
            "items": [{"customer_id": "cust-1", "amount": "500", "used": "12.5", "period": "ONCE"}],
            "missing": ["cust-2"],
        },
        {"customer_ids": ["cust-1", "cust-2"]},
    ),
    Row(
        "list_customers",
        "/v1/customers?limit=1&after=YWZ0ZXI6Nw==&association=RESELLER"
        "&associated_from=2026-11-02T09:00:00%2B08:00",
        f"{SUB_CUSTOMERS}/query",
        {"count": 9, "customer_infos": [INFO]},
        {"items": [CUSTOMER], "total": 9, "next": "YWZ0ZXI6OA=="},
        {
            "limit": 1,
            "offset": 7,
            "association_type": "3",
            "associated_on_begin": "2026-11-02T01:00:00Z",
        },
    ),
]


@pytest.fixture(scope="session")
def reads(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> FlaskClient:
    document = configuration(tmp_path_factory.mktemp("reads"), sandbox_url)
    scopes = ["customers:read", "budgets:read", "billing:read", "orders:read"]
    document["callers"]["reader"]["scopes"] = scopes
    document["callers"]["operator"]["scopes"] = ["customers:read", "customers:personal"]
    document["callers"]["rotating"] |= {"scopes": scopes, "customers": "cust-.*"}
    return create_app(Settings.model_validate(document)).test_client()


def get(client: FlaskClient, path: str, key: str = "reader-key") -> Any:
    """The answer to a GET of a caller."""
    return client.get(path, headers=bearer(key))


def answers(sandbox: SandboxDriver, row: Row, body: Any) -> None:
    """Let Huawei answer the read of a row with this body."""
    sandbox.clear_faults()
    sandbox.fault(row.operation, "status", status=200, body=body)
