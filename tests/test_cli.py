"""The command line, run as programs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import yaml

from demo.local import PROJECT, free_port
from tests.gateway import configuration

LIMIT = 60  # seconds


def flask(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "flask", "--app", "app", *arguments],
        cwd=folder or PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


def test_help_needs_no_configuration() -> None:
    done = flask("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for command in ("config", "sandbox", "openapi"):
        assert f"  {command}" in done.stdout


@pytest.mark.parametrize("command", [("config",), ("config", "check"), ("sandbox",)])
def test_each_command_explains_itself(command: tuple[str, ...]) -> None:
    done = flask(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage:")


def test_a_configuration_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    document = configuration(tmp_path, "https://bss-intl.myhuaweicloud.com")
    path.write_text(yaml.safe_dump(document))
    done = flask("config", "check", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "can be used" in done.stdout

    document["accounts"]["default"]["colour"] = "red"
    path.write_text(yaml.safe_dump(document))
    done = flask("config", "check", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "accounts.default.colour: is not a known key" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_configuration_is_never_served_unseen() -> None:
    done = flask("run", "--port", "0")
    assert done.returncode == 2
    assert "GATEWAY_CONFIG is not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_contract_is_written_without_a_configuration(tmp_path: Path) -> None:
    written = tmp_path / "openapi.yaml"
    done = flask("openapi", "write", "--format", "yaml", str(written))
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(written.read_text()) == yaml.safe_load(
        (PROJECT / "openapi/openapi.yaml").read_text()
    )


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_serves_until_it_is_told_to_end(end: signal.Signals) -> None:
    port = free_port()
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "flask", "--app", "app", "sandbox", "--port", str(port)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert str(port) in process.stdout.readline()  # it says so once it listens
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Connection"] = "close"
            state = session.get(f"http://127.0.0.1:{port}/_sandbox/state", timeout=10)
        assert state.status_code == 200
        process.send_signal(end)
        _, errors = process.communicate(timeout=LIMIT)
    assert process.returncode == 0
    assert "Traceback" not in errors
