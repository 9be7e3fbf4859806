"""The gateway under gunicorn, as deployed."""

from __future__ import annotations

import os
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from app import settings
from app.version import VERSION
from demo.local import PROJECT, free_port
from tests.support.gate import Gate, submit
from tests.support.gateway import (
    INDIVIDUAL_PATH,
    PERSON,
    SECRET_KEY,
    bearer,
    configuration,
)
from tests.support.gunicorn_process import LIMIT, ServedGateway, failed_start
from tests.support.raw_upstream import RawUpstream
from tests.support.sandbox_driver import SandboxDriver


def check_quiet(gateway: ServedGateway) -> None:
    """Assert that every line is JSON, without a crash and without these values."""
    assert not any("exceptions" in line for line in gateway.lines)
    for word in ("Traceback", SECRET_KEY, "writer-key", "ZHANG SAN", "E1234567"):
        assert word not in gateway.text


def test_the_served_gateway_serves_every_path_and_counts_requests(
    tmp_path: Path, config: dict[str, Any], sandbox: SandboxDriver
) -> None:
    port = free_port()
    environment = {"METRICS_PORT": str(port), "LOG_LEVEL": "DEBUG"}
    with ServedGateway(tmp_path, config, environment=environment) as gateway:
        assert submit(gateway).json()["status"] == "VERIFIED"
        assert len(sandbox.requests("verified-info")) == 1
        for path in ("/livez", "/readyz", "/v1/errors", "/openapi.json", "/docs"):
            assert gateway.request("GET", path).status_code == 200, path
        head = gateway.request("HEAD", "/v1/errors")
        assert (head.status_code, head.content) == (200, b"")
        options = gateway.request("OPTIONS", "/livez")
        assert options.status_code == 405
        assert "GET" in options.headers["Allow"]
        assert gateway.request("GET", "/metrics").status_code == 404
        assert gateway.operations_url == f"http://127.0.0.1:{port}"
        for path, status in (("/livez", 200), ("/readyz", 200), ("/v1/errors", 404)):
            assert gateway.operate(path).status_code == status
        metrics = gateway.operate("/metrics").text
        gateway.line(event="request")
        assert gateway.end() == 0
    check_quiet(gateway)
    assert 'gateway_upstream_calls_total{account="default",' in metrics
    assert f'gateway_build_info{{version="{VERSION}"}} 1.0' in metrics
    assert "gateway_credentials_usable" in metrics
    assert 'caller="writer",code="none",' in metrics
    for secret in (SECRET_KEY, "writer-key", "ZHANG SAN"):
        assert secret not in metrics


def test_an_ipv6_host_is_bound_in_brackets() -> None:
    assert settings.address("::", 8080) == "[::]:8080"
    assert settings.address("0.0.0.0", 8080) == "0.0.0.0:8080"  # noqa: S104 - nothing is bound


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"GATEWAY_CONFIG": None}, "GATEWAY_CONFIG is not set"),
        ({"PORT": "eighty"}, "PORT must be a port number"),
    ],
)
def test_a_wrong_environment_exits_with_2_and_one_message(
    tmp_path: Path,
    config: dict[str, Any],
    environment: dict[str, str | None],
    message: str,
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    status, errors = failed_start({"GATEWAY_CONFIG": str(path), **environment})
    assert status == 2
    assert message in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ("--workers 2", "workers"),
        ("-k gthread --threads 4", "worker_class"),
        ("--preload", "preload_app"),
        ("--keep-alive 5", "keepalive"),
        ("--bind 127.0.0.1:0", "bind"),
    ],
)
def test_gunicorn_cannot_be_told_to_start_several_processes_or_another_worker(
    tmp_path: Path, config: dict[str, Any], arguments: str, name: str
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    status, errors = failed_start({"GATEWAY_CONFIG": str(path), "GUNICORN_CMD_ARGS": arguments})
    assert status == 2
    last = errors.splitlines()[-1]
    assert last == f"{name}: GUNICORN_CMD_ARGS and the command line of gunicorn must not set it"
    assert "Booting worker" not in errors


def test_unusable_certificate_authorities_exit_with_2_and_name_their_keys(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    config["accounts"]["default"]["ca_file"] = "/not/there"
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    status, errors = failed_start({"GATEWAY_CONFIG": str(path)})
    assert status == 2
    assert errors == "accounts.default.ca_file: /not/there: No such file or directory\n"


def test_a_wrong_configuration_exits_with_2_and_one_message(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("accounts: {default: {secret_key: s3cr3t}}\n")
    status, errors = failed_start({"GATEWAY_CONFIG": str(path)})
    assert status == 2
    assert errors.startswith(f"{path} cannot be used:\n")
    for key in ("accounts.default.secret_key", "accounts.default.endpoint", "callers"):
        assert f"\n  {key}: " in errors
    assert "s3cr3t" not in errors
    assert "Traceback" not in errors


def test_a_call_in_progress_is_finished_before_the_gateway_exits(tmp_path: Path) -> None:
    gate = Gate()
    with RawUpstream(gate) as upstream, ThreadPoolExecutor() as threads:
        config = configuration(tmp_path, upstream.url)
        with ServedGateway(tmp_path, config) as gateway:
            gate.shut()
            answer = threads.submit(submit, gateway)
            assert gate.arrived.acquire(timeout=LIMIT)
            gateway.signal(signal.SIGTERM)
            gateway.wait_for("Handling signal: term")
            gate.open()
            assert answer.result(LIMIT).status_code == 201
            assert gateway.wait() == 0
    check_quiet(gateway)
    assert len(upstream.requests) == 1


@pytest.fixture
def copied(tmp_path: Path) -> Iterator[Path]:
    """A read-only copy of the deployed files."""
    project = tmp_path / "deployed"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "app", project / "app", ignore=ignored)
    shutil.copy(PROJECT / "gunicorn.conf.py", project)
    folders = [path for path in (project, *project.rglob("*")) if path.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    yield project
    for folder in folders:
        folder.chmod(0o755)


def test_the_served_gateway_needs_no_home_and_writes_no_file(
    tmp_path: Path, config: dict[str, Any], sandbox: SandboxDriver, copied: Path
) -> None:
    def snapshot() -> dict[str, float]:
        return {str(path): path.stat().st_mtime for path in copied.rglob("*")}

    before = snapshot()
    environment = {"HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
    with ServedGateway(tmp_path, config, copied, environment) as gateway:
        assert submit(gateway).status_code == 201
        assert len(sandbox.requests("verified-info")) == 1
        assert snapshot() == before
        assert gateway.end() == 0
    assert snapshot() == before
    check_quiet(gateway)


def test_tls_works_under_the_real_worker(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with RawUpstream(tls=context) as upstream:
        config = configuration(tmp_path, upstream.url)
        config["accounts"]["default"]["ca_file"] = str(tmp_path / "ca.pem")
        with ServedGateway(tmp_path, config) as gateway:
            assert [submit(gateway).status_code for _ in range(3)] == [201] * 3
            refused = gateway.request(
                "POST",
                INDIVIDUAL_PATH,
                json=PERSON,
                headers=bearer()
                | {"Partner-Account": "second"},  # the second account does not trust that CA
            )
            assert refused.json()["code"] == "UPSTREAM_UNREACHABLE"
    check_quiet(gateway)
    assert len(upstream.requests) == 3


def test_waiting_requests_do_not_delay_the_health_probes(tmp_path: Path) -> None:
    gate, many = Gate(), 50
    with RawUpstream(gate) as upstream, ThreadPoolExecutor(many) as threads:
        config = configuration(tmp_path, upstream.url)
        with ServedGateway(tmp_path, config) as gateway:
            assert submit(gateway).status_code == 201  # the first call proves the key
            gate.shut()
            answers = [threads.submit(submit, gateway, f"c-{place}") for place in range(many)]
            for _ in range(1 + many):
                assert gate.arrived.acquire(timeout=LIMIT)
            for path in ("/livez", "/readyz"):
                assert gateway.request("GET", path).elapsed.total_seconds() < 2
            gate.open()
            assert {answer.result(LIMIT).status_code for answer in answers} == {201}
    assert len(upstream.requests) == 1 + many


@pytest.mark.long
def test_the_demo_verifies_a_customer_and_prints_no_secret() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo.demo"],
        cwd=PROJECT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=2 * LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "VERIFIED" in done.stdout
    assert SECRET_KEY not in done.stdout
