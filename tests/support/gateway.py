"""Keys, bodies and settings of the gateway, as its callers and its operator know them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.errors import ErrorCode
from app.settings import Settings

ACCESS_KEY = "SANDBOXACCESSKEY0001"
SECRET_KEY = "sandbox-secret-key-0001-not-a-secret"
SECOND_ACCESS_KEY = "SANDBOXACCESSKEY0002"
SECOND_SECRET_KEY = "sandbox-secret-key-0002-not-a-secret"
PARTNER_ID = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
PLATFORM_ID = "PARTNER01"

# caller -> its keys; the callers' scopes are in `configuration`.
KEYS = {
    "writer": ["writer-key"],
    "reader": ["reader-key"],
    "nobody": ["nobody-key"],
    "rotating": ["old-rotating-key", "new-rotating-key"],
    "second": ["second-key"],
    "operator": ["operator-key"],
}

CUSTOMER = "cust-0001"
INDIVIDUAL_PATH = f"/v1/customers/{CUSTOMER}/verifications/individual"
ENTERPRISE_PATH = f"/v1/customers/{CUSTOMER}/verifications/enterprise"
CHANGE_PATH = f"/v1/customers/{CUSTOMER}/verifications/enterprise-change"

PERSON: dict[str, Any] = {
    "full_name": "ZHANG SAN",
    "document": {"type": "PASSPORT", "number": "E1234567"},
    "partner_user_id": "shop-981",
}
COMPANY: dict[str, Any] = {
    "legal_name": "Example Trading Co., Ltd.",
    "document": {"type": "BUSINESS_LICENSE", "number": "91330000X"},
    "partner_user_id": "shop-77",
}


def bearer(key: str = "writer-key") -> dict[str, str]:
    """The Authorization header of a caller."""
    return {"Authorization": f"Bearer {key}"}


def digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def configuration(folder: Path, endpoint: str) -> dict[str, Any]:
    """A configuration for an upstream, in the structure of the file. Writes the key files."""
    accounts = {}
    pairs = {
        "default": (ACCESS_KEY, SECRET_KEY),
        "second": (SECOND_ACCESS_KEY, SECOND_SECRET_KEY),
    }
    for name, pair in pairs.items():
        files = {"access_key_file": folder / f"{name}-ak", "secret_key_file": folder / f"{name}-sk"}
        for path, text in zip(files.values(), pair, strict=True):
            path.write_text(f"{text}\n")
        accounts[name] = {
            "endpoint": endpoint,
            "partner_id": PARTNER_ID,
            "platform_id": PLATFORM_ID,
            "credentials": [{key: str(path) for key, path in files.items()}],
            "verification": {"backend": "legacy"},
            # Most tests are not about Huawei's quota, retries and the circuit.
            "quota": {"requests_per_second": 1000},
            "reliability": {"tries": 1, "breaker_failures": 1000},
            "watch": {"max_age": 0},  # each read asks Huawei
        }
    everything = ["verifications:read", "verifications:write"]
    rights: dict[str, dict[str, Any]] = {
        "writer": {"scopes": everything, "accounts": ["default", "second"]},
        "reader": {"scopes": ["verifications:read"]},
        "nobody": {},
        "rotating": {"scopes": everything},
        "second": {"scopes": everything, "accounts": ["second"]},
        "operator": {"scopes": ["operations:read"]},
    }
    callers = {
        name: {"keys_sha256": [digest(key) for key in KEYS[name]], **granted}
        for name, granted in rights.items()
    }
    return {"accounts": accounts, "callers": callers}


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(old)
    for key, value in new.items():
        known = both.get(key)
        deeper = isinstance(value, Mapping) and isinstance(known, Mapping)
        both[key] = _merged(known, value) if deeper else value  # type: ignore[arg-type]
    return both


def altered(settings: Settings, **account: Any) -> Settings:
    """The settings with changes to the default account; sections are merged."""
    return Settings.model_validate(
        _merged(settings.model_dump(exclude_unset=True), {"accounts": {"default": account}})
    )


def submit(client: FlaskClient, customer: str = CUSTOMER) -> TestResponse:
    """Submit the verification of a person."""
    path = f"/v1/customers/{customer}/verifications/individual"
    return client.post(path, json=PERSON, headers=bearer())


def code(response: TestResponse) -> str | None:
    """The error code of a problem; None for a success."""
    found: str | None = response.get_json().get("code")
    return found


MANDATORY = {"type", "title", "status", "detail", "code", "request_id", "retry", "fault"}


def check_problem(response: TestResponse, code: ErrorCode) -> dict[str, Any]:
    """The problem of the answer. Asserts that it is valid and has this code."""
    problem: dict[str, Any] = json.loads(response.data)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem.keys() >= MANDATORY
    assert problem["type"] == f"/v1/errors/{code.name}"
    assert (problem["code"], problem["title"]) == (code.name, code.title)
    assert problem["status"] == response.status_code == code.status
    assert problem["request_id"] == response.headers["X-Request-Id"]
    assert (problem["fault"], problem["detail"][-1]) == (code.fault, ".")
    return problem
