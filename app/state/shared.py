"""State in Redis, shared by all replicas; goes on in memory while Redis is lost."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar, cast

import redis

from app.observability import metrics
from app.observability.logs import event, logger
from app.state.memory import MemoryState

T = TypeVar("T")

PREFIX = "gateway:"
TIMEOUT = 1.0  # seconds for a connection and for an answer
RETRY_INTERVAL = 5.0  # seconds until a lost Redis is asked again

_log = logger("state")


class SharedState:
    """Values in Redis. While Redis is lost, this process keeps its own, and says so.

    Args:
        url: Redis's URL, `redis://` or `rediss://`.
    """

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT
        )
        self._memory = MemoryState()
        self._lock = threading.Lock()
        self._lost_until: float | None = None
        metrics.STATE_DEGRADED.set(0)

    @property
    def shared(self) -> bool:
        """Whether Redis answered when it was last asked."""
        return self._lost_until is None

    def get(self, key: str) -> bytes | None:
        """The value; None if there is none (any more)."""
        return self._ask(
            lambda: cast("bytes | None", self._redis.get(PREFIX + key)),
            lambda: self._memory.get(key),
        )

    def put(self, key: str, value: bytes, seconds: float) -> None:
        """Set a value."""
        self._ask(
            lambda: self._redis.set(PREFIX + key, value, px=_milliseconds(seconds)),
            lambda: self._memory.put(key, value, seconds),
        )

    def add(self, key: str, value: bytes, seconds: float) -> bool:
        """Set a value unless there is one; whether it was set."""
        return self._ask(
            lambda: bool(self._redis.set(PREFIX + key, value, px=_milliseconds(seconds), nx=True)),
            lambda: self._memory.add(key, value, seconds),
        )

    def increase(self, key: str, seconds: float) -> int:
        """Add one to a count, which is forgotten that long after its first; the new count."""

        def in_redis() -> int:
            steps = self._redis.pipeline(transaction=True)
            steps.set(PREFIX + key, 0, px=_milliseconds(seconds), nx=True)
            steps.incr(PREFIX + key)
            return int(steps.execute()[1])

        return self._ask(in_redis, lambda: self._memory.increase(key, seconds))

    def delete(self, key: str) -> None:
        """Forget a value."""
        self._ask(
            lambda: self._redis.delete(PREFIX + key),
            lambda: self._memory.delete(key),
        )

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
