"""The output of the commands holds no secret of a configuration, whatever its errors."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import settings
from demo.local import PROJECT, free_port
from tests.canary import marked
from tests.canary.markers import Markers
from tests.canary.search import Sinks, report, seek
from tests.support.config_file import put
from tests.support.sandbox_driver import SandboxDriver

LIMIT = 60  # seconds
CHECK_CONFIG = ("flask", "--app", "app", "config", "check")
CHECK_CREDENTIALS = ("flask", "--app", "app", "credentials", "check")
SERVE = ("gunicorn", "-c", "gunicorn.conf.py")

# Places where a user may write a secret, or a fragment of a file that holds a secret.
PLACES = (
    "accounts.legacy.credentials.0.secret_key_file",
    "accounts.legacy.credentials.0.secret_key",
    "accounts.legacy.endpoint",
    "accounts.legacy.proxy",
    "accounts.legacy.partner_id",
    "accounts.token.iam.password",
    "accounts.token.iam.password_file",
    "callers.everything.keys_sha256",
    "callers.everything.customers",
    "callers.everything.rate",
    "kubernetes.jwks_url",
    "oidc.jwks_url",
    "oidc.token_file",
    "state.url",
    "state.key_file",
    "tracing.endpoint",
)
FORMS: tuple[Callable[[str], Any], ...] = (
    str,
    lambda secret: [secret],
    lambda secret: {secret: secret},
    lambda secret: f"https://user:{secret}@huawei.example:x/?key={secret}#{secret}",
    lambda secret: f"({secret}",
)


@pytest.fixture
def markers() -> Markers:
    return Markers()


@pytest.fixture
def document(tmp_path: Path, sandbox: SandboxDriver, markers: Markers) -> dict[str, Any]:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    return marked.configuration(
        marked.write_secrets(secrets, markers),
        markers,
        sandbox=sandbox.url,
        state="memory://",
        jwks=f"{sandbox.url}/jwks",
        collector=f"{sandbox.url}",
    )


def run(command: tuple[str, ...], file: Path, markers: Markers) -> int:
    """Run a command with a configuration and search its output. Returns the exit status."""
    arguments = (str(file),) if command is CHECK_CONFIG else ()
    done = subprocess.run(  # noqa: S603 - our own programs
        [sys.executable, "-m", *command, *arguments],
        cwd=PROJECT,
        env={"GATEWAY_CONFIG": str(file), "LOG_LEVEL": "DEBUG", "PORT": str(free_port())},
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )
    sinks = Sinks()
    sinks.add("command", "standard output", done.stdout)
    sinks.add("command", "standard error", done.stderr)
    findings = seek(sinks, markers)
    assert not findings, report(findings)
    assert b"Traceback" not in done.stderr
    return done.returncode


def test_checking_a_broken_configuration_repeats_nothing_of_it(
    tmp_path: Path, document: dict[str, Any], markers: Markers
) -> None:
    sinks = Sinks()
    secret = markers.mark("a misplaced secret", "QANARY{core}")
    for place in PLACES:
        for number, form in enumerate(FORMS):
            broken = deepcopy(document)
            put(broken, place, form(secret))
            text = yaml.dump(broken, Dumper=yaml.CSafeDumper)
            cut = (text + f"\n{secret}: [", text.replace(": ", f":{secret} ", 1))
            for content in (text, *(cut if number == 0 else ())):
                file = tmp_path / f"{number}.yaml"
                file.write_text(content)
                try:
                    sinks.add("settings", place, "fine")
                    settings.load(file)
                except settings.ConfigurationError as error:
                    sinks.add("message", place, str(error))
    findings = seek(sinks, [one for one in markers if one.name == "a misplaced secret"])
    assert sinks.size("message") > 1000
    assert not findings, report(findings)


@pytest.mark.parametrize("command", [CHECK_CONFIG, CHECK_CREDENTIALS, SERVE])
def test_no_command_repeats_a_value_of_a_broken_configuration(
    tmp_path: Path, document: dict[str, Any], markers: Markers, command: tuple[str, ...]
) -> None:
    secret = markers.mark("a misplaced secret", "QANARY{core}")
    for place in ("accounts.token.iam.password", "accounts.legacy.proxy", "state.url"):
        put(document, place, f"http://user:{secret}@x")
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(document))
    assert run(command, file, markers) == 2


def test_the_check_of_credentials_shows_no_secret(
    tmp_path: Path, document: dict[str, Any], markers: Markers, sandbox: SandboxDriver
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(document))
    said = markers.mark("Huawei's words")
    assert run(CHECK_CREDENTIALS, file, markers) == 1  # the sandbox knows other keys
    sandbox.access_keys(**marked.pairs(markers))
    sandbox.fault("*", "code", code="APIGW.0301", message=said)
    assert run(CHECK_CREDENTIALS, file, markers) == 1
