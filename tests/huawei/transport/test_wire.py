"""An answer is complete and belongs to its own request."""

from __future__ import annotations

import queue
import socket
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from itertools import chain, repeat

import pytest

from app.errors import ErrorCode, GatewayError
from app.huawei.transport import Endpoint, Reply
from app.settings import Settings
from tests.support.raw_upstream import SUCCESS, RawUpstream, answer

BLOCK = 64 * 1024
LIMIT = 10  # seconds; only a failing test waits this long
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Kind: head\r\n\r\n"
CHUNKED = HEAD + b"4;a=b\r\n1234\r\n1\r\n5\r\n0\r\nX-Kind: trailer\r\nX-Other: x\r\n\r\n"


@pytest.fixture
def upstream() -> Iterator[RawUpstream]:
    with RawUpstream() as server:
        yield server


@pytest.fixture
def endpoint(upstream: RawUpstream, settings: Settings) -> Endpoint:
    return Endpoint(upstream.url, settings.accounts["default"])


def write(endpoint: Endpoint, **headers: str) -> Reply:
    return endpoint.send("POST", "/", headers, b"{}", writes=True)


class Watched:
    """Sends an answer and observes whether its connection is closed or reused."""

    def __init__(self, sent: Iterable[bytes], *, last: bool = False) -> None:
        self._sent, self._last = sent, last
        self._next: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def __call__(self, connection: socket.socket) -> None:
        connection.settimeout(LIMIT)
        try:
            for piece in self._sent:
                connection.sendall(piece)
            if self._last:
                connection.shutdown(socket.SHUT_WR)
            self._next.put(connection.recv(1))
        except ConnectionError:
            self._next.put(b"")

    def closed(self) -> bool:
        return not self._next.get(timeout=LIMIT)


WHOLE = {"length": SUCCESS, "chunks": CHUNKED, "after an interim one": INTERIM + SUCCESS}


@pytest.mark.parametrize("whole", WHOLE.values(), ids=WHOLE)
def test_an_answer_truncated_at_any_byte_is_never_complete(
    upstream: RawUpstream, endpoint: Endpoint, whole: bytes
) -> None:
    for length in range(len(whole)):
        upstream.reply = cut = Watched([whole[:length]], last=True)
        with pytest.raises(GatewayError) as failed:
            write(endpoint)
        assert (failed.value.code, cut.closed()) == (ErrorCode.OUTCOME_UNKNOWN, True), length
    upstream.reply = whole
    assert write(endpoint).status == 200
    assert upstream.connections == len(whole) + 1


AFTER = {
    "another answer": answer(403, '{"error_code":"CBC.0150"}'),
    "an interim one": INTERIM,
    "garbage": b"\x00garbage",
}


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("after", AFTER.values(), ids=AFTER)
def test_bytes_after_an_answer_only_end_the_connection(
    upstream: RawUpstream, endpoint: Endpoint, after: bytes, late: bool
) -> None:
    read, sent = threading.Event(), threading.Event()

    def apart() -> Iterator[bytes]:
        yield SUCCESS
        assert read.wait(LIMIT)
        yield after
        sent.set()

    upstream.reply = watched = Watched(apart() if late else [SUCCESS + after])
    assert write(endpoint).content == SUCCESS.partition(b"\r\n\r\n")[2]
    read.set()
    assert not late or sent.wait(LIMIT)
    upstream.reply = answer(201, "mine")
    assert write(endpoint) == Reply(201, {"content-length": "4"}, b"mine")
    assert (watched.closed(), upstream.connections) == (True, 2)


KEPT = {
    "a length": SUCCESS,
    "chunks": CHUNKED,
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "the length of another": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
    "HTTP/1.0 that says so": answer(200, "", "Connection: Keep-Alive").replace(b"1.1", b"1.0"),
    "after an interim one": INTERIM + SUCCESS,
}


@pytest.mark.parametrize("reply", KEPT.values(), ids=KEPT)
def test_a_connection_is_reused(upstream: RawUpstream, endpoint: Endpoint, reply: bytes) -> None:
    upstream.reply = reply
    first = write(endpoint)
    assert [write(endpoint) for _ in range(2)] == [first] * 2
    assert (len(upstream.requests), upstream.connections) == (3, 1)


NOT_KEPT = {
    "Connection: close": Watched([answer(200, "", "Connection: close")]),
    "close among others": Watched([answer(200, "", "Connection: x, Close")]),
    "HTTP/1.0": Watched([answer(200).replace(b"1.1", b"1.0")]),
    "the end of the connection": Watched([b"HTTP/1.1 200 OK\r\n\r\n"], last=True),
}


@pytest.mark.parametrize("reply", NOT_KEPT.values(), ids=NOT_KEPT)
def test_a_connection_that_upstream_does_not_keep_alive_is_closed(
    upstream: RawUpstream, endpoint: Endpoint, reply: Watched
) -> None:
    upstream.reply = reply
    assert write(endpoint).content == b""
    assert reply.closed()


ENDLESS = {
    "a length": (answer(200).replace(b": 0", b": 1000000000"), b"x" * BLOCK),
    "chunks": (HEAD, b"1;a=b\r\nx\r\n" * 1000),
    "the end of the connection": (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * BLOCK),
}


@pytest.mark.parametrize(("start", "block"), ENDLESS.values(), ids=ENDLESS)
def test_endless_content_is_discarded_and_the_connection_is_closed(
    upstream: RawUpstream, endpoint: Endpoint, start: bytes, block: bytes
) -> None:
    upstream.reply = watched = Watched(chain([start], repeat(block)))
    reply = write(endpoint)
    assert (reply.status, reply.content, watched.closed()) == (200, None, True)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\nX-Other: ", "\xe9"])
@pytest.mark.parametrize("place", ["name", "value"])
def test_an_invalid_header_is_refused_without_its_value_and_nothing_is_sent(
    upstream: RawUpstream, endpoint: Endpoint, end: str, place: str
) -> None:
    broken = f"5ecret{end}5ecret"
    headers = {broken: "x"} if place == "name" else {"X-Auth-Token": broken}
    with pytest.raises(ValueError, match=r"line break|ASCII") as refused:
        write(endpoint, **headers)
    assert "5ecret" not in "".join(traceback.format_exception(refused.value))
    assert write(endpoint).status == 200
    assert len(upstream.requests) == 1


class Slow:
    """A body that is sent slowly in pieces."""

    def __init__(self, pieces: int, pause: float) -> None:
        self._pauses = [pause] * pieces

    def read(self, _: int = -1, /) -> bytes:
        if self._pauses:
            threading.Event().wait(self._pauses.pop())
            return b"x"
        return b""


def test_the_deadline_covers_sending_the_body(endpoint: Endpoint, upstream: RawUpstream) -> None:
    ended = threading.Event()

    def silent(_: socket.socket) -> None:
        ended.wait(LIMIT)

    upstream.reply = silent
    headers = {"Content-Length": "3"}
    begun = time.monotonic()
    with pytest.raises(GatewayError) as lost:
        endpoint.send("PUT", "/", headers, Slow(3, 0.2), writes=True, ends=begun + 0.8)
    took = time.monotonic() - begun
    ended.set()
    assert lost.value.code is ErrorCode.OUTCOME_UNKNOWN
    assert 0.7 < took < 3


@pytest.mark.parametrize("within", [-1, 0, 1e-6])
def test_a_write_with_too_little_time_left_is_not_sent(
    endpoint: Endpoint, upstream: RawUpstream, within: float
) -> None:
    with pytest.raises(GatewayError) as late:
        endpoint.send("PUT", "/", {}, b"{}", writes=True, ends=time.monotonic() + within)
    assert late.value.code in (ErrorCode.DEADLINE_EXCEEDED, ErrorCode.UPSTREAM_UNREACHABLE)
    assert upstream.requests == []


def test_a_long_body_is_sent_whole(endpoint: Endpoint, upstream: RawUpstream) -> None:
    body = bytes(range(256)) * 64 * 1024
    assert endpoint.send("POST", "/", {}, body, writes=True).status == 200
    assert upstream.requests[0].body == body


def test_a_write_without_a_body_has_content_length_0(
    endpoint: Endpoint, upstream: RawUpstream
) -> None:
    endpoint.send("POST", "/", {}, None, writes=True)
    assert upstream.requests[0].headers["Content-Length"] == "0"
