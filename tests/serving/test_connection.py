"""The time limit for a whole answer, of which the client always takes some."""

from __future__ import annotations

import time

import gevent
import gevent.socket
import pytest

from app.serving.connection import Connection, Patience
from app.serving.port import Port

ANSWER = 0.3  # seconds


def test_the_pieces_of_an_answer_share_one_limit_of_time() -> None:
    port = Port(lambda *_: (), Patience(idle=1, head=1, answer=ANSWER), 1, 1)
    ours, theirs = gevent.socket.socketpair()
    connection = Connection(ours, port)

    def send_pieces() -> None:
        while time.monotonic() - begun < 10 * ANSWER:
            connection.sendall(bytes(4096))

    def read_slowly() -> None:
        while theirs.recv(4096):
            gevent.sleep(0.005)

    with ours, theirs:
        reader = gevent.spawn(read_slowly)
        begun = time.monotonic()
        with pytest.raises(ConnectionResetError):
            send_pieces()
        assert time.monotonic() - begun >= ANSWER
        connection.next_request()
        connection.sendall(b"the next answer has a limit of its own")
        reader.kill()


def test_a_wait_for_a_request_ends_without_an_error_when_the_connection_is_closed() -> None:
    port = Port(lambda *_: (), Patience(idle=10, head=1, answer=ANSWER), 1, 1)
    ours, theirs = gevent.socket.socketpair()
    connection = Connection(ours, port)
    with ours, theirs:
        waiting = gevent.spawn(connection.recv, 100)
        gevent.sleep(0)  # it waits now
        assert connection.close_if_silent(within_a_head=False)
        assert waiting.get(timeout=ANSWER * 10) == b""
