"""The state in Redis, shared by all replicas. While Redis is lost, each process uses its memory.

Every name in Redis is a keyed fingerprint, and every value but a count and a slot is encrypted and
bound to its name. A value that cannot be read counts as absent.
"""

import logging
from collections.abc import Mapping
from typing import cast

import redis

from app.observability.logs import event, logger
from app.state import scripts
from app.state.client import PREFIX, Client
from app.state.held import HeldLocks
from app.state.memory import MemoryState
from app.state.sealing import Sealing
from app.state.sentinel import SENTINEL, Sentinel
from app.state.shared_slots import SharedSlots
from app.state.shared_stream import SharedStream
from app.state.shared_table import SharedTable
from app.state.state import Recalled

OWN = 3600.0  # seconds, how long this process keeps a copy of a value that it put into Redis

_log = logger("state")


class SharedState:
    """Values in Redis. While Redis is lost, this process uses its own copies.

    Args:
        client: Asks Redis.
        sealing: Protects names and values.
        replicas: The number of replicas that divide a quota while Redis is lost.
    """

    def __init__(self, client: Client, sealing: Sealing, replicas: int = 1) -> None:
        self.client = client
        self._redis = client.redis
        self._sealing = sealing
        self._sentinel = Sentinel(self._redis, sealing, self._name(SENTINEL))
        self._locks = HeldLocks(self._tell, self._deleted)
        self._memory = MemoryState(replicas)
        self._remove = self._redis.register_script(scripts.REMOVE)
        self._prolong = self._redis.register_script(scripts.PROLONG)
        self.reserve = SharedSlots(client, self._memory, self._name, replicas).reserve
        self._missed = False  # whether Redis missed a value that this process has put
        self._inspected = False
        client.returned = self._returned

    @property
    def shared(self) -> bool:
        """Whether Redis answered the last command."""
        return self.client.available

    def inspect(self) -> None:
        """Log a warning if Redis evicts values, loses them in a restart, or may have lost some."""
        self.client.ask(self._inspect, lambda: None)

    def _inspect(self) -> None:
        # Redis 6.2 answers one section at a time.
        found = {**self._redis.info("memory"), **self._redis.info("persistence")}
        self._sentinel.read(self._name(SENTINEL))  # it ages before the first write
        self._inspected = True
        if found.get("maxmemory_policy", "noeviction") != "noeviction":
            text = "Redis may evict values: set its maxmemory-policy to noeviction"
            event(_log, logging.WARNING, text)
        if found.get("aof_enabled") == 0:
            text = "Redis loses values when it restarts: set its appendonly to yes"
            event(_log, logging.WARNING, text)

    def get(self, key: str) -> bytes | None:
        """The value of a key; None if there is none, it has expired, or it cannot be trusted."""
        return self.client.ask(
            lambda: self._unsealed(key, cast("bytes | None", self._redis.get(self._name(key)))),
            lambda: self._memory.get(key),
        )

    def recall(self, key: str, seconds: float) -> Recalled:
        """The value of a key, or this process's own copy of it.

        A missing value is certain if Redis answers and has lost no value for so many seconds. A
        value that cannot be read is not certain. While Redis is lost, or has lost the value, the
        own copy can be older than what another replica has put.

        Args:
            key: The key.
            seconds: How long values of this kind are kept.
        """

        def in_redis() -> Recalled:
            sealed, age = self._sentinel.read(self._name(key))
            value = self._unsealed(key, sealed)
            lost = sealed is not None and value is None
            return Recalled(value, certain=age >= seconds and not lost)

        found = self.client.ask(in_redis, lambda: Recalled(None, certain=False))
        if found.value is not None:
            return found
        own = self._memory.get(key)
        return Recalled(own, found.certain, own=own is not None)

    @property
    def settles_in(self) -> float:
        """Seconds until every replica has told a new or changed Redis which locks it holds."""
        return self._sentinel.settles_in if self.shared else 0.0

    def left(self, key: str) -> float:
        """Seconds until the value of a key expires, by the clock of Redis; 0 if there is none."""
        return self.client.ask(
            lambda: max(0, self._redis.pttl(self._name(key))) / 1000,
            lambda: self._memory.left(key),
        )

    def put(self, key: str, value: bytes, seconds: float) -> None:
        """Set the value of a key; it expires after so many seconds."""
        # Keep a copy: this process must not forget its own records when Redis is lost.
        self._memory.put(key, value, min(seconds, OWN))

        def in_redis() -> None:
            sealed = self._sealing.seal(key, value)
            self._redis.set(self._name(key), sealed, px=_milliseconds(seconds))

        self.client.ask(in_redis, self._miss)

    def add(self, key: str, value: bytes, seconds: float) -> bool:
        """Set the value of a key that has none. Returns True if the value was set."""

        def in_redis() -> bool:
            name, sealed = self._name(key), self._sealing.seal(key, value)
            added = bool(self._redis.set(name, sealed, px=_milliseconds(seconds), nx=True))
            # The client repeats a command whose answer was lost: then the value is there.
            added = added or self._redis.get(name) == sealed
            if added:
                self._memory.put(key, value, min(seconds, OWN))
            return added

        return self.client.ask(in_redis, lambda: self._memory.add(key, value, seconds))

    def acquire(self, key: str, value: bytes, seconds: float) -> bool:
        """Set a lock that nobody holds, until `remove`. Returns True if it was set.

        Redis is told of it again if it loses it. If Redis is lost, the lock is this process's own.
        """
        acquired = self.add(key, value, seconds)
        if acquired:
            self._locks.hold(key, value, seconds)
        return acquired

    def remove(self, key: str, value: bytes) -> None:
        """Delete a key if it still has this value: a lock is released by its owner only."""
        self._memory.remove(key, value)
        self._locks.release(key, value)

    def _tell(self, locks: Mapping[str, tuple[bytes, float]]) -> None:
        def in_redis() -> None:
            steps = self._redis.pipeline(transaction=False)
            for key, (value, seconds) in locks.items():
                sealed = self._sealing.seal(key, value)
                steps.set(self._name(key), sealed, px=_milliseconds(seconds), nx=True)
            steps.execute()

        self.client.ask(in_redis, lambda: None, eager=True)

    def increase(self, key: str, seconds: float) -> int:
        """Add 1 to a count and return it. It expires so many seconds after its first increase."""

        def in_redis() -> int:
            steps = self._redis.pipeline(transaction=True)
            steps.set(self._name(key), 0, px=_milliseconds(seconds), nx=True)
            steps.incr(self._name(key))
            return int(steps.execute()[1])

        return self.client.ask(in_redis, lambda: self._memory.increase(key, seconds))

    def delete(self, key: str) -> None:
        """Delete the value of a key."""
        self._memory.delete(key)
        self.client.ask(lambda: self._redis.delete(self._name(key)), lambda: None)

    def stream(self, name: str, most: int, seconds: float) -> SharedStream:
        """A stream in Redis that keeps so many values, each for so many seconds."""
        return SharedStream(self.client, self._sealing, name, most, seconds)

    def hold(self, key: str, owner: bytes, seconds: float) -> bool:
        """Hold a lease, or go on holding it. Returns False if another holds it, or Redis is lost.

        This process keeps no copy of a lease.
        """

        def in_redis() -> bool:
            name, lasts = self._name(key), _milliseconds(seconds)
            sealed = cast("bytes | None", self._redis.get(name))
            if sealed is None:
                return bool(
                    self._redis.set(name, self._sealing.seal(key, owner), px=lasts, nx=True)
                )
            own = self._unsealed(key, sealed) == owner
            return own and bool(self._prolong([name], [sealed, lasts]))

        return self.client.ask(in_redis, lambda: False)

    def table(self, name: str, seconds: float) -> SharedTable:
        """A table in Redis, which is deleted so long after its last change."""
        return SharedTable(self.client, self._sealing, name, seconds)

    def _name(self, key: str) -> str:
        return PREFIX + self._sealing.fingerprint("name", key)

    def _unsealed(self, key: str, sealed: bytes | None) -> bytes | None:
        return None if sealed is None else self._sealing.unseal(key, sealed)

    def _deleted(self, key: str, value: bytes) -> bool:
        """Delete a value in Redis if it is still this one. Returns False if Redis is lost."""

        def in_redis() -> bool:
            sealed = cast("bytes | None", self._redis.get(self._name(key)))
            if sealed is not None and self._sealing.unseal(key, sealed) == value:
                self._remove(keys=[self._name(key)], args=[sealed])
            return True

        return self.client.ask(in_redis, lambda: False)

    def _miss(self) -> None:
        self._missed = True

    def _returned(self) -> None:
        """Tell Redis what it missed while it was lost."""
        if self._missed:
            self._missed = False
            try:
                self._sentinel.start()
            except redis.RedisError:
                self._missed = True
                raise
        if not self._inspected:
            self._inspect()


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
