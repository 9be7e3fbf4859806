"""Gateways under gunicorn; one has short timeouts, so that tests of slow clients are fast."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.local import configuration
from sandbox.server import SandboxServer
from tests.support.gunicorn_process import ServedGateway
from tests.support.sandbox_driver import SandboxDriver

HEAD_SECONDS, IDLE_SECONDS, BODY_SECONDS = 1, 3, 2


@pytest.fixture(scope="module")
def sandbox_behind() -> Iterator[SandboxDriver]:
    """A separate sandbox without a limit of calls a second."""
    with SandboxServer(settings={"requests_per_second": None}) as server:
        yield SandboxDriver(server.url)


def gateway(
    folder: Path,
    sandbox_url: str,
    server: dict[str, Any] | None = None,
    **environment: str | None,
) -> ServedGateway:
    """The demonstration's gateway, with one caller of all scopes and without Huawei's quota.

    Args:
        folder: The folder for its files.
        sandbox_url: Huawei.
        server: The section `server`.
        environment: Further environment variables.
    """
    settings: dict[str, Any] = configuration(folder, sandbox_url)
    settings["server"] = server or {}
    settings["accounts"]["default"]["quota"] = {"requests_per_second": 1000}
    return ServedGateway(folder, settings, environment=environment)


@pytest.fixture(scope="module")
def impatient(
    tmp_path_factory: pytest.TempPathFactory, sandbox_behind: SandboxDriver
) -> Iterator[ServedGateway]:
    """A gateway with shorter client timeouts than in production."""
    patience = f"--graceful-timeout {BODY_SECONDS}"
    folder = tmp_path_factory.mktemp("impatient")
    environment = {"GUNICORN_CMD_ARGS": patience, "LOG_LEVEL": "DEBUG"}
    server = {"keepalive": IDLE_SECONDS, "head_timeout": HEAD_SECONDS}
    with gateway(folder, sandbox_behind.url, server, **environment) as served:
        yield served
