"""A table in Redis, which all replicas read and write.

It is a hash. The name of each field is a keyed fingerprint, and each row is encrypted and bound to
its field. A row that cannot be read counts as absent.
"""

import threading
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, cast

from app.state.client import PREFIX, Client
from app.state.sealing import Sealing

# The field that every change sets anew, so that a replica reads the rows again only after a change.
VERSION = b"version"
# The field that is set once, when the table begins. Another one tells that Redis was emptied.
BEGUN = b"begun"

_ADD = """
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then
  return redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] and 1 or 0  -- the client repeats
end
redis.call('HSETNX', KEYS[1], 'begun', ARGV[3])
redis.call('HSET', KEYS[1], 'version', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""
_REPLACE = """
local row = redis.call('HGET', KEYS[1], ARGV[1])
if row == ARGV[3] then return 1 end  -- the client repeats
if row ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3], 'version', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
"""
_REMOVE = """
local row = redis.call('HGET', KEYS[1], ARGV[1])
if not row or (ARGV[3] ~= '' and ARGV[3] ~= row) then return end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], 'version', ARGV[2])
"""


class SharedTable:
    """Rows in a hash of Redis.

    While Redis is lost, this process reads the rows that it listed last, and keeps the rows that
    it puts; it puts them into Redis when Redis is back. A row that it removes stays in Redis.
    After Redis was emptied, it puts the rows that it listed last, unless there are newer ones.

    Args:
        client: Asks Redis.
        sealing: Protects names and rows.
        name: The name of the table.
        seconds: The table is deleted so long after its last change.
    """

    def __init__(self, client: Client, sealing: Sealing, name: str, seconds: float) -> None:
        self._client = client
        self._redis = client.redis
        self._sealing = sealing
        self._table = name
        self._key = PREFIX + sealing.fingerprint("table", name)
        self._kept = int(seconds * 1000)
        self._add = self._redis.register_script(_ADD)
        self._replace = self._redis.register_script(_REPLACE)
        self._remove = self._redis.register_script(_REMOVE)
        self._lock = threading.Lock()
        self._version: bytes | None = None
        self._begun: bytes | None = None
        self._listed: dict[bytes, tuple[bytes, bytes]] = {}  # by field: its signature, and the row
        self._missed: dict[str, bytes] = {}  # rows that Redis has not got yet

    def put(self, rows: Mapping[str, bytes]) -> None:
        """Set rows; the others stay."""
        if rows:
            self._client.ask(lambda: self._put(rows), lambda: self._missed.update(rows))

    def add(self, name: str, row: bytes) -> bool:
        """Set the row of a name that has none. Returns True if it was set."""

        def in_redis() -> bool:
            self._catch_up()
            sealed = self._sealed(name, row)
            return bool(self._add([self._key], [self._field(name), sealed, _new(), self._kept]))

        def in_memory() -> bool:
            if self._field(name).encode() in self._listed:
                return False
            return self._missed.setdefault(name, row) is row

        return self._client.ask(in_redis, in_memory)

    def replace(self, name: str, row: bytes, new: bytes) -> bool:
        """Replace a row by a new one if it is still this one. Returns True if it was replaced."""
        field = self._field(name)

        def in_redis() -> bool:
            self._catch_up()
            sealed = cast("bytes | None", self._redis.hget(self._key, field))
            if sealed is None or self._unsealed(field, sealed) != row:
                return False
            sealed_new = self._sealed(name, new)
            return bool(self._replace([self._key], [field, sealed, sealed_new, _new(), self._kept]))

        def in_memory() -> bool:
            if self._missed.get(name) != row:
                return False
            self._missed[name] = new
            return True

        return self._client.ask(in_redis, in_memory)

    def get(self, name: str) -> bytes | None:
        """The row of a name; None if there is none."""
        field = self._field(name)

        def in_redis() -> bytes | None:
            self._catch_up()
            sealed = cast("bytes | None", self._redis.hget(self._key, field))
            return None if sealed is None else self._unsealed(field, sealed)

        def in_memory() -> bytes | None:
            listed = self._listed.get(field.encode())
            return self._missed.get(name, listed[1] if listed else None)

        return self._client.ask(in_redis, in_memory)

    def remove(self, name: str, row: bytes) -> None:
        """Delete a row if it is still this one."""
        field = self._field(name)

        def in_redis() -> None:
            self._catch_up()
            sealed = cast("bytes | None", self._redis.hget(self._key, field))
            if sealed is not None and self._unsealed(field, sealed) == row:
                self._remove([self._key], [field, _new(), sealed])

        def in_memory() -> None:
            if self._missed.get(name) == row:
                del self._missed[name]

        self._client.ask(in_redis, in_memory)

    def discard(self, name: str) -> None:
        """Delete the row of a name, if there is one."""

        def in_redis() -> None:
            self._remove([self._key], [self._field(name), _new(), ""])

        self._missed.pop(name, None)
        self._client.ask(in_redis, lambda: None)

    def rows(self) -> Sequence[bytes]:
        """All rows, in no order. Redis is asked for all of them only after a change."""

        def in_redis() -> Sequence[bytes]:
            self._catch_up()
            with self._lock:
                names = [VERSION.decode(), BEGUN.decode()]
                version, begun = self._redis.hmget(self._key, names)
                if begun != self._begun:
                    self._put_back()
                if (version, begun) != (self._version, self._begun):
                    self._list()
                return [row for _, row in self._listed.values()]

        def in_memory() -> Sequence[bytes]:
            missed = {self._field(name).encode(): row for name, row in self._missed.items()}
            listed = {field: row for field, (_, row) in self._listed.items()}
            return tuple((listed | missed).values())

        return self._client.ask(in_redis, in_memory)

    def count(self) -> int:
        """The number of rows."""

        def in_redis() -> int:
            return max(0, int(self._redis.hlen(self._key)) - 2)  # but VERSION and BEGUN

        return self._client.ask(in_redis, lambda: len(self._listed) + len(self._missed))

    def _put(self, rows: Mapping[str, bytes]) -> None:
        self._catch_up()
        self._set(rows)

    def _set(self, rows: Mapping[str, bytes]) -> None:
        fields: dict[Any, Any] = {VERSION: _new()}
        fields |= {self._field(name): self._sealed(name, row) for name, row in rows.items()}
        steps = self._redis.pipeline(transaction=True)
        steps.hsetnx(self._key, BEGUN.decode(), _new())
        steps.hset(self._key, mapping=fields)
        steps.pexpire(self._key, self._kept)
        steps.execute()

    def _put_back(self) -> None:
        """Put the rows that were listed last into a Redis that was emptied since."""
        if not self._listed:
            return
        steps = self._redis.pipeline(transaction=True)
        steps.hsetnx(self._key, BEGUN.decode(), _new())
        for field, (_, row) in self._listed.items():
            name = field.decode()
            steps.hsetnx(self._key, name, self._sealing.seal(f"{self._table} {name}", row))
        steps.hset(self._key, VERSION.decode(), _new())
        steps.pexpire(self._key, self._kept)
        steps.execute()

    def _catch_up(self) -> None:
        """Put the rows into Redis that were put while it was lost."""
        missed = dict(self._missed)
        if missed:
            self._set(missed)
            for name, row in missed.items():
                if self._missed.get(name) is row:
                    del self._missed[name]

    def _list(self) -> None:
        found = cast("dict[bytes, bytes]", self._redis.hgetall(self._key))
        self._version, self._begun = found.pop(VERSION, None), found.pop(BEGUN, None)
        listed: dict[bytes, tuple[bytes, bytes]] = {}
        for field, sealed in found.items():
            signature = sealed[-43:]  # of the encrypted row; it differs for every encryption
            known = self._listed.get(field)
            if known is not None and known[0] == signature:
                listed[field] = known
            elif (row := self._unsealed(field.decode(), sealed)) is not None:
                listed[field] = (signature, row)
        self._listed = listed

    def _field(self, name: str) -> str:
        return self._sealing.fingerprint("row", self._table, name)

    def _sealed(self, name: str, row: bytes) -> bytes:
        return self._sealing.seal(f"{self._table} {self._field(name)}", row)

    def _unsealed(self, field: str, sealed: bytes) -> bytes | None:
        return self._sealing.unseal(f"{self._table} {field}", sealed)


def _new() -> str:
    return uuid.uuid4().hex
