"""The state in Redis, shared by all replicas. While Redis is lost, each process uses its memory."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar, cast

import redis

from app.observability import metrics
from app.observability.logs import event, logger
from app.settings import StateSettings
from app.state.address import address
from app.state.memory import CATCH_UP, MemoryState

T = TypeVar("T")

PREFIX = "gateway:"
OWN = 3600.0  # seconds, how long this process keeps a copy of a value that it put into Redis
RETRY_INTERVAL = 5.0  # seconds until a lost Redis is tried again

# The algorithm of MemoryState.reserve, in microseconds of Redis's own clock. Answers 0 if a slot
# was reserved, otherwise the time to wait.
_RESERVE = """
local distance, catch_up = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local due = tonumber(redis.call('GET', KEYS[1]) or now)
local pause = due - catch_up - now
if pause > 0 then return math.ceil(pause) end
redis.call('SET', KEYS[1], string.format('%.0f', math.max(now, due) + distance),
           'PX', math.ceil(distance / 1000) + 60000)
return 0
"""

_log = logger("state")


class SharedState:
    """Values in Redis. While Redis is lost, this process uses its own copies.

    Loss and return of Redis are logged, and shown by the metric `gateway_state_degraded`.

    Args:
        settings: The address of Redis, and the number of replicas that divide a quota while Redis
            is lost.
    """

    def __init__(self, settings: StateSettings) -> None:
        url, options = address(settings)
        self._redis = redis.Redis.from_url(url, **options)
        self._memory = MemoryState(settings.replicas)
        self._reserve = self._redis.register_script(_RESERVE)
        self._lock = threading.Lock()
        self._lost_until: float | None = None
        metrics.STATE_DEGRADED.set(0)

    @property
    def shared(self) -> bool:
        """Whether Redis answered the last command."""
        return self._lost_until is None

    def get(self, key: str, own: bool = False) -> bytes | None:
        """The value of a key; None if there is none or it has expired.

        Args:
            key: The key.
            own: Whether to fall back to this process's own copy if Redis has no value.
        """
        value = self._ask(
            lambda: cast("bytes | None", self._redis.get(PREFIX + key)),
            lambda: self._memory.get(key),
        )
        return self._memory.get(key) if value is None and own else value

    def put(self, key: str, value: bytes, seconds: float) -> None:
        """Set the value of a key; it expires after so many seconds."""
        # Keep a copy: this process must not forget its own records when Redis is lost.
        self._memory.put(key, value, min(seconds, OWN))
        self._ask(
            lambda: self._redis.set(PREFIX + key, value, px=_milliseconds(seconds)),
            lambda: None,
        )

    def add(self, key: str, value: bytes, seconds: float) -> bool:
        """Set the value of a key that has none. Returns True if the value was set."""

        def in_redis() -> bool:
            px = _milliseconds(seconds)
            added = bool(self._redis.set(PREFIX + key, value, px=px, nx=True))
            if added:
                self._memory.put(key, value, min(seconds, OWN))
            return added

        return self._ask(in_redis, lambda: self._memory.add(key, value, seconds))

    def increase(self, key: str, seconds: float) -> int:
        """Add 1 to a count and return it. It expires so many seconds after its first increase."""

        def in_redis() -> int:
            steps = self._redis.pipeline(transaction=True)
            steps.set(PREFIX + key, 0, px=_milliseconds(seconds), nx=True)
            steps.incr(PREFIX + key)
            return int(steps.execute()[1])

        return self._ask(in_redis, lambda: self._memory.increase(key, seconds))

    def reserve(self, key: str, calls: float, seconds: float) -> float:
        """Reserve a slot for one call, at a rate of `calls` per `seconds`.

        Returns:
            0 if a slot was reserved; otherwise the seconds until the next attempt makes sense.
        """

        def in_redis() -> float:
            distance = int(seconds / calls * 1_000_000)
            pause = self._reserve(
                keys=[PREFIX + key], args=[distance, int(CATCH_UP * seconds * 1_000_000)]
            )
            return int(cast(int, pause)) / 1_000_000

        return self._ask(in_redis, lambda: self._memory.reserve(key, calls, seconds))

    def delete(self, key: str) -> None:
        """Delete the value of a key."""
        self._memory.delete(key)
        self._ask(lambda: self._redis.delete(PREFIX + key), lambda: None)

    def _ask(self, in_redis: Callable[[], T], in_memory: Callable[[], object]) -> T:
        lost_until = self._lost_until
        if lost_until is None or time.monotonic() >= lost_until:
            try:
                answer = in_redis()
            except redis.RedisError as error:
                self._note(lost=type(error).__name__)
            else:
                if lost_until is not None:
                    self._note(lost=None)
                return answer
        return cast(T, in_memory())

    def _note(self, lost: str | None) -> None:
        """Remember whether Redis answers; log a change."""
        with self._lock:
            changed = (self._lost_until is None) == (lost is not None)
            self._lost_until = time.monotonic() + RETRY_INTERVAL if lost else None
        if not changed:
            return
        metrics.STATE_DEGRADED.set(1 if lost else 0)
        if lost:
            text = "The shared state is lost; this replica uses its own memory"
            event(_log, logging.ERROR, text, reason=lost)
        else:
            event(_log, logging.WARNING, "The shared state is available again")


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
