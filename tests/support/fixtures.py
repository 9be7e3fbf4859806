"""Fixtures: new gateways, a shared Valkey server, a Valkey server for one test, and the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from flask import Flask

from app import create_app
from app.settings import Settings
from demo.relay import Relay, relay
from tests.support.accounts import PAIR, Mounted
from tests.support.log import Log
from tests.support.patience import HASTY, patient
from tests.support.sandbox_driver import SandboxDriver
from tests.support.valkey import Valkey

Build = Callable[..., Flask]


def keeping(build: Build) -> Build:
    """A function that builds each gateway once.

    It builds one at a time. In two threads at once, pytest may delete the first folder that it has
    made, and Python 3.11 may fail to compile Flask's routes.
    """
    once, building = cache(build), Lock()

    def kept(*args: Any, **options: Any) -> Flask:
        with building:
            return once(*args, **options)

    return kept


@pytest.fixture
def mounted(tmp_path: Path) -> Mounted:
    """The mounted files of the key pair that the sandbox knows."""
    return Mounted(tmp_path / "partner").write(*PAIR)


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Valkey]:
    with Valkey() as server:
        server.mature()
        yield server


@pytest.fixture
def valkey(valkey_server: Valkey) -> Valkey:
    """The shared server without values, and long in use; a test must not kill it."""
    valkey_server.clear()
    valkey_server.mature()
    return valkey_server


@pytest.fixture
def mortal() -> Iterator[Valkey]:
    """A separate server, which the test may kill."""
    with Valkey() as server:
        yield server


@pytest.fixture
def successor() -> Iterator[Valkey]:
    """The server that takes over."""
    with Valkey() as server:
        yield server


@pytest.fixture
def address(mortal: Valkey) -> Iterator[Relay]:
    """The address that leads to the master."""
    with relay(mortal.port) as opened:
        yield opened


@pytest.fixture
def build(tmp_path: Path, sandbox: SandboxDriver) -> Build:
    """A function that builds a new gateway."""

    def build(*, upstream: str = sandbox.url, **differences: Any) -> Flask:
        document = patient(tmp_path, upstream, **differences)
        return create_app(Settings.model_validate(document))

    return build


@pytest.fixture(scope="session")
def kept_gateways(
    tmp_path_factory: pytest.TempPathFactory, sandbox_url: str, valkey_server: Valkey
) -> Build:
    """A function that returns a kept gateway: a build takes longer than a request."""

    def build(
        state: str,
        backend: str,
        group: str = "",  # noqa: ARG001 - a key
        hasty: bool = False,
    ) -> Flask:
        document = patient(
            tmp_path_factory.mktemp("gateway"),
            sandbox_url,
            {"url": valkey_server.url} if state == "redis" else None,
            verification={"backend": backend},
            **(HASTY if hasty else {}),
        )
        return create_app(Settings.model_validate(document))

    return keeping(build)


@pytest.fixture
def kept(
    kept_gateways: Build,
    sandbox: SandboxDriver,  # noqa: ARG001 - it is behind
    valkey: Valkey,  # noqa: ARG001 - an earlier test may have emptied it
) -> Build:
    return kept_gateways


@pytest.fixture
def log() -> Iterator[Log]:
    """The log of the gateway."""
    root = logging.getLogger()
    level, log = root.level, Log()
    root.addHandler(log.handler)
    root.setLevel(logging.DEBUG)
    yield log
    root.removeHandler(log.handler)
    root.setLevel(level)
