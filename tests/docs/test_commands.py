"""Every documented command is run or excluded with a reason, and is valid shell.

test_quickstart runs the commands of the quick starts.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.events.signing import SecretFile
from demo.demo import picture
from demo.local import PROJECT, Local
from sandbox.server import SandboxServer
from tests.docs.only_parsed import ONLY_PARSED
from tests.support import shell
from tests.support.programs import needed
from tests.support.sandbox_driver import SandboxDriver
from tools.docs import markdown
from tools.docs.markdown import Block

MAKE = re.compile(r"make ((?:[a-z-]+ ?)+)")
Check = Callable[[Local, Path, str], None]


def _first_request(served: Local, folder: Path, commands: str) -> None:
    said = shell.run(shell.at(served, commands), folder)
    assert "HTTP/1.1 201 CREATED" in said
    assert '"status":"VERIFIED"' in said


def _check_only(served: Local, folder: Path, commands: str) -> None:
    said = shell.run(commands, folder, shell.caller(served))
    assert '"status":"CHECKED"' in said
    assert '"pointer":"/partner_user_id"' in said
    assert '"pointer":"/attachments"' in said


def _upload(served: Local, folder: Path, commands: str) -> None:
    (folder / "data-page.png").write_bytes(picture())
    said = shell.run(commands, folder, shell.caller(served))
    assert said == '{"attachment":"cust-0001/data-page.png"}\n'


def _lost_answer(served: Local, folder: Path, commands: str) -> None:
    said = shell.run(shell.at(served, commands), folder, shell.caller(served))
    assert '"code": "OUTCOME_UNKNOWN"' in said
    assert said.index("OUTCOME_UNKNOWN") < said.index('"status":"VERIFIED"')


def _switch_off(served: Local, folder: Path, commands: str) -> None:
    said = shell.run(shell.at(served, commands), folder)
    assert said.index('"legacy":"retired"') < said.index('"legacy":"served"')


def _sandbox_control(_: Local, folder: Path, commands: str) -> None:
    careful = 'curl() { command curl --fail-with-body --silent --show-error "$@"; }\n'
    with SandboxServer() as server:
        address = server.url
        shell.run(careful + commands.replace("http://127.0.0.1:8090", address), folder)


def _checkout(folder: Path) -> None:
    """What a checkout and its environment have for `demo.serve`."""
    for name in ("app", "demo", "sandbox"):
        shutil.copytree(PROJECT / name, folder / name)
    shutil.copy(PROJECT / "gunicorn.conf.py", folder)
    (folder / ".venv").symlink_to(PROJECT / ".venv")


def _own_tests(_: Local, folder: Path, commands: str) -> None:
    _checkout(folder)
    assert shell.run(commands, folder) == '{"status":"ok"}\n'
    assert '"path":"/readyz"' not in (folder / "gateway.log").read_text()


def _reset(_: Local, folder: Path, commands: str) -> None:
    _checkout(folder)
    serve = ".venv/bin/python -m demo.serve --log log -- bash -euc"
    shell.run(f"{serve} '{commands}'", folder)


def _unchecked(served: Local, folder: Path, commands: str) -> None:
    sandbox = SandboxDriver(served.sandbox_url)
    try:
        said = shell.run(commands, folder, {"SANDBOX": f"{served.sandbox_url}/_sandbox"})
        assert '"missing_attachment_code":null' in said
    finally:
        sandbox.settings(missing_attachment_code="CBC.0100")


def _one_customer(served: Local, folder: Path, commands: str) -> None:
    said = shell.run(commands, folder, {"SANDBOX": f"{served.sandbox_url}/_sandbox"})
    assert '"customer":"cust-0003"' in said
    assert SandboxDriver(served.sandbox_url).faults() == []


def _variables(_: Local, folder: Path, commands: str) -> None:
    shell.run(f"{commands}\ntest $GATEWAY$KEY = http://127.0.0.1:8080demo-key", folder)


def _check_example(_: Local, folder: Path, commands: str) -> None:
    shown = markdown.blocks(PROJECT / "docs/configuration.md")
    (folder / "config.yaml").write_text(next(one.text for one in shown if one.about == "yaml"))
    shutil.copytree(PROJECT / "app", folder / "app")
    assert "config.yaml can be used" in shell.run(commands, folder)


def _digest(_: Local, folder: Path, commands: str) -> None:
    digest, dash = shell.run(commands, folder).split()
    assert (len(digest), dash) == (64, "-")


def _events(served: Local, folder: Path, commands: str) -> None:
    said = json.loads(shell.run(commands, folder, shell.caller(served)))
    assert said.keys() == {"items", "next"}


def _secret(_: Local, folder: Path, commands: str) -> None:
    path = folder / "secret"
    path.write_text(shell.run(commands, folder))
    signature = SecretFile(path, "shop").sign("1-1", datetime.now(UTC), "{}")
    assert signature.startswith("v1,")


def _operators(served: Local, folder: Path, commands: str) -> None:
    configuration = str(served.folder / "config.yaml")
    shutil.copytree(PROJECT / "app", folder / "app")
    said = shell.run(commands, folder, {"GATEWAY_CONFIG": configuration})
    assert "can be used" in said or '"customer_id": "cust-0001"' in said


RUN: dict[str, Check] = {
    "README.md: curl -i http://127.0.0.1:8080/v1/customers/cust-0001/verifications/individual \\": (
        _first_request
    ),
    "sandbox/README.md: S=http://127.0.0.1:8090/_sandbox": _sandbox_control,
    'docs/calling.md: curl --silent --fail-with-body "$GATEWAY/v1/customers/cust-0001/'
    'verifications/individual?validate_only=true" \\': _check_only,
    'docs/calling.md: curl --silent --fail-with-body "$GATEWAY/v1/customers/cust-0001/'
    'attachments/data-page.png" --request PUT \\': _upload,
    "docs/configuration.md: flask --app app config check config.yaml": _check_example,
    "docs/configuration.md: KEY=$(openssl rand -hex 32)": _digest,
    'docs/events.md: curl --silent --fail-with-body "$GATEWAY/v1/events?limit=10" '
    '--header "Authorization: Bearer $KEY"': _events,
    "docs/events.md: printf 'whsec_%s\\n' \"$(openssl rand -base64 32)\"": _secret,
    "docs/operating.md: flask --app app config check": _operators,
    "docs/operating.md: flask --app app verification get cust-0001": _operators,
    "docs/quickstart.md: export GATEWAY=http://127.0.0.1:8080": _variables,
    "docs/testing.md: .venv/bin/python -m demo.serve --unpaced --log gateway.log -- "
    """sh -c 'curl --silent --fail "$GATEWAY/readyz"'""": _own_tests,
    'docs/testing.md: curl --silent --fail-with-body --request POST "$GATEWAY/_reset"': _reset,
    'docs/testing.md: curl --silent --fail-with-body "$SANDBOX/settings" --request PATCH --data '
    """'{"missing_attachment_code": null}'""": _unchecked,
    'docs/testing.md: curl --silent --fail-with-body "$SANDBOX/faults" --data '
    """'{"operation": "*", "kind": "html", "customer": "cust-0003"}'""": _one_customer,
    "docs/testing.md: export SANDBOX=http://127.0.0.1:8090/_sandbox": _lost_answer,
    "docs/calling.md: export SANDBOX=http://127.0.0.1:8090/_sandbox": _switch_off,
}


def commands() -> list[Block]:
    """Every block of commands except those of quick starts."""
    found = [one for path in markdown.files() for one in markdown.blocks(path)]
    return [one for one in found if one.about == "sh"]


COMMANDS = commands()
NAMES = [one.name[:60] for one in COMMANDS]


def test_every_documented_block_of_commands_is_run_or_excluded_with_a_reason() -> None:
    assert {one.name for one in COMMANDS} == {*RUN, *ONLY_PARSED}
    assert not RUN.keys() & ONLY_PARSED.keys()
    fences = {one.about for path in markdown.files() for one in markdown.blocks(path)}
    assert not fences & {"bash", "console", "shell", "shell-session", "zsh"}


@pytest.mark.parametrize("block", COMMANDS, ids=NAMES)
def test_every_documented_block_of_commands_is_valid_shell(block: Block) -> None:
    done = subprocess.run(
        ["/bin/bash", "-n"], input=block.text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "block", [one for one in COMMANDS if one.name in RUN], ids=lambda one: one.name[:60]
)
def test_a_documented_block_of_commands_has_the_documented_effect(
    block: Block, served: Local, tmp_path: Path
) -> None:
    for tool in ("curl", "openssl"):
        needed(tool)
    RUN[block.name](served, tmp_path, block.text)


def make_targets(path: Path) -> set[str]:
    """The make targets that a file names in its prose or commands."""
    blocks = markdown.blocks(path)
    typed = [line for one in blocks if one.about == "sh" for line in one.text.splitlines()]
    quoted = re.findall(r"`([^`\n]+)`", markdown.prose(path))
    found = [match for text in quoted + typed if (match := MAKE.match(text))]
    return {target for match in found for target in match[1].split()}


def test_every_documented_make_target_exists() -> None:
    targets = {
        line.partition(":")[0]
        for line in (PROJECT / "Makefile").read_text().splitlines()
        if "## " in line
    }
    named = {target for path in markdown.files() for target in make_targets(path)}
    assert {"run", "test", "openapi", "docs"} <= named <= targets
