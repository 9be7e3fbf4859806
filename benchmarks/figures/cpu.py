"""CPU time of a request: beside peers, under concurrency, and with many callers configured."""

from collections.abc import Callable, Iterator
from statistics import median

from benchmarks.bench import Bench, Row, at_most, ratio
from benchmarks.load import closed_loop
from benchmarks.servers import Server, fastapi, gateway, proxy

CONNECTIONS = 16
IN_FLIGHT = 256


def _cpu_each(bench: Bench, server: Server, connections: int) -> Callable[[], float]:
    def measure() -> float:
        return closed_loop([server], connections, bench.seconds).cpu_each

    return measure


def beside_peers(bench: Bench) -> Iterator[Row]:
    """CPU time of the gateway and of its peers at the same upstream."""
    folder, upstream = bench.folder, bench.upstream.fast
    sides = [
        gateway(folder, upstream, project=bench.project),
        fastapi(folder, upstream, "httpx"),
        fastapi(folder, upstream, "aiohttp"),
        proxy(folder, upstream),
    ]
    with bench.started(sides):
        for side in sides:
            closed_loop([side], CONNECTIONS, 1)  # warm
        found = bench.in_turns(*(_cpu_each(bench, side, CONNECTIONS) for side in sides))
    ours, httpx, aiohttp, nginx = found
    figure = f"CPU of a request at {CONNECTIONS} connections; FastAPI + httpx = 1"
    yield at_most(figure, ratio(ours, httpx), 0.5)
    yield Row("peer: FastAPI + httpx itself", "", f"1 ({median(httpx) * 1e3:.2f} ms here)")
    yield Row("peer: FastAPI + aiohttp", "", f"{ratio(aiohttp, httpx):.2f}")
    yield Row("lower bound: nginx, which only forwards", "", f"{ratio(nginx, httpx):.3f}")


def in_flight(bench: Bench) -> Iterator[Row]:
    """CPU time with many concurrent requests, divided by that with one at a time."""
    folder, upstream = bench.folder, bench.upstream
    sides = [
        gateway(folder, upstream.slow, project=bench.project),
        gateway(folder, upstream.fast, project=bench.project),
    ]

    def many() -> float:
        return closed_loop([sides[0]], IN_FLIGHT, max(2, bench.seconds), spread=0.3).cpu_each

    with bench.started(sides):
        many()
        one = _cpu_each(bench, sides[1], 1)
        one()
        ours, alone = bench.in_turns(many, one)
    figure = (
        f"CPU of a request with {IN_FLIGHT} in flight (upstream takes 300 ms); one at a time = 1"
    )
    yield at_most(figure, ratio(ours, alone), 1.3)


def many_configured(bench: Bench) -> Iterator[Row]:
    """CPU time with many configured callers and accounts, divided by that with four of each."""
    sides = [
        gateway(bench.folder, bench.upstream.fast, project=bench.project, **options)
        for options in ({"callers": 1000, "accounts": 50}, {})
    ]
    with bench.started(sides):
        for side in sides:
            closed_loop([side], CONNECTIONS, 1)
        many, few = bench.in_turns(*(_cpu_each(bench, side, CONNECTIONS) for side in sides))
    figure = "CPU of a request with 1,000 callers and 50 accounts configured; 4 of each = 1"
    yield at_most(figure, ratio(many, few), 1.1)


def measure(bench: Bench) -> Iterator[Row]:
    """Measure beside peers, in flight, and with many callers."""
    yield from beside_peers(bench)
    yield from in_flight(bench)
    yield from many_configured(bench)
