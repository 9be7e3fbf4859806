"""`make run`: free ports, ports in use, the printed commands, and a command of the user."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from demo.local import KEY, free_port
from demo.processes import end, start
from demo.resettable import PATH
from tests.support.gateway import PERSON, bearer
from tests.support.programs import needed
from tests.support.sandbox_driver import SandboxDriver

SERVE = (sys.executable, "-m", "demo.serve")
LIMIT = 60  # seconds
# A test suite: it submits, looks at the sandbox after a reset, and ends with status 7.
SUITE = f"""
import os, requests, sys
gateway, sandbox = os.environ["GATEWAY"], os.environ["SANDBOX"]
def submit(customer):
    url = f"{{gateway}}/v1/customers/{{customer}}/verifications/individual"
    key = {{"Authorization": "Bearer " + os.environ["KEY"]}}
    return requests.post(url, json={PERSON}, headers=key).status_code
fault = {{"operation": "*", "kind": "code", "code": "CBC.5001", "customer": "cust-1"}}
requests.post(f"{{sandbox}}/faults", json=fault).raise_for_status()
print(submit("cust-1"), submit("cust-2"))
print(requests.post(f"{{gateway}}{PATH}").status_code, submit("cust-1"))
print(requests.get(f"{{sandbox}}/state").json()["settings"]["requests_per_second"])
sys.exit(7)
"""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        (*SERVE, *arguments), capture_output=True, text=True, timeout=LIMIT, check=False
    )


def ask(url: str) -> requests.Response:
    return requests.get(url, timeout=LIMIT)


@pytest.fixture(scope="module")
def printed() -> Iterator[str]:
    """What a run on free ports prints before it serves."""
    free = ("--port", "0", "--sandbox-port", "0", "--metrics-port", "0")
    with start((*SERVE, *free), subprocess.PIPE, errors=subprocess.DEVNULL) as process:
        assert process.stdout
        text = ""
        while "Ctrl-C" not in text:
            line = process.stdout.readline().decode()
            assert line, "the run ended"
            text += line
        yield text
        assert end(process) == [0]


def test_the_printed_command_works_when_it_is_pasted(printed: str) -> None:
    needed("curl")
    first, reset = re.findall(r"^  curl.*?\n\n", printed, re.DOTALL | re.MULTILINE)
    for command, status in ((first, 201), (reset, 204), (first, 201)):
        done = subprocess.run(  # noqa: S603 - our own command
            ("/bin/sh", "-c", command), capture_output=True, text=True, timeout=LIMIT, check=True
        )
        assert done.stdout.startswith(f"HTTP/1.1 {status} ")


def test_the_metrics_are_those_of_the_gateway_after_a_reset(printed: str) -> None:
    gateway, sandbox, metrics = re.findall(r"(?:gateway|sandbox|metrics at) +(\S+)", printed)
    driver = SandboxDriver(sandbox)

    def retired() -> bool:
        return 'gateway_legacy_retired{account="default"} 1.0' in ask(metrics).text

    driver.settings(legacy="retired")
    for number in range(3):
        path = f"{gateway}/v1/customers/cust-{number}/verifications/individual"
        requests.post(path, json=PERSON, headers=bearer(KEY), timeout=LIMIT)
    assert retired()
    assert requests.post(f"{gateway}{PATH}", timeout=LIMIT).status_code == 204
    assert not retired()


def test_a_second_run_on_ports_in_use_says_so_and_exits_1(printed: str) -> None:
    gateway, sandbox, metrics = re.findall(r"(?:gateway|sandbox|metrics at) +\S+:(\d+)", printed)
    ports = ("--port", gateway, "--sandbox-port", sandbox, "--metrics-port", metrics)
    done = run(*ports)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"in use by another program: port {gateway}, {sandbox}, {metrics}\n"


def test_a_test_suite_runs_on_free_ports_and_its_exit_status_is_the_result(
    printed: str,  # noqa: ARG001 - it may have the usual ports
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    done = run("--log", log, "--", sys.executable, "-c", SUITE)
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout.split() == ["503", "201", "204", "201", "10"]
    assert '"operation":"submit_individual"' in log.read_text()


def test_an_unpaced_run_keeps_no_quota_in_the_gateway_and_in_the_sandbox(tmp_path: Path) -> None:
    ports = ("--metrics-port", str(free_port()))
    show = f'curl --silent http://127.0.0.1:{ports[1]}/metrics; exec {sys.executable} -c "$1"'
    needed("curl")
    done = run("--unpaced", *ports, "--log", tmp_path / "log", "--", "sh", "-c", show, "", SUITE)
    assert done.returncode == 7
    assert 'gateway_quota_calls_per_second{account="default"} 1000.0' in done.stdout
    assert done.stdout.split()[-1] == "None"


def test_a_log_that_cannot_be_written_is_named() -> None:
    done = run("--log", "/nothing/log")
    assert (done.returncode, done.stdout) == (2, "")
    assert "argument --log: /nothing/log: No such file or directory" in done.stderr


def test_a_suite_that_cannot_be_started_is_named() -> None:
    done = run("--log", "/dev/null", "--", "./no-such-suite")
    assert (done.returncode, done.stdout) == (127, "")
    assert done.stderr == "./no-such-suite: No such file or directory\n"
