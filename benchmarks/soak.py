"""`make soak`: 40 callers of two gateways, one farther from Redis, while everything fails in turn.

Huawei fails, Redis fails over, SIGHUP is sent, connections are hogged, and once Redis is emptied.
Ends with a table: calls, writes done twice (must be 0), writes lost (must be 0), the worst second
against the quota, growth of memory. SOAK_SECONDS is the duration, 600 by default.
"""

import itertools
import json
import os
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from tempfile import TemporaryFile
from typing import Any

import requests

from demo.cluster import Cluster, ask
from demo.drill.changes import Change, Empty, FailOver, Hog, Reload
from demo.drill.fairness import DELAYS, most_in_a_second
from demo.drill.load import Load
from demo.drill.rows import Row, none, report
from demo.drill.watch import Watch
from demo.local import KEY
from demo.processes import memory

CALLERS = 40
QUOTA = 10  # calls a second
# Calls more in a second of upstream's, whose process shares the cores with all others: slots are
# 104 ms apart, so 11 calls fall into a second if upstream notices the first one 40 ms late.
LATE = 1
CHANGES: tuple[type[Change], ...] = (FailOver, Reload, Hog)
SPOILT, CALM = 3.0, 7.0  # seconds of a fault, and after it
FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("latency", {"seconds": 1}),
    ("reset", {}),
    ("html", {}),
    ("throttled", {}),
    ("truncated", {}),
    ("code", {"code": "CBC.0999"}),
)
PERSON = {"full_name": "ZHANG SAN", "document": {"type": "PASSPORT", "number": "E1234567"}}
# The load is above the quota on purpose, and the pictures are named only.
SANDBOX = {"requests_per_second": None, "missing_attachment_code": None}
LIMIT = 120.0  # seconds for one customer, repeats included


class Soak:
    """Callers that submit one customer after the other until the outcome of each is known."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls
        self.counts: Counter[str] = Counter()
        self.taken: set[str] = set()
        self.unsettled: set[str] = set()
        self.forgotten: set[str] = set()  # under way when Redis was emptied
        self.over = threading.Event()
        self._under_way: set[str] = set()
        self._lock = threading.Lock()

    def call(self, caller: int) -> None:
        """Submit customers as one caller until the time is up."""
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {KEY}"
        for number in itertools.count():
            if self.over.is_set():
                return
            customer = f"soak-{caller}-{number}"
            with self._lock:
                self._under_way.add(customer)
            settled = self._submit(session, customer, self._urls[(caller + number) % 2])
            with self._lock:
                self._under_way.remove(customer)
                (self.taken if settled else self.unsettled).add(customer)

    def _submit(self, session: requests.Session, customer: str, url: str) -> bool:
        """Submit a customer until it succeeds. Returns False if it does not in time."""
        # The pictures are named and not uploaded: SANDBOX switches the check off.
        body = {**PERSON, "attachments": [f"{customer}/a.png", f"{customer}/b.png"]}
        path = f"{url}/v1/customers/{customer}/verifications/individual"
        ends = time.monotonic() + LIMIT
        while time.monotonic() < ends:
            pause = 1.0
            try:
                answer = session.post(
                    path,
                    json=body,
                    headers={"Idempotency-Key": customer, "Prefer": "wait=8"},
                    timeout=40,
                )
            except requests.ConnectionError:
                word = "no answer: the connection was closed"  # among those that were hogged
            else:
                word = (
                    f"{answer.status_code} {answer.json().get('code') or answer.json()['status']}"
                )
                pause = min(2.0, float(answer.headers.get("Retry-After", 1)))
            with self._lock:
                self.counts[word] += 1
            if word.startswith("2"):
                return True
            time.sleep(pause)
        return False

    def forget(self) -> None:
        """Note the customers whose records are lost now. Their outcome can stay unknown."""
        with self._lock:
            self.forgotten |= self._under_way

    def spoil(self, sandbox_url: str) -> None:
        """Activate one fault of Huawei after the other for a while."""
        for kind, parameters in itertools.cycle(FAULTS):
            if self.over.wait(CALM):
                return
            document = {"operation": "individual", "kind": kind, "count": None, **parameters}
            ask("POST", f"{sandbox_url}/faults", json=document)
            self.over.wait(SPOILT)
            ask("DELETE", f"{sandbox_url}/faults")

    def change(self, changes: Sequence[Change]) -> None:
        """Make one change of Redis and the processes after the other."""
        for change in itertools.cycle(changes):
            if self.over.wait(CALM):
                return
            change.make()
            change.times += 1


def _rows(soak: Soak, recorded: list[dict[str, Any]]) -> Iterator[Row]:
    applied = [one for one in recorded if one["operation"] == "individual"]
    written = Counter(json.loads(one["body"])["customer_id"] for one in applied if one["processed"])
    yield Row("answers", soak.counts.total())
    for name, number in soak.counts.most_common():
        yield Row(f"… {name}", number)
    yield Row("calls to Huawei", len(recorded))
    yield Row("customers whose submission was answered with success", len(soak.taken))
    yield Row("customers under way when Redis was emptied", len(soak.forgotten))
    yield Row("… not settled in two minutes", len(soak.unsettled & soak.forgotten))
    yield none("other customers not settled in two minutes", len(soak.unsettled - soak.forgotten))
    yield none("writes done twice", sum(times > 1 for times in written.values()))
    yield none("writes lost", len(soak.taken - set(written)))
    for operation, what in (("individual", "submissions"), ("result", "reads")):
        most = most_in_a_second([one["at"] for one in recorded if one["operation"] == operation])
        yield Row(f"worst second of {what} (quota {QUOTA})", most, most > QUOTA + LATE)


def _run(cluster: Cluster, seconds: float) -> list[Row]:
    """Run the load and the changes. Returns the rows of the table."""
    ask("PATCH", f"{cluster.sandbox_url}/settings", json=SANDBOX)
    soak, idle = Soak(cluster.urls), Load(cluster.url)
    changes = [change(cluster, idle) for change in CHANGES]
    emptying = Empty(cluster, idle)
    before = [memory(process.pid) for process in cluster.gateways]
    threads = [threading.Thread(target=soak.call, args=(caller,)) for caller in range(CALLERS)]
    threads.append(threading.Thread(target=soak.spoil, args=(cluster.sandbox_url,)))
    threads.append(threading.Thread(target=soak.change, args=(changes,)))
    with Watch(cluster) as watch:
        for thread in threads:
            thread.start()
        time.sleep(seconds / 2)
        soak.forget()
        emptying.make()
        soak.forget()
        time.sleep(seconds / 2)
        soak.over.set()
        for thread in threads:
            thread.join()
    after = [memory(process.pid) for process in cluster.gateways]
    growth = ", ".join(f"{b:.0f} to {a:.0f} MiB" for b, a in zip(before, after, strict=True))
    recorded = ask("GET", f"{cluster.sandbox_url}/requests").json()
    rows = [*_rows(soak, recorded), Row("memory of the gateways", growth), *watch.rows()]
    return [*rows, *itertools.chain.from_iterable(change.rows() for change in changes)]


def main() -> int:
    """Run the soak. Returns 0 if every limit was kept."""
    seconds = float(os.environ.get("SOAK_SECONDS", "600"))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # for the hogged connections
    with TemporaryFile() as log, Cluster(None, log, QUOTA, DELAYS) as cluster:
        rows = _run(cluster, seconds)
    return 0 if report("A soak", rows) else 1


if __name__ == "__main__":
    sys.exit(main())
