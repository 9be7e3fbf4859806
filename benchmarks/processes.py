"""Processes of this machine, with their CPU time and memory as the operating system counts them."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from demo.processes import PROJECT as PROJECT
from demo.processes import end, start, wait_until_served

_TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    """A server and its child processes; leaving the context ends them.

    Args:
        command: What to run.
        url: A URL that answers 200 once the server is ready.
        log: The file of its output.
        project: The working directory.
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
        self._environment = environment
        self.seconds_to_answer = 0.0

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        begun = time.monotonic()
        with self.log.open("ab") as log:
            self._process = start(self._command, log, self._environment, self._project)
        try:
            wait_until_served(self._url, self._process)
        except (RuntimeError, TimeoutError) as error:
            end(self._process)
            raise RuntimeError(f"{self._command}: {error}\n{self.log.read_text()}") from error
        self.seconds_to_answer = time.monotonic() - begun
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        end(self._process)

    @property
    def pids(self) -> list[int]:
        """The ids of the process and of its descendants."""
        found = [self._process.pid]
        for pid in found:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            found.extend(int(child) for child in children)
        return found

    @property
    def cpu(self) -> float:
        """CPU seconds (user and system) of the process tree, including ended children."""
        ticks = 0
        for pid in self.pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])
        return ticks / _TICKS

    @property
    def memory(self) -> dict[int, float]:
        """Resident memory of each process in MiB."""
        return self._sizes("VmRSS:")

    @property
    def peak(self) -> dict[int, float]:
        """The most resident memory that each process had, in MiB."""
        return self._sizes("VmHWM:")

    def _sizes(self, name: str) -> dict[int, float]:
        sizes: dict[int, float] = {}
        for pid in self.pids:
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith(name):
                    sizes[pid] = int(line.split()[1]) / 1024
        return sizes
