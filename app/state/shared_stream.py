"""A stream in Redis, which all replicas read and add to."""

from collections.abc import Sequence
from typing import Any, NoReturn, cast

from app.state.client import PREFIX, Client
from app.state.sealing import Sealing
from app.state.stream import Added, Following, StreamLost, nonce

# The first entry of Redis's stream is the place before the oldest value; its own value is dropped.
# So one key holds all: who emptied or replaced it has dropped every place that was known. An id is
# made of the milliseconds of Redis's clock, which never go back within a stream, and of a nonce.
_BEGIN = """
local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function id(number, nonce) return string.format('%.0f-', number) .. nonce end
local function newest(nonce)
  local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  return last and last[1] or redis.call('XADD', KEYS[1], id(milliseconds(), nonce), 'value', '')
end
"""
_ADD = (
    _BEGIN
    + """
local value, nonce, beginning, most, kept = unpack(ARGV)
if not redis.call('SET', KEYS[2], nonce, 'NX', 'PX', kept) then
  return redis.call('GET', KEYS[2]) == nonce and 1 or 0  -- the client repeats a lost command
end
local now, last = milliseconds(), newest(beginning)
local number = math.max(now, tonumber(string.match(last, '^%d+')) + 1)
redis.call('XADD', KEYS[1], id(number, nonce), 'value', value)
redis.call('XTRIM', KEYS[1], 'MAXLEN', most + 1)
local expired = redis.call('XREVRANGE', KEYS[1], id(now - kept, 0), '-', 'COUNT', 1)[1]
if expired then redis.call('XTRIM', KEYS[1], 'MINID', expired[1]) end
return 1
"""
)
_AFTER = (
    _BEGIN
    + """
local place, limit, beginning = unpack(ARGV)
local last = newest(beginning)
return {last, redis.call('XRANGE', KEYS[1], place, '+', 'COUNT', limit + 1)}
"""
)

Entry = tuple[bytes, Sequence[bytes]]  # its id, and the name and the content of its field


class SharedStream:
    """Values in a stream of Redis. While Redis is lost, so is the stream.

    Args:
        client: Asks Redis.
        sealing: Protects names and values.
        name: The name of the stream.
        most: The number of values that it keeps.
        seconds: How long it keeps a value.
    """

    def __init__(
        self, client: Client, sealing: Sealing, name: str, most: int, seconds: float
    ) -> None:
        self._client = client
        self._redis = client.redis
        self._sealing = sealing
        self._name = name
        self._key = self._named(name)
        self._most = most
        self._kept = int(seconds * 1000)
        self._add = self._redis.register_script(_ADD)
        self._after = self._redis.register_script(_AFTER)

    def add(self, value: bytes, once: str) -> bool:
        """Add a value, unless this was done for `once` before. Returns whether it was added now.

        Raises:
            StreamLost: if it is not known whether the value was added; add it again.
        """

        def in_redis() -> bool:
            keys = [self._key, self._named(f"{self._name} once {once}")]
            sealed = self._sealing.seal(self._name, value)
            return bool(self._add(keys, [sealed, nonce(), nonce(), self._most, self._kept]))

        return self._client.ask(in_redis, _lost)

    def after(self, place: str | None, limit: int) -> Following:
        """The values after a place, or from the oldest value if the place is None.

        Raises:
            StreamLost: if the shared state cannot be reached.
        """

        def in_redis() -> tuple[bytes, list[Entry]]:
            found = self._after([self._key], [place or "-", limit, nonce()])
            return cast("tuple[bytes, list[Entry]]", found)

        last, entries = self._client.ask(in_redis, _lost)
        newest = last.decode()
        first = entries[0][0].decode() if entries else ""
        if place is not None and first != place:
            return Following(known=False, place=place, newest=newest)
        return Following(
            True, first, newest, [self._unsealed(id, content) for id, (_, content) in entries[1:]]
        )

    def wait(self, place: str, seconds: float) -> Sequence[Added]:
        """Wait for values after a place, at most so many seconds. Returns some of them, or none.

        It holds a connection of the pool meanwhile. `seconds` must be less than its timeout.

        Raises:
            StreamLost: if the shared state cannot be reached.
        """

        def in_redis() -> list[Any]:
            found = self._redis.xread({self._key: place}, count=100, block=int(seconds * 1000))
            return cast("list[Any]", found)

        streams = self._client.ask(in_redis, _lost)
        entries = streams[0][1] if streams else []
        return [self._unsealed(id, fields[b"value"]) for id, fields in entries]

    def _unsealed(self, id: bytes, content: bytes) -> Added:
        return Added(id.decode(), self._sealing.unseal(self._name, content))

    def _named(self, name: str) -> str:
        return PREFIX + self._sealing.fingerprint("name", name)


def _lost() -> NoReturn:
    raise StreamLost
