"""The latency that the gateway adds to a call."""

from collections.abc import Iterator
from statistics import median
from urllib.parse import urlsplit

from benchmarks.bench import Bench, Row, at_most
from benchmarks.load import Steady
from benchmarks.servers import gateway

RATE = 50
SECONDS = 4  # of one measurement


def measure(bench: Bench) -> Iterator[Row]:
    """Send the same requests to upstream and through the gateway, alternately."""
    p50, p99 = [], []
    port = urlsplit(bench.upstream.fast).port or 0
    with gateway(bench.folder, bench.upstream.fast, project=bench.project) as server:
        Steady(server.port, RATE, RATE).percentiles()
        for _ in range(bench.rounds):
            direct = Steady(port, RATE, RATE * SECONDS).percentiles()
            ours = Steady(server.port, RATE, RATE * SECONDS).percentiles()
            p50.append(ours[0] - direct[0])
            p99.append(ours[1] - direct[1])
    figure = "added to upstream's own time at 50 requests a second"
    yield at_most(f"{figure}: p50", median(p50) * 1e3, 2.5, " ms", 1)
    yield at_most(f"{figure}: p99", median(p99) * 1e3, 8, " ms", 1)
