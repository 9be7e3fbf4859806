"""An answer is read completely or refused, however its bytes arrive."""

from __future__ import annotations

import contextlib
import io
import socket
import string
import time
from collections.abc import Iterable, Iterator
from http.client import HTTPException, HTTPResponse
from itertools import chain, pairwise, repeat
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3.exceptions import HTTPError

from app.huawei.transport import Reply
from app.huawei.transport.addresses import Names
from app.huawei.transport.connection import Connection
from app.huawei.transport.response import MAX_CONTENT, MAX_RECEIVED
from tests.huawei.transport.test_wire import CHUNKED, HEAD, INTERIM
from tests.support.raw_upstream import answer

BLOCK = 64 * 1024
REFUSED = (HTTPException, HTTPError, OSError, ValueError)  # the exceptions for an unreadable answer

TEXTS = st.text([*map(chr, (9, *range(32, 127), *range(128, 256)))], max_size=20).map(
    lambda text: text.strip(" \t")
)
TOKENS = st.text(string.ascii_letters + string.digits + "!#$%&'*+.^_`|~", min_size=1, max_size=12)
NAMES = st.sampled_from(["X-One", "x-one", "Set-Cookie"]) | TOKENS.map("X-{}".format)
FIELDS = st.lists(st.builds("{}:{}{}".format, NAMES, st.sampled_from(["", " ", "\t "]), TEXTS))


def lines(*texts: str) -> bytes:
    return "\r\n".join((*texts, "")).encode("latin-1")


@st.composite
def chunks(draw: st.DrawFn) -> bytes:
    size = st.sampled_from(["{:x}", "{:X}", "00{:x}", "{:x};a=b"])
    contents = draw(st.lists(st.binary(min_size=1, max_size=40), max_size=4))
    sent = [lines(draw(size).format(len(one))) + one + b"\r\n" for one in contents]
    return b"".join((*sent, lines("0", *draw(FIELDS), "")))


@st.composite
def interims(draw: st.DrawFn) -> bytes:
    status = draw(st.sampled_from([100, 102, 103, 199]))
    return lines(f"HTTP/1.1 {status} Not Yet", *draw(FIELDS), "")


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """A well-formed answer with any kind of end."""
    status = draw(st.sampled_from([200, 201, 204, 304, 400, 500]) | st.integers(200, 599))
    ends_by = draw(st.sampled_from(["length", "chunks", "close"]))
    version = "1.1" if ends_by == "chunks" else draw(st.sampled_from(["1.1", "1.1", "1.0"]))
    fields, content = draw(FIELDS), b""
    if connection := draw(st.sampled_from(["", "close", "Close", "keep-alive", "Keep-Alive, x"])):
        fields.append(f"Connection: {connection}")
    if status in (204, 304):  # these have no content; a 304 may have the length of the full answer
        fields += ["Content-Length: 7"] if (status, ends_by) == (304, "length") else []
    elif ends_by == "chunks":
        fields.append("Transfer-Encoding: chunked")
        content = draw(chunks())
    else:
        content = draw(st.binary(max_size=200))
        fields += [f"Content-Length: {len(content)}"] if ends_by == "length" else []
    reason = draw(st.sampled_from([" OK", " Not what you think", " ", ""]))
    return lines(f"HTTP/{version} {status}{reason}", *draw(st.permutations(fields)), "") + content


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Arbitrary bytes, and answers with bytes removed and inserted."""
    sent = bytearray().join(draw(st.lists(answers() | interims() | st.binary(), max_size=3)))
    for place in draw(st.lists(st.integers(0, len(sent)), max_size=4)):
        sent[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(sent)


@st.composite
def pieces(draw: st.DrawFn, whole: bytes) -> list[bytes]:
    """The same bytes, split at random places or into single bytes."""
    inner = range(1, len(whole))
    some = st.sets(st.sampled_from(inner), max_size=8) if inner else st.just(set[int]())
    places = draw(st.just(set(inner)) | some)
    return [whole[begin:end] for begin, end in pairwise(sorted({0, *places, len(whole)}))]


def as_http_client_reads(sent: bytes) -> tuple[int, dict[str, str], bytes, bool, bool]:
    """Status, headers, content, whether closing ends the answer, whether keep-alive is allowed."""
    here, there = socket.socketpair()
    with here, there, contextlib.closing(HTTPResponse(here)) as response:
        there.sendall(sent)
        there.shutdown(socket.SHUT_WR)
        response.begin()
        headers: dict[str, str] = {}
        for name in map(str.lower, response.headers):
            headers[name] = ", ".join(response.headers.get_all(name, []))
        endless = response.length is None and not response.chunked
        return response.status, headers, response.read(), endless, not response.will_close


class Pieces(io.RawIOBase):
    """A socket that receives these pieces one by one and fails on a further read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._rest or next(self._pieces, None)
        assert piece is not None, "no more was to be read"
        taken, self._rest = piece[: len(buffer)], piece[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def sendall(self, _: bytes) -> None:
        """Discard the data."""

    def settimeout(self, _: float) -> None:
        """Ignore the timeout."""


def read(pieces: Iterable[bytes]) -> tuple[Reply, bool]:
    """The answer in these pieces, and whether its connection can be reused."""
    connection = Connection("upstream", 80, Names())
    connection.sock = Pieces(pieces)
    ends = time.monotonic() + 60
    try:
        reply = connection.exchange("GET", "/", {}, None, 60, ends)
        return reply, connection.reusable
    finally:
        connection.discard()


@given(st.data(), answers(), st.lists(interims(), max_size=2))
def test_an_answer_is_read_as_http_client_reads_it(
    data: st.DataObject, final: bytes, before: list[bytes]
) -> None:
    status, headers, content, endless, reusable = as_http_client_reads(final)
    parts = data.draw(pieces(b"".join((*before, final))))
    reply, kept = read([*parts, b""] if endless else parts)  # and does not read further
    assert reply == Reply(status, headers, content)
    assert kept == reusable


@given(damaged().flatmap(pieces))
@example([b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"])
@example([HEAD, b"-1\r\n\r\n0\r\n\r\n"])
def test_arbitrary_bytes_are_an_answer_or_a_protocol_error(parts: list[bytes]) -> None:
    with contextlib.suppress(*REFUSED):
        reply, _ = read(chain(parts, repeat(b"")))
        assert reply.status >= 200


SAME = {
    "equal lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "blanks after a chunk's size": HEAD + b"2  \r\n{}\r\n0 \r\n\r\n",
    "lines that end with LF alone": b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
}


@pytest.mark.parametrize("sent", SAME.values(), ids=SAME)
def test_a_tolerable_deviation_from_http_is_read_as_other_clients_read_it(sent: bytes) -> None:
    reply, reusable = read([sent])
    assert (reply.status, reply.content, reusable) == (200, b"{}", True)


REFUSED_FRAMES = {
    "lengths that differ": b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "lengths that differ in one line": b"Content-Length: 2, 3\r\n\r\n{}",
    "a length that is not a number": b"Content-Length: +2\r\n\r\n{}",
    "a length beside chunks": b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a header without a colon": b"Content-Length\r\nX-Other: x\r\n\r\n{}",
    "a negative chunk": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("sent", REFUSED_FRAMES.values(), ids=REFUSED_FRAMES)
def test_an_answer_without_a_clear_end_is_refused(sent: bytes) -> None:
    with pytest.raises(REFUSED):
        read([b"HTTP/1.1 200 OK\r\n" + sent, b""])


def test_an_upgrade_that_was_not_asked_for_is_no_interim_answer() -> None:
    upgrade = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    with pytest.raises(REFUSED):
        read([upgrade, answer(200)])


def test_trailers_are_not_headers_and_repeated_headers_are_joined() -> None:
    chunked, _ = read([CHUNKED])
    assert chunked.headers == {"transfer-encoding": "chunked", "x-kind": "head"}
    twice, _ = read([answer(200, "", "X-Some: a", "Other: o", "x-SOME: b")])
    assert twice.headers == {"x-some": "a, b", "other": "o", "content-length": "0"}


@pytest.mark.parametrize("over", [0, 1])
def test_a_chunked_answer_above_one_mebibyte_is_refused(over: int) -> None:
    content = b"x" * (MAX_CONTENT + over)
    reply, _ = read([HEAD, b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)])
    assert reply.content == (None if over else content)


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX: ", INTERIM])
def test_an_answer_with_an_endless_head_is_refused(start: bytes) -> None:
    block = INTERIM * 1000 if start == INTERIM else b"x" * BLOCK
    with pytest.raises(REFUSED):  # and not AssertionError
        read(chain([start], repeat(block, MAX_RECEIVED // len(block) + 1)))
