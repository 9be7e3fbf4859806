"""A gateway whose callers may register and create customers, and requests as they send them."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from tests.support.gateway import bearer, configuration
from tests.support.patience import headers
from tests.support.sandbox_driver import SandboxDriver

EMAIL = "li@example.com"
NEW = {"partner_user_id": "shop-981", "country": "SG"}


def post(client: FlaskClient, what: str, **body: Any) -> tuple[str, Any]:
    """The code, or the status, and the JSON of a registration's answer."""
    answer = client.post(f"/v1/registrations/{what}", json=body, headers=bearer())
    document = answer.get_json(silent=True) or {}
    return document.get("code") or str(answer.status_code), document


def create(
    client: FlaskClient,
    key: str | None = "key-1",
    *,
    wait: int | None = None,
    caller: str = "writer-key",
    **changes: Any,
) -> Any:
    """The answer to the creation of a customer; fields that are None are not sent."""
    body = {name: value for name, value in (NEW | changes).items() if value is not None}
    return client.post("/v1/customers", json=body, headers=headers(caller, key, wait))


def mailed(sandbox: SandboxDriver, client: FlaskClient, email: str = EMAIL) -> dict[str, Any]:
    """An address and the code that Huawei mailed to it."""
    client.post("/v1/registrations/code", json={"email": email}, headers=bearer())
    return {"email": email, "code": sandbox.mails(email)[-1]["code"]}


@pytest.fixture(scope="session")
def registrar(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> FlaskClient:
    """A client of a gateway whose writer may register customers."""
    document = configuration(tmp_path_factory.mktemp("registrar"), sandbox_url)
    document["accounts"]["default"]["reliability"]["tries"] = 3
    document["callers"]["writer"]["scopes"] = ["customers:write"]
    document["callers"]["rotating"] |= {"scopes": ["customers:write"], "customers": "cust-.*"}
    return create_app(Settings.model_validate(document)).test_client()
