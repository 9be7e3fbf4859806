"""Starts programs, waits until they serve, and ends them in order."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import requests

PROJECT = Path(__file__).parent.parent
START_LIMIT, STOP_LIMIT = 30.0, 40.0  # seconds


def start(
    command: Sequence[str | Path],
    log: IO[bytes] | IO[str] | int,
    environment: Mapping[str, str | None] | None = None,
    folder: Path = PROJECT,
) -> subprocess.Popen[bytes]:
    """Start a program.

    Args:
        command: The program and its arguments.
        log: The destination of its output: a file, or a constant of subprocess such as PIPE.
        environment: Further environment variables; a variable set to None is removed.
        folder: The working directory.
    """
    variables = {**os.environ, **(environment or {})}
    return subprocess.Popen(  # noqa: S603 - our own programs
        command,
        cwd=folder,
        env={name: value for name, value in variables.items() if value is not None},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,  # Ctrl-C reaches only our process, which then ends the program
    )


def end(*processes: subprocess.Popen[bytes]) -> None:
    """Send SIGTERM and wait for the exit; kill a program that runs longer than STOP_LIMIT."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(url: str) -> bool:
    """Whether the URL answers with success now."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Connection"] = "close"
        try:
            return session.get(url, timeout=2).ok
        except requests.RequestException:
            return False


def wait_until(condition: Callable[[], object], what: str, limit: float = START_LIMIT) -> None:
    """Check the condition every 5 ms until it is true.

    Raises:
        TimeoutError: The condition is not true within `limit` seconds.
    """
    ends = time.monotonic() + limit
    while not condition():
        if time.monotonic() > ends:
            raise TimeoutError(f"{what} took more than {limit:.0f} s")
        time.sleep(0.005)


def wait_until_served(url: str, *processes: subprocess.Popen[bytes]) -> None:
    """Wait until the URL answers with success.

    Raises:
        RuntimeError: One of the programs has ended.
        TimeoutError: The URL does not answer within START_LIMIT.
    """

    def served() -> bool:
        for process in processes:
            if process.poll() is not None:
                raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        return answers(url)

    wait_until(served, f"the start of {url}")
