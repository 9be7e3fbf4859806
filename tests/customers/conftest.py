"""Gateways that create customers, set budgets and freeze."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app import create_app
from app.settings import Settings
from tests.support.fixtures import Build, keeping
from tests.support.patience import HASTY, patient
from tests.support.sandbox_driver import SandboxDriver
from tests.support.valkey import Valkey

SCOPES = (
    *("customers:write", "customers:read", "customers:freeze", "customers:freeze-resources"),
    *("budgets:write", "budgets:read"),
)
CALLERS = {"writer": {"scopes": [*SCOPES]}}


@pytest.fixture
def creator(build: Build) -> Build:
    """A function that builds a new gateway."""

    def creating(**differences: Any) -> Flask:
        return build(callers=CALLERS, **differences)

    return creating


@pytest.fixture(scope="session")
def _kept(
    tmp_path_factory: pytest.TempPathFactory, sandbox_url: str, valkey_server: Valkey
) -> Build:
    def build(state: str, group: str = "", hasty: bool = False) -> Flask:  # noqa: ARG001 - a key
        url = {"url": valkey_server.url} if state == "redis" else None
        folder, account = tmp_path_factory.mktemp("gateway"), HASTY if hasty else {}
        document = patient(folder, sandbox_url, url, CALLERS, **account)
        return create_app(Settings.model_validate(document))

    return keeping(build)


@pytest.fixture
def gateways(_kept: Build, sandbox: SandboxDriver, valkey: Valkey) -> Build:  # noqa: ARG001
    """A function that returns a kept gateway, with its state in memory or in Redis.

    The sandbox is behind it, and the Redis has been in use for long. A gateway sends few failed
    calls again: tests that expect this use a group of gateways of their own.
    """
    return _kept


@pytest.fixture
def kept_creator(gateways: Build, sandbox: SandboxDriver) -> Build:
    """The same, on a sandbox that associates a customer at once."""
    sandbox.settings(association_seconds=0)
    return gateways
