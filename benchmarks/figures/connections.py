"""New TLS connections to upstream at a steady pace."""

from collections.abc import Iterator

from benchmarks.bench import Bench, Row, at_most
from benchmarks.load import Steady
from benchmarks.servers import gateway

RATE = 10  # calls a second, as Huawei allows


def measure(bench: Bench) -> Iterator[Row]:
    """Count new connections at the stand-in for Huawei."""
    calls = 100 * bench.rounds
    upstream = bench.upstream
    before = set(upstream.secure_connections)
    server = gateway(bench.folder, upstream.secure, project=bench.project, ca_file=upstream.ca_file)
    with server:
        Steady(server.port, RATE, calls).percentiles()
        new = set(upstream.secure_connections) - before
    yield at_most(
        f"TLS connections to upstream for {calls:,} calls at 10 a second", len(new), 5, "", 0
    )
