"""Answers that upstream sends before it has read the whole request."""

from __future__ import annotations

import queue
import socket

import pytest

from app.huawei.transport import Endpoint
from app.settings import Settings
from tests.support.raw_upstream import RawUpstream, answer

BLOCK = 64 * 1024
LIMIT = 10  # seconds; only a failing test waits this long


@pytest.mark.parametrize("ends_by", ["reset", "end"])
def test_an_answer_sent_before_the_whole_request_is_read_counts_and_its_connection_is_not_reused(
    settings: Settings, ends_by: str
) -> None:
    def hasty(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(answer(413, "{}"))
        if ends_by == "end":  # then the sender gets EPIPE, and ECONNRESET otherwise
            connection.shutdown(socket.SHUT_WR)

    with RawUpstream(hasty, at_once=True) as upstream:
        endpoint = Endpoint(upstream.url, settings.accounts["default"])
        for _ in range(2):
            reply = endpoint.send("POST", "/", {}, b"x" * 2**24, writes=True)
            assert (reply.status, reply.content) == (413, b"{}")
    assert upstream.connections == 2


class Lost:
    """A body whose source is lost after its first byte."""

    def __init__(self) -> None:
        self._pieces = [b"x"]

    def read(self, _: int = -1, /) -> bytes:
        if self._pieces:
            return self._pieces.pop()
        raise ConnectionResetError


def test_a_connection_on_which_a_body_was_not_sent_whole_is_not_reused(settings: Settings) -> None:
    next_bytes: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def hasty(connection: socket.socket) -> None:
        connection.settimeout(LIMIT)
        received = b""
        while not received.endswith(b"\r\n\r\nx"):
            received += connection.recv(BLOCK)
        connection.sendall(answer(400, "{}"))
        next_bytes.put(connection.recv(1))

    with RawUpstream(hasty, at_once=True) as upstream:
        endpoint = Endpoint(upstream.url, settings.accounts["default"])
        headers = {"Content-Length": "2"}
        assert endpoint.send("PUT", "/", headers, Lost(), writes=True).status == 400
        assert next_bytes.get(timeout=LIMIT) == b""
