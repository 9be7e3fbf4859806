"""`make run`: free ports, ports in use, and the printed command."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from demo.processes import end, start
from tests.support.programs import needed

SERVE = (sys.executable, "-m", "demo.serve")
LIMIT = 60  # seconds


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
    command = printed[printed.index("  curl") : printed.index("Ctrl-C")]
    done = subprocess.run(  # noqa: S603 - our own command
        ("/bin/sh", "-c", command), capture_output=True, text=True, timeout=LIMIT, check=True
    )
    assert done.stdout.startswith("HTTP/1.1 201 ")


def test_a_second_run_on_ports_in_use_says_so_and_exits_1(printed: str) -> None:
    gateway, sandbox, metrics = re.findall(r"(?:gateway|sandbox|metrics at) +\S+:(\d+)", printed)
    ports = ("--port", gateway, "--sandbox-port", sandbox, "--metrics-port", metrics)
    done = subprocess.run(  # noqa: S603 - our own program
        (*SERVE, *ports), capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"in use by another program: port {gateway}, {sandbox}, {metrics}\n"
