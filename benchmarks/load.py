"""Generates load on servers."""

import http.client
import json
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from benchmarks.servers import KEYS, Server

SUBMISSION = json.dumps(
    {
        "full_name": "ZHANG SAN",
        "document": {"type": "PASSPORT", "number": "E1234567"},
        "partner_user_id": "shop-981",
    }
)


@dataclass(frozen=True, slots=True)
class Load:
    """The result of a load; times in seconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    cpu: float

    @property
    def cpu_each(self) -> float:
        """CPU time of the servers per request, in seconds."""
        return self.cpu / self.requests


def closed_loop(
    servers: Sequence[Server], connections: int, seconds: int, spread: float = 0
) -> Load:
    """Send the next request on each connection as soon as the previous one is answered.

    Args:
        servers: One server, or two that get half of the connections each.
        connections: The number of connections.
        seconds: The duration.
        spread: Seconds over which the first requests are spread.

    Raises:
        RuntimeError: if an answer is not the expected one: a fast failure must not count.
    """
    before = sum(server.cpu for server in servers)
    command = [
        *("wrk", "-t", str(len(servers)), "-c", str(connections), "-d", f"{seconds}s"),
        *("--timeout", "30s", "-s", str(Path(__file__).parent / "load.lua"), servers[0].url),
        *("--", ",".join(str(server.port) for server in servers)),
        *(str(connections), str(round(spread * 1000)), ",".join(KEYS.values())),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    found = json.loads(done.stdout.splitlines()[-1])
    if found.pop("failed") or not found["requests"]:
        raise RuntimeError(f"{servers[0].name} failed under load:\n{done.stdout}")
    cpu = sum(server.cpu for server in servers) - before
    return Load(cpu=cpu, **found)


def submit(connection: http.client.HTTPConnection, customer: str, caller: str) -> int:
    """Submit a customer and read the answer. Returns its HTTP status."""
    headers = {"Authorization": f"Bearer {KEYS[caller]}", "Content-Type": "application/json"}
    path = f"/v1/customers/{customer}/verifications/individual"
    connection.request("POST", path, SUBMISSION, headers)
    response = connection.getresponse()
    response.read()
    return response.status


class Steady:
    """Sends requests at a constant rate over a few kept-alive connections; answers do not slow it.

    The latency of a request counts from the moment at which it is due.

    Args:
        port: The port of the server.
        rate: Requests a second.
        requests: The number of requests.
        path: The path to read; None to submit customers.
        caller: The caller that submits.
    """

    CONNECTIONS = 4

    def __init__(
        self, port: int, rate: float, requests: int, path: str | None = None, caller: str = "crm"
    ) -> None:
        self._port, self._rate, self._requests = port, rate, requests
        self._path, self._caller = path, caller
        self._begin = time.monotonic() + 0.1
        self.times: list[float] = []
        self._threads = [
            threading.Thread(target=self._send, args=(place,)) for place in range(self.CONNECTIONS)
        ]
        for thread in self._threads:
            thread.start()

    def _send(self, place: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.connect()
        for number in range(place, self._requests, self.CONNECTIONS):
            due = self._begin + number / self._rate
            time.sleep(max(0.0, due - time.monotonic()))
            if self._path is None:
                status = submit(connection, f"steady-{due:.6f}".replace(".", "-"), self._caller)
            else:
                connection.request("GET", self._path)
                response = connection.getresponse()
                response.read()
                status = response.status
            if 200 <= status < 300:
                self.times.append(time.monotonic() - due)
        connection.close()

    def percentiles(self) -> tuple[float, float]:
        """The median and the 99th percentile in seconds, once every request is answered.

        Raises:
            RuntimeError: if a request was not answered with success.
        """
        for thread in self._threads:
            thread.join()
        if len(self.times) != self._requests:
            raise RuntimeError(f"{self._requests - len(self.times)} requests failed")
        cuts = quantiles(self.times, n=100, method="inclusive")
        return cuts[49], cuts[98]
