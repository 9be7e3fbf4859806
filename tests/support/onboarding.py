"""A gateway whose callers may register customers and set budgets."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from tests.support.gateway import bearer, configuration


def post(client: FlaskClient, what: str, **body: Any) -> tuple[str, Any]:
    """The code, or the status, and the JSON of a registration's answer."""
    answer = client.post(f"/v1/registrations/{what}", json=body, headers=bearer())
    document = answer.get_json(silent=True) or {}
    return document.get("code") or str(answer.status_code), document


@pytest.fixture(scope="session")
def registrar(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> FlaskClient:
    """A client of a gateway whose writer may register customers."""
    document = configuration(tmp_path_factory.mktemp("registrar"), sandbox_url)
    document["accounts"]["default"]["reliability"]["tries"] = 3
    document["callers"]["writer"]["scopes"] = ["customers:write"]
    document["callers"]["rotating"] |= {"scopes": ["customers:write"], "customers": "cust-.*"}
    return create_app(Settings.model_validate(document)).test_client()
