"""Freezes and unfreezes as a caller sends them, and what Huawei says of the customer."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.support.declared_reads import INFO
from tests.support.patience import headers
from tests.support.sandbox_driver import SandboxDriver

ACCOUNT, RESOURCES = "ACCOUNT", "ACCOUNT_AND_RESOURCES"
HUAWEIS = {ACCOUNT: "ACCOUNT", RESOURCES: "ACCOUNT_AND_RESOURCE"}
READ = "list_customers"  # the sandbox's name of the read that tells whether a customer is frozen
UNKNOWN = "OUTCOME_UNKNOWN"


def change(
    app: Flask,
    verb: str,
    customer: str,
    key: str | None = None,
    kind: str | None = None,
    wait: int | None = None,
) -> TestResponse:
    """Freeze or unfreeze a customer; `kind` is the kind that the caller names."""
    return app.test_client().post(
        f"/v1/customers/{customer}/{verb}",
        json=body(verb, customer, kind),
        headers=headers("writer-key", key, wait),
    )


def body(verb: str, customer: str, kind: str | None) -> dict[str, Any]:
    """The body of a freeze or an unfreeze."""
    asked: dict[str, Any] = {"reason": "Unpaid invoice"}
    if kind is not None:
        asked["resources"] = kind == RESOURCES
    if verb == "freeze" and kind == RESOURCES:
        asked["confirm"] = customer
    return asked


def said(response: TestResponse) -> Any:
    """The error code of an answer, or whether the customer is frozen."""
    told = response.get_json()
    return told.get("code", told.get("frozen"))


def listed(sandbox: SandboxDriver, customer: str, state: str, **how: Any) -> None:
    """Let Huawei list a customer in a state: frozen, not frozen, or as an unreadable page."""
    shown: Any = {
        "count": 1,
        "customer_infos": [INFO | {"customer_id": customer, "is_frozen": int(state == "frozen")}],
    }
    answer = "<html>" if state == "unknown" else shown
    sandbox.fault(READ, "status", status=200, body=answer, customer=customer, **how)


def at_huawei(sandbox: SandboxDriver, customer: str) -> tuple[bool, str]:
    """Whether the customer is frozen at Huawei, and of which kind its last freeze is there."""
    account = sandbox.state()["customers"][customer]["account"]
    return account["frozen"], account["freeze_type"]
