"""`make drill`: replaces gateways and keys under load; no request may fail.

Sends fifty requests a second through haproxy to two gateways, at a constant rate that does not
wait for answers. Ends the gateways by SIGTERM and restarts them one after the other, and rotates
the partner's key. Prints a table and exits with 1 if a request failed. DRILL_SECONDS is the
duration, 60 by default; DRILL_RATE the number of requests a second.
"""

import json
import os
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from tempfile import TemporaryFile

import urllib3

from demo.cluster import FIRST_PAIR, Cluster, Replacement, ask
from demo.demo import PERSON
from demo.local import KEY

LATENCY = 0.3  # seconds of Huawei's answer, so that some requests are always in progress
WAITING = 200  # concurrent requests
CALM = 2.0  # seconds between one replacement, or rotation, and the next


def _word(answer: urllib3.BaseHTTPResponse) -> str:
    """The status or code of an answer. haproxy's own answers are not JSON."""
    if not answer.headers.get("Content-Type", "").endswith("json"):
        return "from haproxy"
    document = answer.json()
    return str(document.get("code") or document["status"])


@dataclass
class Load:
    """Sends requests at a constant rate: submissions and reads in turn."""

    url: str
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    submitted: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # A failed request is not repeated: the drill counts failures.
    _pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(maxsize=WAITING, retries=False, timeout=40)
    )

    def run(self, rate: int, over: Callable[[], bool]) -> None:
        """Send until `over` returns True, and wait for the end of every request."""
        begin = time.monotonic()
        with ThreadPoolExecutor(WAITING) as threads:
            for number in count():
                if over():
                    return
                due = begin + number / rate
                time.sleep(max(0.0, due - time.monotonic()))
                threads.submit(self._request, number, due)

    def _request(self, number: int, due: float) -> None:
        customer = f"drill-{number}"
        path = f"{self.url}/v1/customers/{customer}/verification"
        headers = {"Authorization": f"Bearer {KEY}"}
        try:
            if number % 2:
                answer = self._pool.request("GET", path, headers=headers)
            else:
                headers["Idempotency-Key"] = customer
                answer = self._pool.request(
                    "POST", f"{path}s/individual", json=PERSON, headers=headers
                )
            word, failed = f"{answer.status} {_word(answer)}", answer.status >= 300
        except urllib3.exceptions.HTTPError as error:
            word, failed = f"no answer: {type(error).__name__}", True
        with self._lock:
            self.answers[word] += 1
            self.seconds.append(time.monotonic() - due)
            if failed:
                self.failures.append(f"{time.strftime('%H:%M:%S')} {word}")
            elif not number % 2:
                self.submitted.add(customer)


@dataclass
class Drill:
    """Replaces gateways and keys during the load."""

    cluster: Cluster
    ends: float  # on the monotonic clock
    replacements: list[Replacement] = field(default_factory=list)
    rotations: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def over(self) -> bool:
        """Whether the time is up, both gateways were replaced and the key was rotated."""
        return time.monotonic() > self.ends and len(self.replacements) > 1 and self.rotations > 0

    def replace(self) -> None:
        """Replace one gateway after the other."""
        for number in count():
            if self.stopped.wait(CALM):
                return
            self.replacements.append(self.cluster.replace(number % 2))

    def rotate(self) -> None:
        """Rotate one key after the other."""
        pair = FIRST_PAIR
        for number in count(1):
            if self.stopped.wait(CALM):
                return
            pair = self.cluster.rotate(number, pair)
            self.rotations += 1


def _report(load: Load, drill: Drill) -> int:
    recorded = ask("GET", f"{drill.cluster.sandbox_url}/requests").json()
    written = Counter(
        json.loads(one["body"])["domainId"]
        for one in recorded
        if one["operation"] == "verified-info" and one["processed"]
    )
    twice = [customer for customer, times in written.items() if times > 1]
    lost = load.submitted - set(written)
    took = sorted(load.seconds)
    rows = [
        ("requests", len(took)),
        *((f"… {word}", number) for word, number in load.answers.most_common()),
        ("gateways replaced", len(drill.replacements)),
        ("… that ended with 0", [one.status for one in drill.replacements].count(0)),
        ("… longest end", f"{max(one.end_seconds for one in drill.replacements):.1f} s"),
        ("… longest start", f"{max(one.start_seconds for one in drill.replacements):.1f} s"),
        ("keys rotated", drill.rotations),
        ("half of the answers within", f"{took[len(took) // 2]:.2f} s"),
        ("99 % of the answers within", f"{took[len(took) * 99 // 100]:.2f} s"),
        ("slowest answer", f"{took[-1]:.2f} s"),
        ("submissions done twice", len(twice)),
        ("submissions lost", len(lost)),
        ("failed requests", len(load.failures)),
    ]
    sys.stdout.write("| figure | value |\n|---|---|\n")
    sys.stdout.writelines(f"| {name} | {value} |\n" for name, value in rows)
    for failure in load.failures[:20]:
        sys.stderr.write(f"failed: {failure}\n")
    crashed = any(one.status for one in drill.replacements)
    return 1 if load.failures or twice or lost or crashed else 0


def run(haproxy: str, seconds: float = 60, rate: int = 50) -> int:
    """Run the drill. Returns 0 if no request failed and gateways and keys were replaced."""
    with TemporaryFile() as log, Cluster(haproxy, log) as cluster:
        ask("PATCH", f"{cluster.sandbox_url}/settings", json={"requests_per_second": None})
        slow = {"operation": "*", "kind": "latency", "seconds": LATENCY, "count": None}
        ask("POST", f"{cluster.sandbox_url}/faults", json=slow).raise_for_status()
        drill = Drill(cluster, time.monotonic() + seconds)
        load = Load(cluster.url)
        with ThreadPoolExecutor(2) as threads:
            tasks = [threads.submit(drill.replace), threads.submit(drill.rotate)]
            # A failed replacement ends the drill.
            try:
                load.run(rate, lambda: drill.over() or any(task.done() for task in tasks))
            finally:
                drill.stopped.set()
        for task in tasks:
            task.result()
        return _report(load, drill)


def main() -> int:
    """Run the drill if haproxy is installed."""
    haproxy = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if haproxy is None:
        sys.stderr.write("haproxy is missing: `make tools` installs it, or says how\n")
        return 2
    seconds, rate = os.environ.get("DRILL_SECONDS", "60"), os.environ.get("DRILL_RATE", "50")
    return run(haproxy, float(seconds), int(rate))


if __name__ == "__main__":
    sys.exit(main())
