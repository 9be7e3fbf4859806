"""A gateway that trusts a cluster and an identity provider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from tests.support import issuer
from tests.support.sandbox_driver import SandboxDriver

OIDC_ISSUER = "https://login.example.com/realms/company"


def trusting(config: dict[str, Any], **kubernetes: Any) -> dict[str, Any]:
    """The configuration with callers that authenticate by tokens."""
    everything = ["verifications:read", "verifications:write", "attachments:write"]
    config["kubernetes"] = {
        "issuer": issuer.ISSUER,
        "audience": issuer.AUDIENCE,
        **kubernetes,
    }
    config["callers"]["billing"] = {"service_account": "billing/api", "scopes": everything}
    return config


@pytest.fixture
def jwks(tmp_path: Path) -> Path:
    return issuer.write(tmp_path)


@pytest.fixture
def tokens(config: dict[str, Any], jwks: Path, sandbox: SandboxDriver) -> FlaskClient:  # noqa: ARG001
    trusting(config, jwks_file=str(jwks))
    config["oidc"] = {
        "issuer": OIDC_ISSUER,
        "audience": issuer.AUDIENCE,
        "jwks_file": str(jwks),
        "caller_claim": "azp",
    }
    config["callers"]["shop"] = {
        "oidc_subject": "shop-client",
        "scopes": ["verifications:write", "attachments:write"],
        "accounts": ["second"],
        "customers": "shop-[0-9]+",
    }
    config["callers"]["observer"] = {
        "service_account": "monitoring/observer",
        "scopes": ["verifications:read"],
    }
    return create_app(Settings.model_validate(config)).test_client()
