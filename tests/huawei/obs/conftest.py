"""Gateways with a bucket, and the assertion of a refused upload."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from tests.support.gateway import altered
from tests.support.patience import patience
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import configured, with_bucket

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 100


Build = Callable[..., FlaskClient]


@pytest.fixture
def gateway(tmp_path: Path, sandbox: SandboxDriver) -> Build:
    """Builds a gateway whose bucket has some settings changed."""

    def build(
        *,
        fault: str = "",
        ca_file: str | None = None,
        proxy: str | None = None,
        **changes: Any,
    ) -> FlaskClient:
        settings = with_bucket(configured(tmp_path, sandbox.url), tmp_path, **changes)
        account = {"ca_file": ca_file, "proxy": proxy, **patience(fault)}
        return create_app(altered(settings, **account)).test_client()

    return build


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> FlaskClient:
    return create_app(configured(tmp_path_factory.mktemp("common"), sandbox_url)).test_client()


@pytest.fixture
def client(common: FlaskClient, sandbox: SandboxDriver) -> FlaskClient:  # noqa: ARG001 - behind it
    return common


def refused(sandbox: SandboxDriver, response: TestResponse, status: int, ours: str) -> None:
    problem = response.get_json()
    assert (response.status_code, problem["code"]) == (status, ours)
    assert sandbox.objects() == []
