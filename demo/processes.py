"""Starts programs, waits until they serve, and ends them."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
    errors: IO[bytes] | IO[str] | int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program.

    Args:
        command: The program and its arguments.
        log: The destination of its output: a file, or a constant of subprocess such as PIPE.
        environment: Further environment variables; a variable set to None is removed.
        folder: The working directory.
        errors: The destination of its standard error; None for the destination of its output.
    """
    variables = {**os.environ, **(environment or {})}
    return subprocess.Popen(  # noqa: S603 - our own programs
        command,
        cwd=folder,
        env={name: value for name, value in variables.items() if value is not None},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log if errors is None else errors,
        start_new_session=True,  # Ctrl-C reaches only our process, which then ends the program
    )


def end(*processes: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> list[int]:
    """Send a signal and wait for the exits; kill a program that runs longer than STOP_LIMIT.

    Returns:
        The exit status of each program.
    """
    for process in processes:
        if process.poll() is None:
            process.send_signal(number)
    for process in processes:
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return [process.returncode for process in processes]


@contextmanager
def running(
    command: Sequence[str | Path], log: IO[bytes] | IO[str] | int
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program; leaving the context ends it."""
    with start(command, log) as process:  # closes its pipes
        try:
            yield process
        finally:
            end(process)


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


def children(pid: int) -> list[int]:
    """The process ids of a process's children."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def memory(pid: int) -> float:
    """The resident memory of a process and its children, in MiB."""
    total = 0
    for process in (pid, *children(pid)):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total / 1024
