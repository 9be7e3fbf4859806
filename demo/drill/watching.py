"""Reviews end while the gateway that watches is killed, Redis changes, a gateway is replaced."""

import itertools
import re
import threading
import time
from collections.abc import Iterator, Sequence
from typing import IO, Self

import requests

from app.events.lease import LASTS, RETRY
from demo.cluster import Cluster, ask
from demo.drill.changes import Change, Empty, FailOver, Replace
from demo.drill.consumer import Consumer
from demo.drill.load import Load
from demo.drill.rows import Row, none, seconds
from demo.processes import wait_until

INTERVAL = 0.25  # seconds between two looks at the number of calls
TAKEN_OVER = LASTS + RETRY + 2.0  # seconds, as the documentation promises
CONSUMERS = 2
OPEN = 8  # reviews at a time: half of them end before a change, half after it
TOLD = 60.0  # seconds
SETTINGS = {"requests_per_second": None, "missing_attachment_code": None, "review_seconds": None}
PERSON = {"full_name": "ZHANG SAN", "document": {"type": "PASSPORT", "number": "E1234567"}}
CALLS = re.compile(r"^gateway_watch_calls_total\{.*\} ([0-9.e+]+)$", re.MULTILINE)


class Calls:
    """Sees which gateway watches, by the growing number of its calls."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look)
        # When the calls of each process were seen to grow.
        self._seen: dict[int, list[float]] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    @property
    def holder(self) -> int | None:
        """The process that watched last."""
        last = {pid: times[-1] for pid, times in self._seen.items()}
        return max(last, key=last.__getitem__, default=None)

    @property
    def longest_together(self) -> float:
        """The longest time in which two processes both watched, in seconds."""
        stints = [(pid, stint) for pid, times in self._seen.items() for stint in _stints(times)]
        return max(
            (
                min(one[1], other[1]) - max(one[0], other[0])
                for (pid, one), (another, other) in itertools.combinations(stints, 2)
                if pid != another
            ),
            default=0.0,
        )

    def _look(self) -> None:
        before: dict[int, float] = {}
        while not self._stopped.wait(INTERVAL):
            for process, url in zip(
                list(self._cluster.gateways), self._cluster.operations_urls, strict=True
            ):
                try:
                    text = ask("GET", f"{url}/metrics").text
                except requests.RequestException:
                    continue  # it is not there
                calls = sum(float(number) for number in CALLS.findall(text))
                if calls > before.get(process.pid, 0.0):
                    self._seen.setdefault(process.pid, []).append(time.monotonic())
                before[process.pid] = calls


def _stints(times: Sequence[float]) -> Iterator[tuple[float, float]]:
    """The first and the last time of each row of times that are less than a lease apart."""
    begin = last = times[0]
    for at in times[1:]:
        if at - last > LASTS:
            yield begin, last
            begin = at
        last = at
    yield begin, last


class Kill(Change):
    """Kills the gateway that watches, and starts a new one when the other one has taken over."""

    def __init__(self, cluster: Cluster, load: Load, calls: Calls) -> None:
        super().__init__(cluster, load)
        self._calls = calls
        self._longest = 0.0

    def make(self) -> None:
        """Kill it once."""
        wait_until(lambda: self._place() is not None, "a watch", TOLD)
        place, killed = self._place() or 0, self._calls.holder
        begun = time.monotonic()
        self.cluster.kill(place)
        wait_until(lambda: self._calls.holder != killed, "the takeover of the watch", TOLD)
        self._longest = max(self._longest, time.monotonic() - begun)
        self.cluster.start(place)

    def _place(self) -> int | None:
        pids = [process.pid for process in self.cluster.gateways]
        return pids.index(self._calls.holder) if self._calls.holder in pids else None

    def rows(self) -> Iterator[Row]:
        """The time until another gateway watched."""
        yield Row("watching gateways killed", self.times)
        yield seconds("… longest until the other one watched", self._longest, TAKEN_OVER)


class Reviews:
    """Reviews that are submitted through the gateways and end at Huawei."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.customers: list[str] = []
        self.ended: dict[str, float] = {}

    def open(self) -> list[str]:
        """Submit OPEN customers, each until it is in review."""
        begun = [f"watched-{len(self.customers) + number}" for number in range(OPEN)]
        self.customers += begun  # before the submission: a service knows whom it submits
        for customer, url in zip(begun, itertools.cycle(self._cluster.urls), strict=False):
            path = f"{url}/v1/customers/{customer}/verifications/individual"
            body = {**PERSON, "attachments": [f"{customer}/a.png", f"{customer}/b.png"]}
            wait_until(lambda: self._submit(path, body, customer), "a submission", TOLD)  # noqa: B023
        return begun

    @staticmethod
    def _submit(path: str, body: object, customer: str) -> bool:
        answer = ask("POST", path, json=body, headers={"Idempotency-Key": customer})
        return answer.status_code == 202

    def end(self, customers: Sequence[str]) -> None:
        """End the reviews of these customers."""
        for customer in customers:
            self.ended[customer] = time.monotonic()
            url = f"{self._cluster.sandbox_url}/reviews/{customer}"
            ask("PUT", url, json={"result": "passed"}).raise_for_status()


def _rows(reviews: Reviews, consumers: Sequence[Consumer], calls: Calls) -> Iterator[Row]:
    delays = [
        one.ended[customer] - at
        for one in consumers
        for customer, at in reviews.ended.items()
        if customer in one.ended
    ]
    yield Row("reviews ended", len(reviews.ended))
    yield Row("consumers", CONSUMERS)
    yield Row("events received", sum(one.events for one in consumers))
    yield Row("answers EVENTS_GONE", sum(one.gone for one in consumers))
    yield Row(
        "… ends found by the look at each customer after it", sum(one.by_look for one in consumers)
    )
    yield none("ends that a consumer was not told", len(reviews.ended) * CONSUMERS - len(delays))
    early = sum(delay < 0 for delay in delays)
    yield none("ends told before the review ended", early)
    yield seconds("longest from an end until a consumer was told", max(delays, default=0.0), TOLD)
    together = calls.longest_together
    yield seconds("longest time in which two gateways both watched", max(0.0, together), LASTS)


def measure(log: IO[bytes], duration: float) -> list[Row]:
    """Make one change after the other, each at least once. Returns the rows of the table."""
    with Cluster(None, log) as cluster, Calls(cluster) as calls:
        ask("PATCH", f"{cluster.sandbox_url}/settings", json=SETTINGS).raise_for_status()
        idle, reviews = Load(cluster.url), Reviews(cluster)
        consumers = [
            Consumer(cluster.urls[place:] + cluster.urls[:place], reviews.customers)
            for place in range(CONSUMERS)
        ]
        threads = [threading.Thread(target=one.run) for one in consumers]
        changes = [
            Kill(cluster, idle, calls),
            FailOver(cluster, idle),
            Empty(cluster, idle),
            Replace(cluster, idle),
        ]
        for thread in threads:
            thread.start()
        try:
            _make(changes, reviews, consumers, time.monotonic() + duration)
        finally:
            for one in consumers:
                one.over.set()
            for thread in threads:
                thread.join()
        rows = [*_rows(reviews, consumers, calls)]
    return [*rows, *itertools.chain.from_iterable(change.rows() for change in changes)]


def _make(
    changes: Sequence[Change], reviews: Reviews, consumers: Sequence[Consumer], ends: float
) -> None:
    for change in itertools.cycle(changes):
        if time.monotonic() > ends and all(one.times for one in changes):
            return
        begun = reviews.open()
        reviews.end(begun[: OPEN // 2])
        change.make()
        change.times += 1
        reviews.end(begun[OPEN // 2 :])
        if not _told(reviews, consumers):
            return


def _told(reviews: Reviews, consumers: Sequence[Consumer]) -> bool:
    """Wait until every consumer was told of every end. Returns False if one was not in time."""

    def all_told() -> bool:
        return all(reviews.ended.keys() <= one.ended.keys() for one in consumers)

    try:
        wait_until(all_told, "telling every consumer", TOLD)
    except TimeoutError:
        return False
    return True
