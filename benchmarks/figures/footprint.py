"""Memory and start time of a process."""

from collections.abc import Iterator
from statistics import median

from benchmarks.bench import Bench, Row, at_most
from benchmarks.load import closed_loop
from benchmarks.servers import gateway

STARTS_AT_MOST = 5


def measure(bench: Bench) -> Iterator[Row]:
    """Measure after a load, so that every module is imported."""
    seconds, sizes = [], []
    for _ in range(min(STARTS_AT_MOST, bench.rounds)):
        with gateway(bench.folder, bench.upstream.fast, project=bench.project) as server:
            closed_loop([server], 16, 1)
            seconds.append(server.seconds_to_answer)
            arbiter, worker = server.memory.values()
            sizes.append(worker)
    figure = f"memory of the process that serves (gunicorn's arbiter beside it: {arbiter:.0f} MiB)"
    yield at_most(figure, median(sizes), 90, " MiB", 0)
    yield at_most("start to the first answer", median(seconds), 2, " s", 1)
