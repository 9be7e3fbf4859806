"""Gateways with retries, alone or on one Valkey, and requests as callers send them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from app.settings import Settings
from tests.support.gateway import CUSTOMER, SECRET_KEY, altered, bearer, configuration
from tests.support.valkey import STATE_KEY
from tests.support.verifications import INDIVIDUAL

HANGS = frozenset({"hang", "slow_body"})  # the faults that only the read timeout ends
# For an account whose Huawei hangs. Others have the default timeouts, which a busy machine keeps.
HASTY: dict[str, Any] = {"timeouts": {"read": 1.5}}
ONCE: dict[str, Any] = {"reliability": {"tries": 1}}  # an account that sends each call once
REPLAYED = "Idempotent-Replayed"

_numbers = count(1)


def patience(fault: str) -> dict[str, Any]:
    """The settings of an account for a fault: a short timeout where only that ends the call."""
    return HASTY if fault in HANGS else {}


def new_customer() -> str:
    """A customer id that no other test of this process uses."""
    return f"c-{next(_numbers)}"


def patient(
    folder: Path,
    upstream: str,
    state: Mapping[str, Any] | None = None,
    callers: Mapping[str, Any] | None = None,
    **account: Any,
) -> dict[str, Any]:
    """A configuration with retries, in the structure of the file.

    Args:
        folder: The folder for its files.
        upstream: Partner Center's URL.
        state: The section `state`; a key file is added.
        callers: Changes to callers.
        account: Changes to the default account.
    """
    document = configuration(folder, upstream)
    for name, changes in (callers or {}).items():
        document["callers"][name].update(changes)
    if state is not None:
        key_file = folder / "state-key"
        key_file.write_text(STATE_KEY)
        document["state"] = {"key_file": str(key_file), **state}
    settings = altered(
        Settings.model_validate(document),
        **{
            "reliability": {"tries": 3, "breaker_failures": 1000, "breaker_pause": 0.5},
            **account,
        },
    )
    document["accounts"]["default"] = settings.accounts["default"].model_dump(
        mode="json", exclude_defaults=True
    )
    return document


def headers(
    key: str = "writer-key",
    idempotency: str | None = None,
    wait: int | None = None,
    account: str | None = None,
) -> dict[str, str]:
    """The headers of a caller's request."""
    optional = {
        "Idempotency-Key": idempotency,
        "Prefer": None if wait is None else f"wait={wait}",
        "Partner-Account": account,
    }
    return bearer(key) | {name: value for name, value in optional.items() if value is not None}


def path_of(customer: str = CUSTOMER, form: str = "individual") -> str:
    return f"/v1/customers/{customer}/verifications/{form}"


def submit(
    app: Flask,
    customer: str = CUSTOMER,
    idempotency: str | None = None,
    *,
    body: Mapping[str, Any] = INDIVIDUAL,
    form: str = "individual",
    key: str = "writer-key",
    wait: int | None = None,
    account: str | None = None,
) -> TestResponse:
    """Submit a verification."""
    return app.test_client().post(
        path_of(customer, form), json=body, headers=headers(key, idempotency, wait, account)
    )


def read(app: Flask, customer: str = CUSTOMER, **how: Any) -> TestResponse:
    """Read a verification."""
    return app.test_client().get(f"/v1/customers/{customer}/verification", headers=headers(**how))


def said(response: TestResponse) -> tuple[int, str, bool]:
    """HTTP status, error code or status of the verification, and `reconciled`."""
    answer = response.get_json()
    return (
        response.status_code,
        answer.get("code") or answer["status"],
        answer.get("reconciled", False),
    )


SECRETS = (SECRET_KEY, STATE_KEY)
