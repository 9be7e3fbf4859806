"""Gateways whose writer may freeze customers and set budgets."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from flask import Flask

from app import create_app
from app.settings import Settings
from tests.customers.freezes.freezing import CALLERS
from tests.support.fixtures import Build
from tests.support.patience import patient
from tests.support.sandbox_driver import SandboxDriver
from tests.support.valkey import Valkey


@pytest.fixture(scope="package")
def _gateways(
    tmp_path_factory: pytest.TempPathFactory, sandbox_url: str, valkey_server: Valkey
) -> Build:
    @cache
    def build(state: str) -> Flask:
        document = patient(
            tmp_path_factory.mktemp("gateway"),
            sandbox_url,
            {"url": valkey_server.url} if state == "redis" else None,
            CALLERS,
        )
        return create_app(Settings.model_validate(document))

    return build


@pytest.fixture
def gateways(_gateways: Build, sandbox: SandboxDriver) -> Build:  # noqa: ARG001 - it is behind
    """A function that returns a gateway with its state in memory or in Redis."""
    return _gateways


@pytest.fixture
def freezing(build: Build) -> Build:
    """A function that builds a new gateway."""

    def new(**differences: Any) -> Flask:
        return build(callers=CALLERS, **differences)

    return new
