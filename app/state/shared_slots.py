"""The slots of a quota that the replicas share by Redis."""

from collections.abc import Callable
from typing import cast

from app.state import scripts
from app.state.client import Client
from app.state.memory import MICROSECONDS, MemoryState
from app.state.state import Slot


class SharedSlots:
    """Slots in Redis. While Redis is lost, this process uses its part of the quota.

    Args:
        client: Asks Redis.
        memory: The slots of this process while Redis is lost.
        name: Returns the name of a key in Redis.
        replicas: The number of replicas that divide a quota while Redis is lost.
    """

    def __init__(
        self, client: Client, memory: MemoryState, name: Callable[[str], str], replicas: int
    ) -> None:
        self._client = client
        self._memory = memory
        self._name = name
        self._replicas = replicas
        self._reserve = client.redis.register_script(scripts.RESERVE)
        self._last: dict[str, int] = {}  # when this process's last slot of a key was due
        self._alone: set[str] = set()  # the keys whose last slot this process had without Redis

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

        return self._client.ask(in_redis, in_memory)
