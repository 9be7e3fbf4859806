"""Watches the gateways as a cluster does: probes, the shared state, memory."""

import threading
import time
from collections.abc import Iterator
from typing import Self

import requests

from demo.cluster import Cluster
from demo.drill.rows import Row, seconds
from demo.processes import memory

INTERVAL = 0.25  # seconds
PROBE_LIMIT = 3.0  # seconds, the kubelet's patience
MEMORY = 256  # MiB, the limit of the chart's container
DEGRADED = "gateway_state_degraded 1.0"


class Watch:
    """Probes each gateway all the time; leaving the context ends it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, args=(place,))
            for place in range(len(cluster.operations_urls))
        ]
        self._slowest = 0.0
        self._largest = 0.0

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def rows(self) -> Iterator[Row]:
        """The slowest probe and the largest memory."""
        yield seconds("slowest /livez", self._slowest, PROBE_LIMIT)
        megabytes = f"{self._largest:.0f} MiB"
        yield Row("largest memory of a gateway", megabytes, self._largest > MEMORY)

    def _watch(self, place: int) -> None:
        url = f"{self._cluster.operations_urls[place]}/livez"
        while not self._stopped.wait(INTERVAL):
            begun = time.monotonic()
            try:
                _get(url)
                self._largest = max(self._largest, memory(self._cluster.gateways[place].pid))
            except (requests.ConnectionError, OSError, ValueError):
                if time.monotonic() - begun < PROBE_LIMIT:
                    continue  # the gateway is being replaced
            self._slowest = max(self._slowest, time.monotonic() - begun)


def is_degraded(cluster: Cluster) -> bool:
    """Whether a gateway does without Redis."""
    return any(DEGRADED in _get(f"{url}/metrics") for url in cluster.operations_urls)


def _get(url: str) -> str:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Connection"] = "close"
        return session.get(url, timeout=PROBE_LIMIT + 1).text
