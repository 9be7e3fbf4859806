"""The number of concurrent requests that do not slow each other down."""

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from benchmarks.bench import Bench, Row
from benchmarks.load import closed_loop
from benchmarks.servers import Server, fastapi, gateway
from benchmarks.upstream import DELAY

LEVELS = (16, 32, 64, 96, 128, 192, 256, 384, 512)
ADDED = 0.020  # seconds at the 99th percentile
GOAL = 256
SECONDS = 2  # of a round: six or seven requests on each connection


def _added(servers: Sequence[Server], level: int) -> Callable[[], float]:
    return lambda: closed_loop(servers, level, SECONDS, spread=DELAY).p99 - DELAY


def _highest(bench: Bench, servers: Sequence[Server]) -> tuple[int, float]:
    """The highest level whose added latency is below the limit, and that latency in seconds."""
    with bench.started(servers):
        _added(servers, 64)()
        # One measurement of each level finds a candidate; the rounds confirm it or step down.
        place = -1
        while place + 1 < len(LEVELS):
            if _added(servers, LEVELS[place + 1])() > ADDED * 1.5:
                break
            place += 1
        while place >= 0:
            (rounds,) = bench.in_turns(_added(servers, LEVELS[place]))
            if median(rounds) <= ADDED:
                return LEVELS[place], median(rounds)
            place -= 1
    return 0, 0.0


def measure(bench: Bench) -> Iterator[Row]:
    """Measure two processes of each side."""
    folder, upstream = bench.folder, bench.upstream.slow
    sides: dict[str, Callable[[], Server]] = {
        "the gateway": lambda: gateway(folder, upstream, project=bench.project),
        "peer: FastAPI + httpx": lambda: fastapi(folder, upstream, "httpx"),
        "peer: FastAPI + aiohttp": lambda: fastapi(folder, upstream, "aiohttp"),
    }
    for name, start in sides.items():
        level, added = _highest(bench, [start(), start()])
        measured = f"{level} (p99 + {added * 1e3:.0f} ms)" if level else f"fewer than {LEVELS[0]}"
        if name == "the gateway":
            figure = "requests in flight, upstream 300 ms, two processes, p99 + 20 ms at most"
            yield Row(figure, f"≥ {GOAL}", measured, level >= GOAL)
        else:
            yield Row(name, "", measured)
