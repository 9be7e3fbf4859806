"""One gateway with a bucket: it keeps no state of an upload or a deletion."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import configured


@pytest.fixture(scope="session")
def _gateway(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> FlaskClient:
    settings = configured(tmp_path_factory.mktemp("gateway"), sandbox_url, backend="review")
    return create_app(settings).test_client()


@pytest.fixture
def client(_gateway: FlaskClient, sandbox: SandboxDriver) -> FlaskClient:  # noqa: ARG001 - behind
    return _gateway
