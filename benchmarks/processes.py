"""Processes of this machine: started, accounted for by the operating system, ended."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

PROJECT = Path(__file__).parent.parent
START_LIMIT, STOP_LIMIT = 30.0, 40.0  # seconds
_TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    """A server and its children; leaving the context ends them.

    Args:
        command: What to run.
        url: Answers 200 once it serves.
        log: The file that its output goes to.
        project: The tree it is run from.
        environment: Further environment variables.
    """

    def __init__(
        self,
        command: Sequence[str],
        url: str,
        log: Path,
        project: Path = PROJECT,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = command
        self._url = url
        self._project = project
        self.log = log
        self._environment = {**os.environ, **(environment or {})}
        self.seconds_to_answer = 0.0

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        begun = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs
                self._command,
                cwd=self._project,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us, who then end it in order
            )
        while not _answers(self._url):
            if self._process.poll() is not None or time.monotonic() - begun > START_LIMIT:
                self.__exit__(None, None, None)
                raise RuntimeError(f"{self._command} does not serve:\n{self.log.read_text()}")
            time.sleep(0.01)
        self.seconds_to_answer = time.monotonic() - begun
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    @property
    def pids(self) -> list[int]:
        """The process and all below it."""
        found = [self._process.pid]
        for pid in found:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            found.extend(int(child) for child in children)
        return found

    @property
    def cpu(self) -> float:
        """Seconds of CPU that the tree has used: user and system, children that ended too."""
        ticks = 0
        for pid in self.pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])
        return ticks / _TICKS

    @property
    def memory(self) -> dict[int, float]:
        """Resident MiB by process."""
        sizes: dict[int, float] = {}
        for pid in self.pids:
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    sizes[pid] = int(line.split()[1]) / 1024
        return sizes


def _answers(url: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Connection"] = "close"
        try:
            return session.get(url, timeout=2).ok
        except (requests.ConnectionError, requests.Timeout):
            return False
