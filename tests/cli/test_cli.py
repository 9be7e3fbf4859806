"""The command line, run as a program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import cli as flask_cli
from flask.testing import FlaskClient

from app import create_app
from app.errors import ErrorCode
from tests.support.command_line import flask
from tests.support.gateway import CUSTOMER, configuration, submit
from tests.support.sandbox_driver import SandboxDriver


@pytest.mark.parametrize(
    "command",
    [
        ("billing",),
        ("config",),
        ("config", "check"),
        ("credentials",),
        ("errors",),
        ("verification",),
    ],
)
def test_each_command_has_a_help_text(app: Flask, command: tuple[str, ...]) -> None:
    done = app.test_cli_runner().invoke(args=[*command, "--help"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage:")


def test_the_app_is_built_from_the_configuration_file_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(configuration(tmp_path, "http://127.0.0.1:1")))
    monkeypatch.setenv("GATEWAY_CONFIG", str(path))
    assert create_app().test_client().get("/readyz").status_code == 200
    path.write_text("accounts: {}")
    with pytest.raises(SystemExit) as end:
        create_app()
    assert end.value.code == 2
    assert "callers: is missing" in capsys.readouterr().err


def test_commands_are_found_without_a_configuration() -> None:
    done = CliRunner().invoke(flask_cli, ["--app", "app", "--help"])
    assert (done.exit_code, done.stderr) == (0, "")
    for command in ("billing", "config", "credentials", "errors", "verification"):
        assert f"  {command}" in done.stdout


def test_checking_a_faulty_configuration_exits_with_2(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    document = configuration(tmp_path, "https://bss-intl.myhuaweicloud.com")
    document["accounts"]["default"]["colour"] = "red"
    path.write_text(yaml.safe_dump(document))
    done = flask("config", "check", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "accounts.default.colour: is not a known key" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_of_certificate_authorities_that_cannot_be_used_fails_the_check(
    tmp_path: Path,
) -> None:
    path, empty = tmp_path / "config.yaml", tmp_path / "ca.pem"
    document = configuration(tmp_path, "https://bss-intl.myhuaweicloud.com")
    document["accounts"]["default"]["ca_file"] = str(empty)
    path.write_text(yaml.safe_dump(document))
    elsewhere = flask("config", "check", str(path))  # where the file is not mounted
    assert (elsewhere.returncode, f"{empty} does not exist" in elsewhere.stderr) == (0, True)
    empty.touch()
    refused = flask("config", "check", str(path))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"accounts.default.ca_file: {empty}: holds no certificate" in refused.stderr


def test_the_check_without_a_file_checks_the_file_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.yaml"
    monkeypatch.setenv("GATEWAY_CONFIG", str(path))
    path.write_text("accounts: none")
    assert flask("config", "check").returncode == 2
    path.write_text(yaml.safe_dump(configuration(tmp_path, "https://bss-intl.myhuaweicloud.com")))
    assert f"{path} can be used" in flask("config", "check").stdout


def test_flask_run_refuses_a_missing_configuration() -> None:
    done = flask("run", "--port", "0")
    assert done.returncode == 2
    assert "GATEWAY_CONFIG is not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_catalogue_is_listed_for_people_and_programs() -> None:
    runner = CliRunner()
    lines = runner.invoke(flask_cli, ["--app", "app", "errors", "list"]).stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(ErrorCode.__members__)
    entries = json.loads(
        runner.invoke(flask_cli, ["--app", "app", "errors", "list", "--json"]).stdout
    )
    for entry in entries:
        code = ErrorCode[entry["code"]]
        assert (entry["status"], entry["title"]) == (code.status, code.title)
    assert len(entries) == len(ErrorCode)


@pytest.fixture
def environment(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> CliRunner:
    """A runner of commands, with a configuration for the sandbox."""
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("GATEWAY_CONFIG", str(path))
    return CliRunner()


def get_verification(runner: CliRunner, *arguments: str) -> Result:
    return runner.invoke(create_app().cli, ["verification", "get", *arguments])


def test_the_command_line_reads_a_verification(
    environment: CliRunner, client: FlaskClient, sandbox: SandboxDriver
) -> None:
    assert submit(client).status_code == 201
    done = get_verification(environment, CUSTOMER, "--account", "default")
    assert (done.exit_code, done.stderr) == (0, "")
    shown = json.loads(done.stdout)
    assert (shown["customer_id"], shown["status"]) == (CUSTOMER, "VERIFIED")
    assert len(sandbox.requests()) == 2


def test_reading_a_verification_exits_with_1_on_a_failure(
    environment: CliRunner, sandbox: SandboxDriver
) -> None:
    sandbox.fault("result", "code", code="CBC.5002", status=200)
    done = get_verification(environment, "c-1", "--account", "second")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("CUSTOMER_NOT_FOUND: ")


@pytest.mark.parametrize(
    "arguments", [["../c-1", "--account", "default"], ["c-1"], ["c-1", "--account", "third"]]
)
def test_reading_a_verification_exits_with_2_on_wrong_arguments(
    environment: CliRunner, sandbox: SandboxDriver, arguments: list[str]
) -> None:
    assert get_verification(environment, *arguments).exit_code == 2
    assert sandbox.requests() == []
