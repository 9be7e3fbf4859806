"""Callers that want to know when reviews end: by the feed, by reads that wait, and by polls."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from statistics import quantiles
from typing import Any

import urllib3

WAIT = 25  # seconds
POLLED = 30.0  # seconds between two polls of a review
POLLS = 300  # at once
FINAL = ("VERIFIED", "REJECTED")


@dataclass
class Told:
    """When reviews ended, and when callers were told."""

    ended: dict[str, float] = field(default_factory=dict)
    told: dict[tuple[str, str], float] = field(default_factory=dict)
    requests: int = 0
    refused: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, status: int) -> None:
        """Count an answer."""
        with self._lock:
            self.requests += 1
            self.refused += status >= 400

    def tell(self, caller: str, customer: str) -> None:
        """Note that a caller was told of an end, for the first time."""
        self.told.setdefault((caller, customer), time.monotonic())

    def delays(self, followed: Mapping[str, Sequence[str]]) -> list[float]:
        """Seconds from each end until each of its callers was told; infinity if it never was."""
        return [
            self.told.get((caller, customer), float("inf")) - self.ended[customer]
            for caller, customers in followed.items()
            for customer in customers
            if customer in self.ended
        ]


def percentiles(delays: Sequence[float]) -> tuple[float, float]:
    """The median and the 95th percentile."""
    cuts = quantiles(delays, n=20, method="inclusive")
    return cuts[9], cuts[18]


class Caller:
    """One caller of a gateway."""

    def __init__(self, url: str, name: str, told: Told) -> None:
        self.name = name
        self._url = url
        self._told = told
        headers = {"Authorization": f"Bearer {name}"}
        self._pool = urllib3.PoolManager(maxsize=POLLS, retries=False, timeout=60, headers=headers)

    def follow(self, over: Callable[[], bool]) -> None:
        """Follow the feed."""
        after = ""
        while not over():
            path = "/v1/events?types=VERIFICATION_ENDED" + (f"&after={after}" if after else "")
            found = self._get(path, f"wait={WAIT}")
            if found is None:
                time.sleep(1.0)
                continue
            for one in found["items"]:
                self._told.tell(self.name, one["customer_id"])
            after = found["next"]

    def wait(self, customer: str, over: Callable[[], bool]) -> None:
        """Read a verification again and again, and wait each time, until it ended."""
        while not over():
            found = self._get(f"/v1/customers/{customer}/verification", f"wait={WAIT}")
            if found is None:
                time.sleep(1.0)
            elif found["status"] in FINAL:
                self._told.tell(self.name, customer)
                return

    def poll(self, customer: str) -> None:
        """Ask Huawei for the verification once, as every read did before there was a watch."""
        found = self._get(f"/v1/customers/{customer}/verification", None)
        if found is not None and found["status"] in FINAL:
            self._told.tell(self.name, customer)

    def _get(self, path: str, prefer: str | None) -> dict[str, Any] | None:
        headers = {"Prefer": prefer} if prefer else {"Cache-Control": "no-cache"}
        answer = self._pool.request(
            "GET", f"{self._url}{path}", headers={**self._pool.headers, **headers}
        )
        self._told.answer(answer.status)
        return answer.json() if answer.status < 300 else None


def poll_all(callers: Mapping[Caller, Sequence[str]], told: Told, over: Callable[[], bool]) -> None:
    """Poll each review every POLLED seconds, at an even pace that waits for no answer."""
    polls = [(caller, one) for caller, customers in callers.items() for one in customers]
    begin = time.monotonic()
    with ThreadPoolExecutor(POLLS) as threads:
        for number in count():
            time.sleep(max(0.0, begin + number * POLLED / len(polls) - time.monotonic()))
            if over():
                return
            caller, customer = polls[number % len(polls)]
            if (caller.name, customer) not in told.told:
                threads.submit(caller.poll, customer)
