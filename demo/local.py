"""The gateway and the sandbox as two processes on this machine, for demonstrations and tests."""

import contextlib
import secrets
import socket
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Self

import yaml

from demo.processes import PROJECT as PROJECT
from demo.processes import end, start, wait_until_served

KEY = "demo-key"
PORTS = range(10000, 32000)  # below those that systems choose for outgoing connections
_given: set[int] = set()  # the ports that free_port() has returned
# The key pair, partner and platform in the start state of the sandbox.
ACCESS_KEY = "SANDBOXACCESSKEY0001"
SECRET_KEY = "sandbox-secret-key-0001-not-a-secret"  # noqa: S105 - public
PARTNER_ID = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
PLATFORM_ID = "PARTNER01"
# The review bucket belongs to another account, as at Huawei.
BUCKET, REGION = "kyc", "ap-southeast-1"
BUCKET_ACCESS_KEY = "SANDBOXOBSKEY0000001"
BUCKET_SECRET_KEY = "sandbox-obs-secret-not-a-secret"  # noqa: S105 - public


def free_port() -> int:
    """A free port of the loopback address, below the ports of outgoing connections.

    Between this call and the start of a server, another process's connection could take a port
    that the system chose. A process gets each port once: a gateway refuses to start with the same
    port for callers and for operations.
    """
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        if port in _given:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _given.add(port)
            return port


def _key_files(folder: Path, access_key: str, secret_key: str) -> dict[str, str]:
    folder.mkdir()
    (folder / "access_key").write_text(access_key)
    (folder / "secret_key").write_text(secret_key)
    return {f"{name}_file": str(folder / name) for name in ("access_key", "secret_key")}


def configuration(folder: Path, sandbox_url: str) -> dict[str, Any]:
    """A configuration for the sandbox. Writes its key files to `folder`."""
    return {
        "accounts": {
            "default": {
                "endpoint": sandbox_url,
                "partner_id": PARTNER_ID,
                "platform_id": PLATFORM_ID,
                "credentials": [_key_files(folder / "partner", ACCESS_KEY, SECRET_KEY)],
                "attachments": {
                    # A host name, because the bucket's name becomes its subdomain.
                    "endpoint": sandbox_url.replace("127.0.0.1", "localhost"),
                    "bucket": BUCKET,
                    "region": REGION,
                    **_key_files(folder / "bucket", BUCKET_ACCESS_KEY, BUCKET_SECRET_KEY),
                },
            }
        },
        "callers": {
            "demo": {
                "keys_sha256": [sha256(KEY.encode()).hexdigest()],
                "scopes": [
                    "verifications:read",
                    "verifications:write",
                    "attachments:write",
                    "customers:read",
                    "events:read",
                    "operations:read",
                ],
            }
        },
    }


class Local:
    """The gateway and the sandbox as processes; leaving the context ends them.

    Args:
        port: The port of the gateway; 0 for a free port.
        sandbox_port: The port of the sandbox; 0 for a free port.
        metrics_port: The gateway's port for Prometheus; 0 for a free port.
        log: The log file of gateway and sandbox; None for standard error.
        environment: Further environment variables of the gateway.
        gateways: The number of gateways. The ports apply to the first gateway only.
        state: The section `state` of the configuration; several gateways need it.
    """

    def __init__(
        self,
        port: int = 0,
        sandbox_port: int = 0,
        metrics_port: int = 0,
        log: IO[bytes] | None = None,
        environment: dict[str, str] | None = None,
        gateways: int = 1,
        state: dict[str, Any] | None = None,
    ) -> None:
        self._ports = [port or free_port(), *(free_port() for _ in range(gateways - 1))]
        self._sandbox_port = sandbox_port or free_port()
        self._metrics_port = metrics_port or free_port()
        self.log = log
        self._environment = environment or {}
        self._state = state
        self._folder = TemporaryDirectory(prefix="partner-gateway-")
        self.folder = Path(self._folder.name)
        self.urls = [f"http://127.0.0.1:{one}" for one in self._ports]
        self.url = self.urls[0]
        self.sandbox_url = f"http://127.0.0.1:{self._sandbox_port}"
        self.metrics_url = f"http://127.0.0.1:{self._metrics_port}/metrics"
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        """Start gateway and sandbox, and wait until they answer."""
        settings = configuration(self.folder, self.sandbox_url)
        if self._state is not None:
            settings["state"] = self._state
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(settings))
        python = sys.executable
        self._start(python, "-m", "sandbox", "--port", str(self._sandbox_port))
        for place, port in enumerate(self._ports):
            self._start(
                *(python, "-m", "gunicorn", "-c", "gunicorn.conf.py"),
                GATEWAY_CONFIG=str(path),
                HOST="127.0.0.1",
                PORT=str(port),
                METRICS_PORT=str(free_port() if place else self._metrics_port),
            )
        try:
            for url in (
                f"{self.sandbox_url}/_sandbox/state",
                *(f"{one}/readyz" for one in self.urls),
            ):
                wait_until_served(url, *self.processes)
        except BaseException as error:
            end(*reversed(self.processes))
            error.add_note(self._log_text())
            self.__exit__()
            raise
        return self

    @property
    def gateways(self) -> list[subprocess.Popen[bytes]]:
        """The processes of the gateways, without the sandbox."""
        return self.processes[1:]

    def __exit__(self, *_: object) -> None:
        """End gateway and sandbox."""
        end(*reversed(self.processes))
        self._folder.cleanup()

    def _log_text(self) -> str:
        """The log of gateway and sandbox, if it is a file that can be read."""
        if self.log is None or not self.log.readable():
            return ""
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def _start(self, *command: str, **environment: str) -> None:
        log = self.log or sys.stderr
        self.processes.append(start(command, log, {**environment, **self._environment}))
