"""The gateway as deployed: a gunicorn process and its log."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
import yaml

from demo.local import PROJECT
from demo.processes import children, end, start
from tests.support.server import Server

LIMIT = 60  # seconds


def gunicorn(
    project: Path = PROJECT, environment: Mapping[str, str | None] | None = None
) -> subprocess.Popen[bytes]:
    """Start gunicorn on free ports; an environment variable set to None is removed."""
    variables = {"HOST": "127.0.0.1", "PORT": "0", "METRICS_PORT": "0", **(environment or {})}
    command = (sys.executable, "-m", "gunicorn", "-c", project / "gunicorn.conf.py")
    return start(command, subprocess.DEVNULL, variables, project, errors=subprocess.PIPE)


def failed_start(environment: Mapping[str, str | None]) -> tuple[int, str]:
    """Run gunicorn, which must not start. Returns the exit status and standard error."""
    process = gunicorn(environment=environment)
    try:
        _, errors = process.communicate(timeout=LIMIT)
    finally:
        end(process)
    return process.returncode, errors.decode()


class ServedGateway(Server):
    """A gateway under gunicorn; leaving the context ends it.

    Args:
        folder: The folder for its configuration file.
        configuration: The content of the file.
        project: The folder of the project to serve.
        environment: Further environment variables.
    """

    def __init__(
        self,
        folder: Path,
        configuration: dict[str, Any],
        project: Path = PROJECT,
        environment: Mapping[str, str | None] | None = None,
    ) -> None:
        path = folder / "config.yaml"
        path.write_text(yaml.safe_dump(configuration))
        self._project = project
        self._environment = {"GATEWAY_CONFIG": str(path), **(environment or {})}
        self._lines: list[str] = []
        self._said = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self.url = ""  # for callers
        self.operations_url = ""  # for probes and metrics

    def start(self) -> None:
        self._process = gunicorn(self._project, self._environment)
        self._reader.start()
        # From now on the kernel queues connections until the worker accepts them.
        urls = re.findall(r"http://[0-9.:]+", self.wait_for("Listening at"))
        self.url, self.operations_url = urls

    def stop(self) -> None:
        """End gunicorn, if it still runs."""
        self.end()

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            for line in stream:
                with self._said:
                    self._lines.append(line.decode())
                    self._said.notify_all()

    def wait_for(self, words: str) -> str:
        """The first line of the log that contains these words; waits for it."""

        def found() -> str | None:
            return next((line for line in self._lines if words in line), None)

        with self._said:
            line = self._said.wait_for(found, LIMIT)
        if line is None:
            raise AssertionError(f"{words!r} did not appear in the log:\n{self.text}")
        return line

    def line(self, **members: Any) -> dict[str, Any]:
        """The first line of the log with these members; waits for it."""

        def found() -> dict[str, Any] | None:
            return next((line for line in self.lines if line.items() >= members.items()), None)

        with self._said:
            line = self._said.wait_for(found, LIMIT)
        if line is None:
            raise AssertionError(f"no line with {members} in the log:\n{self.text}")
        return line

    @property
    def text(self) -> str:
        """The log so far."""
        return "".join(self._lines)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The parsed lines of the log so far; each must be JSON."""
        return [json.loads(line) for line in self._lines]

    @property
    def pid(self) -> int:
        """The process id of gunicorn's master."""
        return self._process.pid

    @property
    def worker(self) -> int:
        """The process id of the latest worker."""
        return int(re.findall(r"Booting worker with pid: (\d+)", self.text)[-1])

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end. Returns the exit status."""
        status = self._process.wait(LIMIT)
        self._reader.join(LIMIT)
        return status

    def end(self) -> int:
        """Send SIGTERM and wait for the end. Returns the exit status."""
        end(self._process)
        return self.wait()

    def kill(self) -> None:
        """Kill gunicorn and its worker at once, as a lost node does."""
        for pid in (self.pid, *children(self.pid)):
            os.kill(pid, signal.SIGKILL)
        assert self.wait() == -signal.SIGKILL

    def operate(self, path: str) -> requests.Response:
        """Get a path of the operations port."""
        return self._request("GET", f"{self.operations_url}{path}")

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request to the port of the callers."""
        return self._request(method, f"{self.url}{path}", **options)

    def _request(self, method: str, url: str, **options: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Connection"] = "close"
            return session.request(method, url, timeout=LIMIT, **options)
