"""The state in Redis, shared by all replicas. While Redis is lost, each process uses its memory.

Every name in Redis is a keyed fingerprint, and every value but a count and a slot is encrypted and
bound to its name. A value that cannot be read counts as absent.
"""

import logging
import time
from collections.abc import Callable
from typing import cast

from app.observability.logs import event, logger
from app.state import scripts
from app.state.client import PREFIX, Client
from app.state.memory import MICROSECONDS, MemoryState
from app.state.sealing import Sealing
from app.state.shared_stream import SharedStream
from app.state.shared_table import SharedTable
from app.state.state import Recalled, Slot

OWN = 3600.0  # seconds, how long this process keeps a copy of a value that it put into Redis
SENTINEL = "kept since"  # its value says since when Redis has lost no value

_log = logger("state")


class SharedState:
    """Values in Redis. While Redis is lost, this process uses its own copies.

    Args:
        client: Asks Redis.
        sealing: Protects names and values.
        replicas: The number of replicas that divide a quota while Redis is lost.
        now: The wall clock, in seconds.
    """

    def __init__(
        self,
        client: Client,
        sealing: Sealing,
        replicas: int = 1,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.client = client
        self._redis = client.redis
        self._sealing = sealing
        self._now = now
        self._memory = MemoryState(replicas)
        self._reserve = self._redis.register_script(scripts.RESERVE)
        self._remove = self._redis.register_script(scripts.REMOVE)
        self._prolong = self._redis.register_script(scripts.PROLONG)
        self._replicas = replicas
        self._last: dict[str, int] = {}  # when this process's last slot of a key was due
        self._alone: set[str] = set()  # the keys whose last slot this process had without Redis
        self._missed = False  # whether Redis missed a value that this process has put
        self._inspected = False
        client.returned = self._returned

    @property
    def shared(self) -> bool:
        """Whether Redis answered the last command."""
        return self.client.available

    def inspect(self) -> None:
        """Log a warning if Redis evicts values, or if a restart of Redis loses them."""
        self.client.ask(self._inspect, lambda: None)

    def _inspect(self) -> None:
        found = self._redis.info("memory", "persistence")
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
        sentinel in Redis tells since when. A value that cannot be read is not certain.

        Args:
            key: The key.
            seconds: How long values of this kind are kept.
        """

        def in_redis() -> Recalled:
            names = [self._name(key), self._name(SENTINEL)]
            sealed, sentinel = cast("list[bytes | None]", self._redis.mget(names))
            value = self._unsealed(key, sealed)
            lost = sealed is not None and value is None
            return Recalled(value, certain=self._age(sentinel) >= seconds and not lost)

        found = self.client.ask(in_redis, lambda: Recalled(None, certain=False))
        return found if found.value is not None else Recalled(self._memory.get(key), found.certain)

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

    def remove(self, key: str, value: bytes) -> None:
        """Delete a key if it still has this value: a lock is released by its owner only."""
        self._memory.remove(key, value)

        def in_redis() -> None:
            sealed = cast("bytes | None", self._redis.get(self._name(key)))
            if sealed is not None and self._sealing.unseal(key, sealed) == value:
                self._remove(keys=[self._name(key)], args=[sealed])

        self.client.ask(in_redis, lambda: None)

    def increase(self, key: str, seconds: float) -> int:
        """Add 1 to a count and return it. It expires so many seconds after its first increase."""

        def in_redis() -> int:
            steps = self._redis.pipeline(transaction=True)
            steps.set(self._name(key), 0, px=_milliseconds(seconds), nx=True)
            steps.incr(self._name(key))
            return int(steps.execute()[1])

        return self.client.ask(in_redis, lambda: self._memory.increase(key, seconds))

    def reserve(self, key: str, calls: float, seconds: float, late: Slot | None = None) -> Slot:
        """Reserve the next free slot for one call, at a rate of `calls` per `seconds`.

        A process that loses Redis, or gets it back, goes on after its last slot. `late` is the slot
        that was reserved before and missed: it moves to the present if nobody has a later slot.
        """

        def in_redis() -> Slot:
            distance = int(seconds / calls * MICROSECONDS)
            soonest = int(self._memory.free_in(key) * MICROSECONDS) if key in self._alone else 0
            known = [late.due if late else 0, self._last.get(key, 0), self._replicas, soonest]
            answer = self._reserve(keys=[self._name(key)], args=[distance, *known])
            wait, due = map(int, cast("list[bytes]", answer))
            self._last[key] = due
            self._alone.discard(key)
            self._memory.follow(key, wait / MICROSECONDS, calls, seconds)
            return Slot(wait / MICROSECONDS, due)

        def in_memory() -> Slot:
            self._alone.add(key)
            return self._memory.reserve(key, calls, seconds, late)

        return self.client.ask(in_redis, in_memory)

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

    def _miss(self) -> None:
        self._missed = True

    def _returned(self) -> None:
        """Start the sentinel again if Redis missed a value of this process while it was lost."""
        if self._missed:
            self._start_sentinel()
            self._missed = False
        if not self._inspected:
            self._inspect()

    def _age(self, sentinel: bytes | None) -> float:
        """Seconds for which Redis has lost no value. A new or emptied Redis has no sentinel."""
        started = self._unsealed(SENTINEL, sentinel)
        if started is None:
            self._start_sentinel()
            return 0.0
        return self._now() - float(started)

    def _start_sentinel(self) -> None:
        text = "Redis is new or has lost values: a repeat without a record looks first"
        event(_log, logging.WARNING, text)
        now = str(self._now()).encode()
        self._redis.set(self._name(SENTINEL), self._sealing.seal(SENTINEL, now))


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
