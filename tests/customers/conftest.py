"""Gateways that create customers."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from flask import Flask

from app import create_app
from app.settings import Settings
from tests.support.fixtures import Build
from tests.support.patience import patient
from tests.support.sandbox_driver import SandboxDriver
from tests.support.valkey import Valkey

CALLERS = {"writer": {"scopes": ["customers:write", "customers:read"]}}


@pytest.fixture
def creator(build: Build) -> Build:
    """A function that builds a new gateway."""

    def creating(**differences: Any) -> Flask:
        return build(callers=CALLERS, **differences)

    return creating


@pytest.fixture(scope="session")
def kept_creators(
    tmp_path_factory: pytest.TempPathFactory, sandbox_url: str, valkey_server: Valkey
) -> Build:
    """A function that returns a cached gateway, by where its state is."""

    @cache
    def creating(state: str) -> Flask:
        url = {"url": valkey_server.url} if state == "redis" else None
        folder = tmp_path_factory.mktemp("creator")
        return create_app(Settings.model_validate(patient(folder, sandbox_url, url, CALLERS)))

    return creating


@pytest.fixture
def kept_creator(kept_creators: Build, sandbox: SandboxDriver) -> Build:
    """The same, on a sandbox that associates a customer at once."""
    sandbox.settings(association_seconds=0)
    return kept_creators
