"""A thousand requests that wait for the quota, and their effect on other requests."""

import http.client
import re
import time
import urllib.request
from collections.abc import Iterator

from benchmarks.bench import Bench, Row, at_most
from benchmarks.load import SUBMISSION, Steady
from benchmarks.servers import KEYS, gateway

WAITING = 1000
QUOTA = 10  # calls a second, as Huawei allows
SECONDS = 10
SENT = WAITING + QUOTA * (SECONDS + 8)  # some are sent during the measurement
LIMIT = 0.1  # seconds
MEMORY = 60  # MiB
START = 30.0  # seconds


def _depth(metrics_url: str) -> float:
    with urllib.request.urlopen(metrics_url, timeout=10) as response:  # noqa: S310 - our own
        text = response.read().decode()
    found = re.findall(r"^gateway_queue_depth\{.*\} ([0-9.e+]+)$", text, re.MULTILINE)
    return sum(float(value) for value in found)


def _send(port: int, number: int) -> http.client.HTTPConnection:
    """Submit a customer of the account with the low quota; do not wait for the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {
        "Authorization": f"Bearer {KEYS['billing']}",
        "Content-Type": "application/json",
        "Prefer": "wait=25",
    }
    path = f"/v1/customers/waits-{number}/verifications/individual"
    connection.request("POST", path, SUBMISSION, headers)
    return connection


def measure(bench: Bench) -> Iterator[Row]:
    """Measure one process whose first account has Huawei's usual quota."""
    options = {"first_quota": QUOTA, "max_waiting": SENT}
    server = gateway(bench.folder, bench.upstream.fast, project=bench.project, **options)
    with server:
        for caller in ("crm", "shop", "support"):
            Steady(server.port, 50, 50, caller=caller).percentiles()
        before = max(server.memory.values())
        connections = [_send(server.port, number) for number in range(SENT)]
        ends = time.monotonic() + START
        while _depth(server.metrics_url) < WAITING and time.monotonic() < ends:
            time.sleep(0.1)
        probe = Steady(server.port, 20, 20 * SECONDS, path="/livez")
        others = Steady(server.port, 20, 20 * SECONDS, caller="crm")
        probe_p99, others_p99 = probe.percentiles()[1], others.percentiles()[1]
        grown = max(server.memory.values()) - before
        waiting = _depth(server.metrics_url)
        for connection in connections:
            connection.close()
    if waiting < WAITING:
        raise RuntimeError(f"only {waiting:.0f} requests were waiting at the end")
    figure = "1,000 requests waiting for the quota in one process"
    yield at_most(f"{figure}: p99 of /livez", probe_p99 * 1e3, LIMIT * 1e3, " ms", 0)
    yield at_most(f"{figure}: p99 of another account", others_p99 * 1e3, LIMIT * 1e3, " ms", 0)
    yield at_most(f"{figure}: memory", grown, MEMORY, " MiB", 0)
