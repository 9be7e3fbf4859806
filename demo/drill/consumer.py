"""A service that follows the feed as docs/events.md says."""

import itertools
import threading
import time
from collections.abc import Sequence
from typing import Any

import urllib3

from demo.local import KEY

WAIT = 5  # seconds
PAUSE = 0.5  # seconds after a failure


class Consumer:
    """Follows the feed, and looks once at each customer when events were dropped.

    Args:
        urls: The gateways. After a failure it asks the next one.
        customers: The customers that it follows.
    """

    def __init__(self, urls: Sequence[str], customers: Sequence[str]) -> None:
        self._urls = itertools.cycle(urls)
        self._url = next(self._urls)
        self._customers = customers
        self._pool = urllib3.PoolManager(retries=False, timeout=30)
        self.over = threading.Event()
        self.ended: dict[str, float] = {}  # when it was told of each end
        self.by_look = 0
        self.events = 0
        self.gone = 0

    def run(self) -> None:
        """Follow the feed until the drill is over."""
        after = ""
        while not self.over.is_set():
            query = f"&after={after}" if after else ""
            answer = self._get(f"events?types=VERIFICATION_ENDED{query}", WAIT)
            if answer is None:
                continue
            after = answer["next"]
            if answer.get("code") == "EVENTS_GONE":
                self.gone += 1
                self._look()
                continue
            for event in answer["items"]:
                self.events += 1
                self.ended.setdefault(event["customer_id"], time.monotonic())

    def _look(self) -> None:
        """Look once at each customer: events were dropped."""
        for customer in list(self._customers):
            while not self.over.is_set():
                found = self._get(f"customers/{customer}/verification", 0)
                if found is not None:
                    if found["status"] == "VERIFIED" and customer not in self.ended:
                        self.ended[customer] = time.monotonic()
                        self.by_look += 1
                    break

    def _get(self, path: str, wait: int) -> dict[str, Any] | None:
        """The answer, or EVENTS_GONE; None for a failure: repeat it."""
        headers = {"Authorization": f"Bearer {KEY}"}
        headers |= {"Prefer": f"wait={wait}"} if wait else {"Cache-Control": "no-cache"}
        try:
            answer = self._pool.request("GET", f"{self._url}/v1/{path}", headers=headers)
            found: dict[str, Any] = answer.json()
        except (urllib3.exceptions.HTTPError, ValueError):
            found = {"code": ""}
        if found.get("code", "EVENTS_GONE") == "EVENTS_GONE":
            return found
        self._url = next(self._urls)
        self.over.wait(PAUSE)
        return None
