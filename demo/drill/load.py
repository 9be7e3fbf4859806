"""The load: submissions and reads at a constant rate that does not wait for answers."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count

import urllib3

from demo.cluster import Cluster, ask
from demo.demo import PERSON
from demo.drill.rows import Row, none, seconds
from demo.local import KEY

WAITING = 200  # concurrent requests
REPEATS = 10  # at a time


def _word(answer: urllib3.BaseHTTPResponse) -> str:
    """The status and the code of an answer. haproxy's own answers are not JSON."""
    if not answer.headers.get("Content-Type", "").endswith("json"):
        return f"{answer.status} from haproxy"
    document = answer.json()
    return f"{answer.status} {document.get('code') or document['status']}"


@dataclass
class Load:
    """Sends requests at a constant rate: submissions and reads in turn."""

    url: str
    answers: Counter[str] = field(default_factory=Counter)
    repeats: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    submitted: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # A failed request is not repeated: the drill counts failures.
    _pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(maxsize=WAITING, retries=False, timeout=40)
    )

    def run(self, rate: float, over: Callable[[], bool]) -> None:
        """Send until `over` returns True, and wait for the end of every request."""
        begin = time.monotonic()
        with ThreadPoolExecutor(WAITING) as threads:
            for number in count():
                if over():
                    return
                due = begin + number / rate
                time.sleep(max(0.0, due - time.monotonic()))
                threads.submit(self._request, number, due)

    def repeat(self) -> None:
        """Repeat the last successful submissions with their keys.

        A repeat is answered like the first try, or with OUTCOME_UNKNOWN if its record was lost.
        """
        for customer in self.submitted[-REPEATS:]:
            word, failed = self._submit(customer)
            with self._lock:
                self.repeats[word] += 1
                if failed and word != "504 OUTCOME_UNKNOWN":
                    self.failures.append(f"{time.strftime('%H:%M:%S')} repeat {word}")

    def _request(self, number: int, due: float) -> None:
        customer = f"drill-{number}"
        word, failed = self._read(customer) if number % 2 else self._submit(customer)
        with self._lock:
            self.answers[word] += 1
            self.took.append(time.monotonic() - due)
            if failed:
                self.failures.append(f"{time.strftime('%H:%M:%S')} {word}")
            elif not number % 2:
                self.submitted.append(customer)

    def _read(self, customer: str) -> tuple[str, bool]:
        return self._send("GET", f"customers/{customer}/verification")

    def _submit(self, customer: str) -> tuple[str, bool]:
        path = f"customers/{customer}/verifications/individual"
        return self._send("POST", path, customer, PERSON)

    def _send(
        self, method: str, path: str, key: str | None = None, body: object = None
    ) -> tuple[str, bool]:
        """The word for the answer, and whether the request failed."""
        headers = {"Authorization": f"Bearer {KEY}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        try:
            answer = self._pool.request(method, f"{self.url}/v1/{path}", headers=headers, json=body)
        except urllib3.exceptions.HTTPError as error:
            return f"no answer: {type(error).__name__}", True
        return _word(answer), answer.status >= 300

    def rows(self, cluster: Cluster) -> Iterator[Row]:
        """What callers saw, and what Huawei got."""
        recorded = ask("GET", f"{cluster.sandbox_url}/requests").json()
        written = Counter(
            json.loads(one["body"])["domainId"]
            for one in recorded
            if one["operation"] == "verified-info" and one["processed"]
        )
        took = sorted(self.took)
        yield Row("requests", len(took))
        for word, number in self.answers.most_common():
            yield Row(f"… {word}", number)
        if self.repeats:
            yield Row("repeats of successful submissions", self.repeats.total())
        for word, number in self.repeats.most_common():
            yield Row(f"… {word}", number)
        yield seconds("half of the answers within", took[len(took) // 2])
        yield seconds("99 % of the answers within", took[len(took) * 99 // 100])
        yield seconds("slowest answer", took[-1])
        yield none("submissions done twice", sum(times > 1 for times in written.values()))
        yield none("submissions lost", len(set(self.submitted) - set(written)))
        yield none("failed requests", len(self.failures))
