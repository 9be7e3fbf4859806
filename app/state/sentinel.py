"""The sentinel: a value in Redis that tells since when Redis has lost nothing."""

import logging
import math
import time
from typing import Any, cast

import redis

from app.observability.logs import event, logger
from app.state import scripts
from app.state.address import TIMEOUT
from app.state.held import INTERVAL
from app.state.sealing import Sealing

SENTINEL = "kept by this server since"
# Seconds until every replica has told a Redis that lost its values which locks it holds: one that
# just tried a lost Redis in vain (two timeouts) tries again after INTERVAL.
SETTLED = INTERVAL + 4 * TIMEOUT

_log = logger("state")


class Sentinel:
    """Tells for how long Redis has lost no value.

    The sentinel never expires. It holds when it was started, by the clock of Redis, and which
    server it was started on. A new or emptied Redis has none. After a restart or a failover
    another server has it, which may lack the last values of the server before.

    Args:
        client: Redis. Only `SharedState` asks it, at one connection.
        sealing: Protects the sentinel.
        name: The sentinel's name in Redis.
    """

    def __init__(self, client: redis.Redis, sealing: Sealing, name: str) -> None:
        self._redis = client
        self._sealing = sealing
        self._name = name
        self._read = client.register_script(scripts.READ_WITH_SENTINEL)
        self._settled_at = time.monotonic()

    def read(self, name: str) -> tuple[bytes | None, float]:
        """What Redis stores under a name, and for how many seconds it has lost no value.

        A Redis that may have lost values gets a new sentinel, which is 0 seconds old.
        """
        stored, sentinel, seconds, server = self._ask(name)
        began = None if sentinel is None else self._sealing.unseal(SENTINEL, sentinel)
        started, _, on = (began or b"").partition(b" ")
        age = float(seconds) - float(started) if on == server else -math.inf
        if age < -1.0:  # another server, or its clock was put back
            self._begin(seconds, server)
            return stored, 0.0
        if age < SETTLED:
            self._settled_at = time.monotonic() + SETTLED - max(0.0, age)
        return stored, age

    def start(self) -> None:
        """Start a new sentinel: from now on Redis has lost no value."""
        *_, seconds, server = self._ask(self._name)
        self._begin(seconds, server)

    @property
    def settles_in(self) -> float:
        """Seconds until every replica has told Redis which locks it holds; usually 0."""
        return max(0.0, self._settled_at - time.monotonic())

    def _ask(self, name: str) -> tuple[bytes | None, bytes | None, bytes, bytes]:
        """What Redis stores under a name, the sealed sentinel, Redis's time, and its server."""
        stored, sentinel, seconds, server = cast("list[Any]", self._read(keys=[name, self._name]))
        return stored, sentinel, seconds, server

    def _begin(self, seconds: bytes, server: bytes) -> None:
        self._settled_at = time.monotonic() + SETTLED
        self._redis.set(self._name, self._sealing.seal(SENTINEL, seconds + b" " + server))
        text = "Redis is new or may have lost values: a repeat without a record looks first"
        event(_log, logging.WARNING, text)
