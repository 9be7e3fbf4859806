"""Limits the requests of each caller: their rate, and how many are in progress at once."""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

import limits
from flask import Response, after_this_request, g
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from app.errors import ErrorCode, GatewayError
from app.settings import CallerSettings
from app.state import PREFIX, Sealing, SharedState, State

AHEAD = 60.0  # seconds by which a count may come from the future: the clocks of replicas differ


class Rates:
    """The rates of the callers: counted in Redis for all replicas, in memory while Redis is lost.

    Args:
        callers: The callers by name; a caller without a rate is not limited.
        state: Its Redis, if it has one, counts for all replicas.
        sealing: Makes the fingerprints that name the callers in Redis.
    """

    def __init__(
        self, callers: Mapping[str, CallerSettings], state: State, sealing: Sealing
    ) -> None:
        self._rates = {
            name: limits.parse(caller.rate.replace("/", " per "))
            for name, caller in callers.items()
            if caller.rate
        }
        self._names = {name: sealing.fingerprint("rate", name) for name in self._rates}
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._client = state.client if isinstance(state, SharedState) else None
        self._shared = self._own
        if self._client:
            pool = self._client.redis.connection_pool
            storage = RedisStorage("redis://", pool, key_prefix=f"{PREFIX}rate")
            self._shared = MovingWindowRateLimiter(storage)

    def consume(self, caller: str) -> tuple[float | None, dict[str, str]]:
        """Count a request.

        Returns:
            The seconds to wait, or None if the request is granted; and the `RateLimit` headers.
        """
        rate = self._rates.get(caller)
        if rate is None:
            return None, {}
        granted, remaining, reset = self._ask(rate, caller)
        wait = max(1, math.ceil(reset - time.time()))
        headers = {
            "RateLimit-Policy": f'"caller";q={rate.amount};w={rate.get_expiry()}',
            "RateLimit": f'"caller";r={remaining};t={wait}',
        }
        return None if granted else wait, headers

    def _ask(self, rate: limits.RateLimitItem, caller: str) -> tuple[bool, int, float]:
        name = self._names[caller]
        if self._client is None:
            return _hit(self._own, rate, name)
        return self._client.ask(
            lambda: _hit(self._shared, rate, name), lambda: _hit(self._own, rate, name)
        )


def _hit(
    limiter: MovingWindowRateLimiter, rate: limits.RateLimitItem, name: str
) -> tuple[bool, int, float]:
    granted = limiter.hit(rate, name)
    stats = limiter.get_window_stats(rate, name)
    if stats.reset_time - time.time() > rate.get_expiry() + AHEAD:
        # The clock was put back: what was counted before would count for too long.
        limiter.clear(rate, name)
        granted = limiter.hit(rate, name)
        stats = limiter.get_window_stats(rate, name)
    return granted, stats.remaining, stats.reset_time


def count(rates: Rates) -> Callable[[], None]:
    """The hook that counts the request of an identified caller and adds the `RateLimit` headers.

    The hook raises GatewayError RATE_LIMITED if the rate is used up.
    """

    def count_request() -> None:
        if "caller" not in g:
            return
        wait, headers = rates.consume(g.caller)

        def add_headers(response: Response) -> Response:
            response.headers.update(headers)
            return response

        if headers:
            after_this_request(add_headers)
        if wait is not None:
            raise GatewayError(ErrorCode.RATE_LIMITED, retry_after=wait)

    return count_request


class Waiting:
    """Counts the requests of each caller in progress in this process."""

    def __init__(self) -> None:
        self._requests: Counter[str] = Counter()
        self._lock = threading.Lock()

    def begin(self, caller: str, most: int) -> bool:
        """Count a request of the caller. Returns False, and does not, if `most` are in progress."""
        with self._lock:
            if self._requests[caller] >= most:
                return False
            self._requests[caller] += 1
            return True

    def end(self, caller: str) -> None:
        """Forget a request that was counted."""
        with self._lock:
            self._requests[caller] -= 1


def bound(waiting: Waiting) -> Callable[[], None]:
    """The hook that counts a known caller's request.

    It raises GatewayError OVERLOADED if too many requests of the caller are in progress.
    """

    def begin() -> None:
        if "caller" not in g:
            return
        if not waiting.begin(g.caller, g.rights.max_waiting):
            raise GatewayError(
                ErrorCode.OVERLOADED, "Too many of your requests are in progress.", retry_after=1.0
            )
        g.waits = True

    return begin


def release(waiting: Waiting) -> Callable[[BaseException | None], None]:
    """The hook that forgets the request at its end."""

    def end(_: BaseException | None) -> None:
        if g.pop("waits", False):
            waiting.end(g.caller)

    return end
