"""New gateways, with any configuration of verifications."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.verification.switch_off import CUSTOMERS
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock
from tests.support.verifications import configured, submit

Build = Callable[..., FlaskClient]


@pytest.fixture
def gateway(tmp_path: Path, sandbox: SandboxDriver) -> Build:
    """A function that builds a new gateway with these settings of verifications."""

    def build(**verification: Any) -> FlaskClient:
        return create_app(configured(tmp_path, sandbox.url, **verification)).test_client()

    return build


@pytest.fixture(scope="session")
def shared_gateways(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> Build:
    """A function that returns a cached gateway for the same settings and switch-off."""

    @cache
    def build(memory: str = "served", **verification: Any) -> FlaskClient:  # noqa: ARG001 - a key
        folder = tmp_path_factory.mktemp("gateway")
        return create_app(configured(folder, sandbox_url, **verification)).test_client()

    return build


@pytest.fixture
def shared(shared_gateways: Build, sandbox: SandboxDriver) -> Build:  # noqa: ARG001 - behind it
    return shared_gateways


@pytest.fixture
def review(shared: Build) -> FlaskClient:
    """A gateway on the review backend."""
    return shared(backend="review")


@pytest.fixture
def legacy(shared: Build) -> FlaskClient:
    """A gateway on the legacy backend."""
    return shared(backend="legacy")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def hear_of_the_switch_off(client: FlaskClient) -> None:
    """Submit for as many customers as the belief in the switch-off needs."""
    for number in range(CUSTOMERS):
        submit(client, customer=f"told-{number}")
