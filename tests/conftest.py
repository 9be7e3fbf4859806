"""Fixtures: the gateway in front, the sandbox behind it, HTTP on both sides."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import hypothesis
import pytest
import trustme
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.observability import tracing
from app.settings import Settings
from demo.local import Local
from sandbox.server import SandboxServer
from tests.support.gateway import configuration
from tests.support.sandbox_driver import SandboxDriver

pytest_plugins = [
    "tests.support.bills",
    "tests.support.declared_reads",
    "tests.support.fixtures",
    "tests.support.onboarding",
]

hypothesis.settings.register_profile("gateway", deadline=None, print_blob=True)
# `make unit` takes fewer examples: --hypothesis-profile=quick
hypothesis.settings.register_profile("quick", deadline=None, print_blob=True, max_examples=15)
hypothesis.settings.load_profile("gateway")

_OF_THE_MACHINE = (
    "CURL_CA_BUNDLE",
    "GATEWAY_CONFIG",
    "GUNICORN_CMD_ARGS",
    "HOST",
    "LOG_LEVEL",
    "METRICS_PORT",
    "NETRC",
    "PORT",
    "REQUESTS_CA_BUNDLE",
    "WEB_CONCURRENCY",
)


# What a test needs or imports that starts another process.
_PROCESSES = {"Local", "ServedGateway", "Valkey", "served", "subprocess", "valkey", "valkey_server"}


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """Mark the tests that `make unit` leaves out, and order all tests.

    Modules that only wait mark themselves. Each worker begins with its part of the list, and takes
    tests of another one when its own are done. Long tests wait more than they work: they begin in
    a half of the workers, so that the cores are busy meanwhile and no worker is left with one at
    the end. The others stay in their random order, but folder by folder, so that few workers start
    the servers of a folder.
    """
    for item in items:
        if isinstance(item, pytest.Function):
            needs = {*item.fixturenames, *vars(item.module)}
            if needs & _PROCESSES:
                item.add_marker("slow")
    yield
    folders: dict[Path, int] = {}
    for item in items:
        folders.setdefault(item.path.parent, len(folders))
    items.sort(key=lambda item: folders[item.path.parent])
    items[:] = _dealt(items, getattr(config, "workerinput", {}).get("workercount", 1))


def _dealt(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """The tests in an order in which a half of the workers begin with the long ones.

    The long tests of a file stay together, because they share a set-up that takes long.
    """
    long: dict[Path, list[pytest.Item]] = {}
    others = []
    for item in items:
        if item.get_closest_marker("long"):
            long.setdefault(item.path, []).append(item)
        else:
            others.append(item)
    files, half = list(long.values()), max(1, workers // 2)
    dealt: list[pytest.Item] = []
    for worker in range(workers):
        begins = [item for file in files[worker::half] for item in file] if worker < half else []
        part = (len(items) - len(dealt)) // (workers - worker)
        further = max(0, part - len(begins))
        dealt += begins + others[:further]
        others = others[further:]
    return dealt + others


@pytest.fixture(autouse=True)
def no_tracing_left() -> Iterator[None]:
    """Stop the exporter of traces after each test."""
    yield
    tracing.close()


@pytest.fixture(autouse=True)
def clean_environ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide proxies, configuration and certificates of this machine from a test."""
    for name in tuple(os.environ):
        upper = name.upper()
        if upper in _OF_THE_MACHINE or upper.endswith("_PROXY") or upper.startswith("FLASK_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    monkeypatch.setenv("SSL_CERT_DIR", os.devnull)


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    """The sandbox of this worker, without a limit of calls a second.

    Most tests name attachments only to see them sent. Tests of uploads set
    `missing_attachment_code`.
    """
    settings = {"requests_per_second": None, "missing_attachment_code": None}
    with SandboxServer(settings=settings) as server:
        yield server.url


@pytest.fixture
def sandbox(sandbox_url: str) -> Iterator[SandboxDriver]:
    """The sandbox in its start state, before the test and after it.

    Tests that take `sandbox_url` alone do not reset it: the clock, the keys and the faults of
    this test must not reach them.
    """
    driver = SandboxDriver(sandbox_url)
    driver.reset()
    yield driver
    driver.reset()


@pytest.fixture
def config(tmp_path: Path, sandbox_url: str) -> dict[str, Any]:
    """A valid configuration, in the structure of the file."""
    return configuration(tmp_path, sandbox_url)


@pytest.fixture
def settings(config: dict[str, Any]) -> Settings:
    return Settings.model_validate(config)


@pytest.fixture
def app(settings: Settings, sandbox: SandboxDriver) -> Flask:  # noqa: ARG001 - it is behind
    return create_app(settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def shared_client(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> FlaskClient:
    """One gateway for modules of many small cases: a build takes longer than a request."""
    folder = tmp_path_factory.mktemp("shared")
    return create_app(Settings.model_validate(configuration(folder, sandbox_url))).test_client()


@pytest.fixture(scope="session")
def served() -> Iterator[Local]:
    """The gateway under gunicorn with its own sandbox, as `make run` starts them."""
    with TemporaryFile() as log, Local(log=log) as local:
        yield local


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """The TLS context of a server for 127.0.0.1 with a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")
