"""Two gateways behind a load balancer, on one Redis and one sandbox, on this machine."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Self

import requests
import yaml

from demo.local import ACCESS_KEY, KEY, SECRET_KEY, configuration, free_port
from demo.processes import children, end, running, start, wait_until, wait_until_served
from demo.redis_pair import RedisPair

LIMIT = 60.0  # seconds for a rotation

# haproxy must notice that a gateway is not ready within the second in which the gateway still
# accepts connections. A request is sent again only if it never reached a gateway.
BALANCER = """
defaults
    mode http
    timeout connect 3s
    timeout client 40s
    timeout server 40s
    timeout check 5s
    retries 3
    option redispatch 1
frontend callers
    bind 127.0.0.1:{port}
    default_backend gateways
backend gateways
    balance roundrobin
    option httpchk GET /readyz
    default-server check inter 200ms fall 1 rise 1
    server first 127.0.0.1:{first}
    server second 127.0.0.1:{second}
"""


def ask(method: str, url: str, **options: Any) -> requests.Response:
    """Send a request as the demo's caller on a new connection."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update({"Authorization": f"Bearer {KEY}", "Connection": "close"})
        return session.request(method, url, timeout=10, **options)


class MountedKeys:
    """The key files as a cluster mounts them: a directory that is replaced as a whole."""

    def __init__(self, folder: Path) -> None:
        self._link = folder / "partner"
        self._folder = folder
        self._versions = 0
        first = self._next()
        self._link.rename(first)  # written by `configuration`
        self._show(first)

    def exchange(self, access_key: str, secret_key: str) -> None:
        """Replace the mounted pair."""
        version = self._next()
        version.mkdir()
        (version / "access_key").write_text(access_key)
        (version / "secret_key").write_text(secret_key)
        self._show(version)

    def _next(self) -> Path:
        self._versions += 1
        return self._folder / f"partner-{self._versions}"

    def _show(self, version: Path) -> None:
        new = self._folder / "partner-new"
        new.symlink_to(version.name)
        new.replace(self._link)


@dataclass(frozen=True)
class Replacement:
    """The exit of a gateway, with the seconds of its end and of the start of the next gateway."""

    status: int
    end_seconds: float
    start_seconds: float


class Cluster:
    """Gateways, sandbox, Redis and load balancer; leaving the context ends them.

    Args:
        balancer: The path of haproxy; None for no load balancer.
        log: The file for all logs.
        quota: The calls a second that the gateways send to each API of Huawei.
        delays: For each gateway, the seconds by which Redis and its answers are farther away.
    """

    def __init__(
        self,
        balancer: str | None,
        log: IO[bytes],
        quota: int = 1000,
        delays: Sequence[float] = (0.0, 0.0),
    ) -> None:
        self._balancer = balancer
        self._log = log
        self._quota = quota
        self.redis = RedisPair(delays)
        self._sandbox_port, self._port = free_port(), free_port()
        self._ports = (free_port(), free_port())
        self.url = f"http://127.0.0.1:{self._port}"
        self.sandbox_url = f"http://127.0.0.1:{self._sandbox_port}/_sandbox"
        self.urls = [f"http://127.0.0.1:{port}" for port in self._ports]
        self._operations_ports = (free_port(), free_port())
        self.operations_urls = [f"http://127.0.0.1:{port}" for port in self._operations_ports]
        self._configs: list[Path] = []
        self.gateways: list[subprocess.Popen[bytes]] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="partner-gateway-")))
            stack.enter_context(self.redis)
            self._configure(folder, self.redis.urls)
            python = sys.executable
            self._run(stack, python, "-m", "sandbox", "--port", str(self._sandbox_port))
            for place in range(len(self._ports)):
                self.gateways.append(self._start(place))
            stack.callback(self._end_gateways)
            served = [f"{self.sandbox_url}/state", *(f"{url}/readyz" for url in self.urls)]
            if self._balancer:
                self._run(stack, self._balancer, "-db", "-f", str(folder / "haproxy.cfg"))
                served.append(f"{self.url}/readyz")
            for url in served:
                wait_until_served(url, *self.gateways)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _configure(self, folder: Path, state_urls: Sequence[str]) -> None:
        settings = configuration(folder, f"http://127.0.0.1:{self._sandbox_port}")
        self.keys = MountedKeys(folder)
        settings["accounts"]["default"]["quota"] = {"requests_per_second": self._quota}
        (folder / "state.key").write_bytes(secrets.token_bytes(32))
        for place, url in enumerate(state_urls):
            settings["state"] = {
                "url": url,
                "key_file": str(folder / "state.key"),
                "replicas": len(self._ports),
            }
            self._configs.append(folder / f"config-{place}.yaml")
            self._configs[place].write_text(yaml.safe_dump(settings))
        first, second = self._ports
        text = BALANCER.format(port=self._port, first=first, second=second)
        (folder / "haproxy.cfg").write_text(text)

    def _run(self, stack: ExitStack, *command: str) -> None:
        stack.enter_context(running(command, self._log))

    def _start(self, place: int) -> subprocess.Popen[bytes]:
        environment = {
            "GATEWAY_CONFIG": str(self._configs[place]),
            "HOST": "127.0.0.1",
            "PORT": str(self._ports[place]),
            "METRICS_PORT": str(self._operations_ports[place]),
        }
        command = (sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py")
        return start(command, self._log, environment)

    def _end_gateways(self) -> None:
        end(*self.gateways)

    @property
    def workers(self) -> list[int]:
        """The process ids of the gateways' workers."""
        return [worker for gateway in self.gateways for worker in children(gateway.pid)]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to every gateway."""
        for gateway in self.gateways:
            gateway.send_signal(number)

    def count_lines(self, text: str) -> int:
        """The number of log lines that hold the text."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).count(text.encode())

    def replace(self, place: int) -> Replacement:
        """End a gateway by SIGTERM and start a new one on the same ports."""
        old = self.gateways[place]
        begin = time.monotonic()
        (status,) = end(old)
        ended = time.monotonic()
        self.start(place)
        return Replacement(status, ended - begin, time.monotonic() - ended)

    def kill(self, place: int) -> None:
        """Kill a gateway with its worker, which get no time to end anything."""
        old = self.gateways[place]
        os.killpg(old.pid, signal.SIGKILL)
        old.wait()

    def start(self, place: int) -> None:
        """Start a gateway on the ports of a gateway that has ended."""
        self.gateways[place] = new = self._start(place)
        wait_until_served(f"{self.urls[place]}/readyz", new)

    def rotate(self, number: int, previous: tuple[str, str]) -> tuple[str, str]:
        """Create a new key at Huawei, mount it, and delete the old key when no gateway uses it."""
        new = (f"DRILLACCESSKEY{number:06}", secrets.token_hex(20))
        self._set_keys(previous, new)
        self.keys.exchange(*new)
        shown = f"{new[0][:4]}…{new[0][-2:]}"
        wait_until(
            lambda: all(self._signs_with(url, shown) for url in self.urls), "a rotation", LIMIT
        )
        self._set_keys(new)
        return new

    def _set_keys(self, *pairs: tuple[str, str]) -> None:
        keys = {access_key: {"secret_key": secret_key} for access_key, secret_key in pairs}
        ask("PUT", f"{self.sandbox_url}/access-keys", json=keys).raise_for_status()

    def _signs_with(self, url: str, access_key: str) -> bool:
        try:
            (account,) = ask("GET", f"{url}/v1/accounts").json()["accounts"]
        except requests.RequestException:
            return False
        return bool(account["key_pairs"][0].get("access_key") == access_key)


FIRST_PAIR = (ACCESS_KEY, SECRET_KEY)
