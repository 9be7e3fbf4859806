"""The gateway under gunicorn, with a recording of all its output."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

import redis
import requests
import yaml

from demo.local import PROJECT, free_port
from demo.processes import end, start, wait_until_served
from tests.canary.search import Sinks
from tests.support.collector import Collector
from tests.support.server import Server
from tests.support.valkey import Valkey

LIMIT = 60  # seconds


class Watched(Server):
    """A served gateway in its own folder, observed from outside; leaving the context ends it.

    Args:
        folder: The folder of all its files.
        configuration: The content of its configuration file.
        collector: The collector of its traces.
        valkey: The server of its state.
        planted: A marker for its environment and its command line.
    """

    def __init__(
        self,
        folder: Path,
        configuration: dict[str, Any],
        collector: Collector,
        valkey: Valkey,
        planted: str,
    ) -> None:
        self.sinks = Sinks()
        self._folder = folder
        self._audit = Path(configuration["audit"]["file"])
        self._collector = collector
        self._valkey = valkey
        self._metrics = free_port()
        port = free_port()
        self.address = ("127.0.0.1", port)
        self.url = f"http://127.0.0.1:{port}"
        self.home = folder / "home"
        (self.home / "tmp").mkdir(parents=True)
        file = folder / "config.yaml"
        file.write_text(yaml.safe_dump(configuration))
        self._log = (folder / "log").open("wb")
        gunicorn = (sys.executable, "-m", "gunicorn", "-c", str(PROJECT / "gunicorn.conf.py"))
        inherited = {name: None for name in os.environ if name != "PATH"}
        self._command = [*gunicorn, "--name", planted, "tests.canary.server:create_app()"]
        self._environment = inherited | {
            "HOME": str(self.home),
            "TMPDIR": str(self.home / "tmp"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "GATEWAY_CONFIG": str(file),
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "METRICS_PORT": str(self._metrics),
            "LOG_LEVEL": "DEBUG",
            "PLANTED": planted,
        }

    def start(self) -> None:
        self._process = start(self._command, self._log, self._environment, self.home)
        wait_until_served(f"{self.url}/livez", self._process)
        self.watch_state()

    def stop(self) -> None:
        end(self._process)
        self._log.close()

    def watch_state(self) -> None:
        """Record every command to the state from now on, until the server ends."""
        watching = threading.Event()

        def watch() -> None:
            try:
                with redis.Redis.from_url(self._valkey.url).monitor() as monitor:  # type: ignore[no-untyped-call]
                    watching.set()
                    for command in monitor.listen():
                        self.sinks.add("state", "a command", command["command"])
            except (redis.RedisError, ValueError):
                watching.set()

        threading.Thread(target=watch, daemon=True).start()
        assert watching.wait(LIMIT)

    def read_state(self) -> None:
        """Record the current content of the state."""
        with redis.Redis.from_url(self._valkey.url) as client:
            for key, value in self._valkey.values().items():
                dump = client.dump(key)
                self.sinks.add("state", "a key", key)
                self.sinks.add("state", "a value", bytes(value) + b"\n" + bytes(dump or b""))

    def read_processes(self) -> None:
        """Record environment and command line of the process and its children."""
        pids = [self._process.pid]
        for pid in pids:
            place = Path(f"/proc/{pid}")
            pids += map(int, (place / f"task/{pid}/children").read_text().split())
            self.sinks.add("environment", f"process {pid}", (place / "environ").read_bytes())
            self.sinks.add("command line", f"process {pid}", (place / "cmdline").read_bytes())
        assert len(pids) >= 2, "the worker was not found"

    def read_metrics(self) -> None:
        """Record the metrics."""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(f"http://127.0.0.1:{self._metrics}/metrics", timeout=LIMIT)
        self.sinks.add("metrics", "/metrics", answer.content)

    def end(self) -> int:
        """End the gateway and record log, audit trail, files and spans. Returns the exit status."""
        (status,) = end(self._process)
        self.sinks.add("log", "standard output and error", (self._folder / "log").read_bytes())
        self.sinks.add("audit", "the file", self._audit.read_bytes())
        for path in self.home.rglob("*"):
            self.sinks.add("files", "a name", str(path.relative_to(self.home)))
            if path.is_file():
                self.sinks.add("files", path.name, path.read_bytes())
        for batch in self._collector.batches:
            self.sinks.add(
                "spans", "a batch", f"{batch.path} {batch.headers}".encode() + batch.body
            )
        return status
