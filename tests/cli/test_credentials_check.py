"""`flask --app app credentials check`, run as a program: its output and exit status."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.server import SandboxServer
from tests.support.accounts import PASSWORD
from tests.support.command_line import flask
from tests.support.gateway import ACCESS_KEY, SECRET_KEY, configuration
from tests.support.sandbox_driver import SandboxDriver

WRONG = "wrong-secret-key"

Check = Callable[[dict[str, Any]], subprocess.CompletedProcess[str]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """A function that runs the command for a configuration."""

    def run(document: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(document))
        done = flask("credentials", "check", GATEWAY_CONFIG=str(path))
        for secret in (SECRET_KEY, PASSWORD, WRONG, ACCESS_KEY, "Signature=", "Traceback"):
            assert secret not in done.stdout + done.stderr
        return done

    return run


def lines(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str]]:
    """Account -> its state and its message."""
    found = {}
    for line in done.stdout.splitlines():
        match = re.fullmatch(r"(ok  |FAIL) ([^:]+): (.+)", line)
        assert match, line
        found[match[2]] = (match[1].strip(), match[3])
    return found


@pytest.fixture
def other_sites() -> Iterator[Callable[[], SandboxDriver]]:
    """A function that starts further sandboxes, each with its own faults."""
    servers: list[SandboxServer] = []

    def start() -> SandboxDriver:
        servers.append(SandboxServer().__enter__())
        return SandboxDriver(servers[-1].url)

    yield start
    for server in servers:
        server.__exit__(None, None, None)


def test_the_check_of_working_credentials_exits_with_0(
    check: Check, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    document = configuration(tmp_path, sandbox.url)
    document["accounts"]["token"] = by_token(tmp_path, sandbox.url, PASSWORD)
    done = check(document)
    assert (done.returncode, done.stderr) == (0, "")
    good = ("ok", "reached, signed, accepted as a partner")
    assert lines(done) == {"default": good, "second": good, "token": good}
    assert {entry["operation"] for entry in sandbox.requests()} == {"result", "token"}
    assert all(entry["method"] == "GET" for entry in sandbox.requests("result"))
    assert len(sandbox.requests()) == 4


def by_token(folder: Path, url: str, password: str) -> dict[str, Any]:
    path = folder / f"password-{password}"
    path.write_text(password)
    iam = {"endpoint": url, "domain": "partner", "user": "partner", "password_file": str(path)}
    account: dict[str, Any] = configuration(folder, url)["accounts"]["default"]
    return account | {"authentication": "token", "iam": iam, "credentials": []}


def test_the_check_names_each_account_with_faulty_credentials_and_exits_with_1(
    check: Check,
    sandbox: SandboxDriver,
    other_sites: Callable[[], SandboxDriver],
    tmp_path: Path,
) -> None:
    document = configuration(tmp_path, sandbox.url)
    accounts = document["accounts"]
    good = accounts.pop("second")
    document["callers"] = {}
    refusals: dict[str, tuple[str, dict[str, Any]]] = {
        "no-partner": ("code", {"code": "CBC.5001"}),
        "no-right": ("code", {"code": "CBC.0151"}),
        "wrong-site": ("code", {"code": "CBC.0150"}),
        "web-page": ("html", {"status": 200}),
        "proxy": ("html", {"status": 403}),
    }
    for name, (kind, parameters) in refusals.items():
        site = other_sites()
        site.fault("result", kind, **parameters)
        accounts[name] = {**good, "endpoint": site.url}
    wrong = tmp_path / "wrong"
    wrong.write_text(WRONG)
    (pair,) = accounts["default"]["credentials"]
    accounts["wrong-secret"] = {**good, "credentials": [pair | {"secret_key_file": str(wrong)}]}
    nowhere = str(tmp_path / "nowhere")
    accounts["no-files"] = {**good, "credentials": [pair | {"access_key_file": nowhere}]}
    accounts["unreachable"] = {**good, "endpoint": "http://127.0.0.1:1"}
    accounts["wrong-password"] = by_token(tmp_path, sandbox.url, "wrong-password")

    # A lost shared state does not prevent the check.
    key_file = tmp_path / "state-key"
    key_file.write_text("k" * 32)
    document["state"] = {"url": "redis://:a-password@127.0.0.1:1/0", "key_file": str(key_file)}

    done = check(document)
    found = lines(done)
    assert done.returncode == 1
    assert "a-password" not in done.stderr
    assert found.keys() == accounts.keys()
    assert {name for name, (state, _) in found.items() if state == "ok"} == {"default"}
    expected = {
        "no-partner": ("accepted, but PARTNER_NOT_ENABLED", "CBC.5001"),
        "no-right": ("accepted, but UPSTREAM_ACCESS_DENIED", "CBC.0151"),
        "wrong-site": ("accepted, but UPSTREAM_ACCESS_DENIED", "CBC.0150"),
        "web-page": ("reached, but not accepted", "HTTP 200"),
        "proxy": ("reached, but not accepted", "HTTP 403"),
        "wrong-secret": ("reached, but not accepted: UPSTREAM_ACCESS_DENIED", "APIGW.0301"),
        "no-files": ("UPSTREAM_ACCESS_DENIED", "No key pair of this account can be read"),
        "unreachable": ("UPSTREAM_UNREACHABLE", ""),
        "wrong-password": ("UPSTREAM_ACCESS_DENIED", ""),
    }
    for name, words in expected.items():
        assert all(word in found[name][1] for word in words), (name, found[name])
    assert len(sandbox.requests("token")) == 1
    assert not any(key["locked"] for key in sandbox.state()["access_keys"].values())


def test_the_check_of_credentials_without_a_configuration_exits_with_2() -> None:
    done = flask("credentials", "check")
    assert (done.returncode, done.stdout) == (2, "")
    assert "GATEWAY_CONFIG is not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_check_of_credentials_with_an_unreadable_sealing_key_exits_with_2(
    check: Check, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    document = configuration(tmp_path, sandbox.url)
    state = {"url": "redis://:a-password@127.0.0.1:1/0", "key_file": str(tmp_path / "nowhere")}
    done = check(document | {"state": state})
    assert (done.returncode, done.stdout) == (2, "")
    assert "state.key_file: No such file" in done.stderr
    assert "a-password" not in done.stderr
