"""State in Redis, shared by all replicas; goes on in memory while Redis is lost."""

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
OWN = 3600.0  # seconds for which this process keeps what it put into Redis
RETRY_INTERVAL = 5.0  # seconds until a lost Redis is asked again

# As MemoryState.take, in microseconds of Redis's own clock: answers 0 if a call was taken, else how
# long to wait.
_TAKE = """
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
    """Values in Redis. While Redis is lost, this process keeps its own, and says so.

    Args:
        settings: Where Redis is, and how many processes part a quota among them while it is lost.
    """

    def __init__(self, settings: StateSettings) -> None:
        url, options = address(settings)
        self._redis = redis.Redis.from_url(url, **options)
        self._memory = MemoryState(settings.replicas)
        self._take = self._redis.register_script(_TAKE)
        self._lock = threading.Lock()
        self._lost_until: float | None = None
        metrics.STATE_DEGRADED.set(0)

    @property
    def shared(self) -> bool:
        """Whether Redis answered when it was last asked."""
        return self._lost_until is None

    def get(self, key: str, own: bool = False) -> bytes | None:
        """The value; None if there is none (any more).

        Args:
            key: Its key.
            own: Whether what this process put there counts where the state has forgotten it.
        """
        value = self._ask(
            lambda: cast("bytes | None", self._redis.get(PREFIX + key)),
            lambda: self._memory.get(key),
        )
        return self._memory.get(key) if value is None and own else value

    def put(self, key: str, value: bytes, seconds: float) -> None:
        """Set a value."""
        # Kept here as well: what this process did must not be forgotten when Redis is lost.
        self._memory.put(key, value, min(seconds, OWN))
        self._ask(
            lambda: self._redis.set(PREFIX + key, value, px=_milliseconds(seconds)),
            lambda: None,
        )

    def add(self, key: str, value: bytes, seconds: float) -> bool:
        """Set a value unless there is one; whether it was set."""

        def in_redis() -> bool:
            px = _milliseconds(seconds)
            added = bool(self._redis.set(PREFIX + key, value, px=px, nx=True))
            if added:
                self._memory.put(key, value, min(seconds, OWN))
            return added

        return self._ask(in_redis, lambda: self._memory.add(key, value, seconds))

    def increase(self, key: str, seconds: float) -> int:
        """Add one to a count, which is forgotten that long after its first; the new count."""

        def in_redis() -> int:
            steps = self._redis.pipeline(transaction=True)
            steps.set(PREFIX + key, 0, px=_milliseconds(seconds), nx=True)
            steps.incr(PREFIX + key)
            return int(steps.execute()[1])

        return self._ask(in_redis, lambda: self._memory.increase(key, seconds))

    def take(self, key: str, calls: float, seconds: float) -> float:
        """Take one of the calls allowed in any so many seconds; else seconds until there is one."""

        def in_redis() -> float:
            distance = int(seconds / calls * 1_000_000)
            waits = self._take(
                keys=[PREFIX + key], args=[distance, int(CATCH_UP * seconds * 1_000_000)]
            )
            return int(cast(int, waits)) / 1_000_000

        return self._ask(in_redis, lambda: self._memory.take(key, calls, seconds))

    def delete(self, key: str) -> None:
        """Forget a value."""
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
        """Remember whether Redis answers, and say so when that changes."""
        with self._lock:
            changed = (self._lost_until is None) == (lost is not None)
            self._lost_until = time.monotonic() + RETRY_INTERVAL if lost else None
        if not changed:
            return
        metrics.STATE_DEGRADED.set(1 if lost else 0)
        if lost:
            text = "The shared state is lost: this replica goes on by itself"
            event(_log, logging.ERROR, text, reason=lost)
        else:
            event(_log, logging.WARNING, "The shared state is back")


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
