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
from types import TracebackType
from typing import Any, Self

import requests
import yaml

from demo.local import PROJECT

LIMIT = 60  # seconds


def gunicorn(
    project: Path = PROJECT, environment: Mapping[str, str | None] | None = None
) -> subprocess.Popen[str]:
    """Start gunicorn on free ports; an environment variable set to None is removed."""
    variables = {
        **os.environ,
        "HOST": "127.0.0.1",
        "PORT": "0",
        "METRICS_PORT": "0",
        **(environment or {}),
    }
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "gunicorn", "-c", str(project / "gunicorn.conf.py")],
        cwd=project,
        env={name: value for name, value in variables.items() if value is not None},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


class ServedGateway:
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
        self._process = gunicorn(project, {"GATEWAY_CONFIG": str(path), **(environment or {})})
        self._lines: list[str] = []
        self._said = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        self._reader.start()
        # From now on the kernel queues connections until the worker accepts them.
        self.url = re.findall(r"http://[0-9.:]+", self.wait_for("Listening at"))[0]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self.end()

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            for line in stream:
                with self._said:
                    self._lines.append(line)
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

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end. Returns the exit status."""
        status = self._process.wait(LIMIT)
        self._reader.join(LIMIT)
        return status

    def end(self) -> int:
        """Send SIGTERM and wait for the end. Returns the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Connection"] = "close"
            return session.request(method, f"{self.url}{path}", timeout=LIMIT, **options)
