"""The mutable state of a sandbox, protected by one lock."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from .access_keys import OBS_ACCESS_KEY, OBS_SECRET_KEY, AccessKeys
from .customers import Credit, Customer
from .faults import Faults
from .mails import Mail
from .sales import Bill, Order, Resource
from .settings import BUCKET, Settings
from .tokens import Tokens

WINDOW_SECONDS = 1.0


class Clock:
    """The clock of the sandbox: the machine's clock plus an offset."""

    def __init__(self) -> None:
        self.offset_seconds = 0.0

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time() + self.offset_seconds

    def http_date(self) -> str:
        """Return the current time in the form of a Date header."""
        return formatdate(self.now(), usegmt=True)


class Throttle:
    """A sliding window of one second for each operation and credential."""

    def __init__(self) -> None:
        self._admitted: dict[tuple[str, str], deque[float]] = {}

    def admit(self, key: tuple[str, str], now: float, limit: int | None) -> bool:
        """Return whether the window has room for a call, and count the call if so.

        Args:
            key: Operation and credential.
            now: The time, in seconds.
            limit: The largest number of calls in the window; None for no limit.
        """
        moments = self._admitted.setdefault(key, deque())
        # A test can move the clock back: later times are outside this window.
        while moments and not 0 <= now - moments[0] < WINDOW_SECONDS:
            moments.popleft()
        if limit is not None and len(moments) >= limit:
            return False
        moments.append(now)
        return True


@dataclass(slots=True)
class Recorded:
    """One upstream request, as the control call shows it."""

    n: int
    at: float
    operation: str
    method: str
    target: str
    headers: dict[str, str]
    body: str = ""
    status: int | None = None
    code: str | None = None
    processed: bool = False


@dataclass(slots=True)
class Stored:
    """One object in a bucket."""

    content: bytes
    content_type: str
    etag: str
    modified: float


@dataclass(slots=True)
class Logins:
    """The wrong passwords in a row, and the lock that they cause."""

    failures: int = 0
    locked_until: float = 0


class State:
    """The mutable state. Hold `lock` while you read or change it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.faults = Faults()
        self._start()

    def _start(self) -> None:
        self.clock = Clock()
        self.settings = Settings()
        self.access_keys = AccessKeys()
        self.obs_keys = {OBS_ACCESS_KEY: OBS_SECRET_KEY}
        self.tokens = Tokens()
        self.logins = Logins()
        self.customers: dict[str, Customer] = {}
        self.credit = Credit()
        self.bills: dict[str, Bill] = {}
        self.orders: dict[str, Order] = {}
        self.resources: dict[str, Resource] = {}
        self.mails: list[Mail] = []
        self.buckets: dict[str, dict[str, Stored]] = {BUCKET: {}}
        self.throttle = Throttle()
        self.requests: list[Recorded] = []
        self._counted = 0

    def reset(self) -> None:
        """Return to the start state, and release the calls that faults delay."""
        with self.lock:
            self.faults.clear()
            self._start()

    def customer(self, customer_id: str) -> Customer:
        """Return the customer with this id. Every id is known."""
        return self.customers.setdefault(customer_id, Customer())

    def record(self, operation: str, method: str, target: str, headers: dict[str, str]) -> Recorded:
        """Add a received request to the list of requests, and return its entry."""
        with self.lock:
            self._counted += 1
            entry = Recorded(self._counted, time.monotonic(), operation, method, target, headers)
            self.requests.append(entry)
            return entry

    def as_dict(self) -> dict[str, Any]:
        """Return the settings, the counts and the customers that have a state."""
        now = self.clock.now()
        return {
            "settings": self.settings.as_dict(),
            "offset_seconds": self.clock.offset_seconds,
            "tokens_issued": len(self.tokens),
            "user_locked": self.logins.locked_until > now,
            "access_keys": self.access_keys.as_dict(now),
            "customers": {
                customer_id: customer.as_dict(now)
                for customer_id, customer in self.customers.items()
            },
        }
