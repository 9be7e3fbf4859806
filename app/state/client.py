"""The client of Redis: its connections, and whether Redis is lost."""

import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.observability import metrics
from app.observability.logs import event, logger
from app.settings import StateSettings
from app.state.address import TIMEOUT, address

T = TypeVar("T")

PREFIX = "gateway:"
CONNECTIONS = 50  # of one process; further requests wait for one of them
RETRY_INTERVAL = 5.0  # seconds until a lost Redis is tried again
# Seconds after which every connection is replaced: the address may lead to another server by now,
# while the old one still answers.
RENEWAL = 10.0

# A broken connection, and each error of the server (READONLY, LOADING, MASTERDOWN, NOAUTH,
# WRONGTYPE, ...), can come from a server that is not the master any more. The connection is
# made anew and the command repeated once. A timeout is not repeated: it has cost a second.
_DOUBTFUL = (redis.ConnectionError, redis.ResponseError)

_log = logger("state")


class _Pool(redis.ConnectionPool):
    """A pool that may be replaced by another one; then it keeps no connection open."""

    retired = False

    def release(self, connection: Any) -> None:
        """Take a connection back, and close it if the pool was replaced."""
        if self.retired:
            connection.disconnect()
        super().release(connection)


class Client:
    """Asks Redis, or the memory of this process while Redis is lost.

    Loss and return of Redis are logged, and shown by the metric `gateway_state_degraded`.

    Args:
        settings: The address of Redis.
        monotonic: The clock of intervals, in seconds.
        resolve: Looks up the host, with the parameters of `socket.getaddrinfo`.
    """

    def __init__(
        self,
        settings: StateSettings,
        monotonic: Callable[[], float] = time.monotonic,
        resolve: Callable[..., Any] = socket.getaddrinfo,
    ) -> None:
        self._settings = settings
        self._connections = self._pool()
        self.redis = redis.Redis(connection_pool=self._connections)
        # The gate admits as many requests as the pool has connections, so that a full pool is
        # never an error; it would look like a lost Redis.
        self._gate = threading.BoundedSemaphore(CONNECTIONS)
        self._lock = threading.Lock()
        # Called before the first command after a loss; it may ask Redis, by one connection.
        self.returned: Callable[[], None] = lambda: None
        self._lost_until: float | None = None
        self._monotonic = monotonic
        self._renewal = monotonic() + RENEWAL
        self._resolve = resolve
        self._looking: threading.Thread | None = None
        self._found = True
        metrics.STATE_DEGRADED.set(0)

    @property
    def available(self) -> bool:
        """Whether Redis answered the last command."""
        return self._lost_until is None

    def ask(self, in_redis: Callable[[], T], in_memory: Callable[[], T], eager: bool = False) -> T:
        """The answer of Redis, or of this process's memory while Redis is lost.

        Args:
            in_redis: Asks Redis, by at most one connection at a time.
            in_memory: Asks the memory.
            eager: Whether to try a lost Redis at once: for a thread that no request waits for.
        """
        if self._is_lost() and not eager:
            return in_memory()
        with self._gate:
            trial = self._begin(eager)
            if trial is None:
                return in_memory()
            try:
                if trial:
                    self.returned()
                answer = in_redis()
                if trial:
                    self._note(lost=None)
            except redis.RedisError as error:
                self._renew()
                self._note(lost=type(error).__name__)
            else:
                return answer
        return in_memory()

    def _is_lost(self) -> bool:
        lost_until = self._lost_until
        return lost_until is not None and self._monotonic() < lost_until

    def _begin(self, eager: bool) -> bool | None:
        """Whether the command is the trial of a lost Redis; None if it must not be sent.

        Requests that waited at the gate leave it at once if Redis was lost meanwhile, and one
        request at a time tries a lost Redis.
        """
        with self._lock:
            now = self._monotonic()
            if self._is_lost() and not eager:
                return None
            trial = self._lost_until is not None
            if trial:
                self._lost_until = now + RETRY_INTERVAL
            renew = now >= self._renewal
            if renew:
                self._renewal = now + RENEWAL
            if renew or trial:
                looking = self._look_up()
        if not trial:
            return False
        looking.join(TIMEOUT)  # no request waits longer for a look-up
        return True if self._found else None

    def _look_up(self) -> threading.Thread:
        """The thread that looks the host up and then renews the connections."""
        looking = self._looking
        if looking is None or not looking.is_alive():
            self._found = False
            looking = threading.Thread(target=self._renew_if_found, name="state", daemon=True)
            looking.start()
            self._looking = looking
        return looking

    def _renew_if_found(self) -> None:
        parts = urlsplit(self._settings.url)
        with suppress(OSError):
            self._resolve(parts.hostname, parts.port, type=socket.SOCK_STREAM)
            self._renew()
            self._found = True

    def _pool(self) -> _Pool:
        url, options = address(self._settings)
        retry = Retry(NoBackoff(), 1, _DOUBTFUL)
        pool: _Pool = _Pool.from_url(url, max_connections=CONNECTIONS, retry=retry, **options)
        return pool

    def _renew(self) -> None:
        """Replace the pool: idle connections close now, those in use after their command."""
        with self._lock:
            before, self._connections = self._connections, self._pool()
            self.redis.connection_pool = self._connections
        before.retired = True
        before.disconnect(inuse_connections=False)

    def _note(self, lost: str | None) -> None:
        """Remember whether Redis answers; log a change."""
        with self._lock:
            changed = (self._lost_until is None) == (lost is not None)
            self._lost_until = self._monotonic() + RETRY_INTERVAL if lost else None
        if not changed:
            return
        metrics.STATE_DEGRADED.set(1 if lost else 0)
        if lost:
            text = "The shared state is lost; this replica uses its own memory"
            event(_log, logging.ERROR, text, reason=lost)
        else:
            event(_log, logging.WARNING, "The shared state is available again")
