"""Connections that send a request as it was signed, and read its whole answer within its time.

urllib3 opens and secures them; llhttp, the parser of Node.js, reads the answers: urllib3's and
http.client's own ways take a quarter of a request's CPU. And a socket's timeout is for each read:
an answer that drips byte by byte, in its headers or in its body, would hold a request for as long
as upstream likes. (Within one TLS record gevent waits its time again for each piece.)
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ProtocolError

MAX_ANSWER = 1024 * 1024  # bytes of content; the longest documented one has a few KiB
MAX_RECEIVED = 2 * MAX_ANSWER  # bytes, with head and framing
MAX_HEAD = 64 * 1024  # bytes received without the end of a head
BLOCK = 64 * 1024  # bytes read at once
SENT_AT_ONCE = 16 * 1024  # bytes of a stream, which may end it in between


class Stream(Protocol):
    """Something to read from."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at its end."""


class Response:
    """An answer, filled in by llhttp while it is read.

    The names of headers are in lower case; one that comes twice has its values joined by a comma.
    `content` is None where it is longer than any proper one.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.content: bytes | None = None
        self.complete = False
        self.reusable = False  # whether its connection is
        self._in_head = True
        self._pieces: list[bytes] = []

    def read(self, receive: Callable[[], bytes]) -> None:
        """Read it all.

        Args:
            receive: Waits for what comes next; nothing is the end of the connection.

        Raises:
            ProtocolError: if this is no answer, or only part of one.
        """
        parser = self._parser = HttpResponseParser(self)
        received = 0
        try:
            while not self.complete:
                data = receive()
                if not data or received > (MAX_HEAD if self._in_head else MAX_RECEIVED):
                    self._cut(within_answer=bool(data))
                else:
                    received += len(data)
                    parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            # What comes after the answer spoils nothing but the connection.
            self.reusable = False
            if not self.complete:
                raise ProtocolError("not HTTP") from None
        finally:
            del self._parser  # it holds this object

    def _cut(self, within_answer: bool) -> None:
        """The connection has ended, or this end of it has enough."""
        if self._in_head:
            raise ProtocolError("no end of the head")
        if not within_answer and self.headers.keys() & {"content-length", "transfer-encoding"}:
            raise ProtocolError("the connection ended within the answer")
        self._finish()  # without these headers an answer ends where its connection does
        self.reusable = False
        if within_answer:
            self.content = None

    def _finish(self) -> None:
        content = b"".join(self._pieces)
        self.content = content if len(content) <= MAX_ANSWER else None
        self.status = self._parser.get_status_code()
        self.reusable = self._parser.should_keep_alive()
        self.complete = True

    # What llhttp calls.

    def on_message_begin(self) -> None:
        """The first one, the one after an interim one (1xx), or one too many."""
        if self.complete:
            raise ProtocolError("more than one answer")
        self.headers, self._pieces = {}, []

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; a trailer is none."""
        if self._in_head:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")
            self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        """The end of the head."""
        self._in_head = False

    def on_body(self, body: bytes) -> None:
        """A piece of the content."""
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        """The end of the answer."""
        if self._parser.get_status_code() >= 200:
            self._finish()
        else:  # an interim one
            self._in_head = True


class Connection(HTTPConnection):
    """A connection that is used again and again: a request, its answer, the next request."""

    _opening: socket.socket | None = None
    _late = False

    def connect(self) -> None:
        """Open it, within its timeout as a whole: the proxy's and the TLS handshake included.

        Raises:
            OSError: if it cannot be opened; urllib3's and http.client's errors too.
        """
        timer = threading.Timer(self.timeout or 0.0, self._give_up)
        timer.daemon = True
        timer.start()
        try:
            super().connect()
        finally:
            timer.cancel()
            if self._opening is not None:
                self._opening.close()
        if self._late:
            raise TimeoutError

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        self._opening = sock.dup()  # for TLS takes the other one apart
        return sock

    def _give_up(self) -> None:
        self._late = True
        if self._opening is not None:
            with contextlib.suppress(OSError):
                self._opening.shutdown(socket.SHUT_RDWR)

    def exchange(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | Stream | None,
        read: float,
        ends: float,
    ) -> Response:
        """Send a request and read its whole answer; whoever calls closes what is not reusable.

        Args:
            method: The HTTP method.
            target: Path and query.
            headers: All headers but the length of a body of bytes.
            body: The body; a stream needs its length in the headers.
            read: Seconds in which the answer has to come once all is sent.
            ends: When all has to be over, by the monotonic clock.

        Raises:
            OSError: if the connection is lost, or it takes too long.
            ProtocolError: if the answer is none.
            ValueError: if a header cannot be sent; nothing was.
        """
        head = _head(method, target, headers, body)
        whole = True
        try:
            self._send(head, body, ends)
        except (BrokenPipeError, ConnectionResetError):
            whole = False  # an answer may have come before upstream had heard all
        ends = min(ends, time.monotonic() + read)

        def receive() -> bytes:
            self.sock.settimeout(_left(ends))
            return self.sock.recv(BLOCK)

        response = Response()
        response.read(receive)
        response.reusable = response.reusable and whole
        return response

    def _send(self, head: bytes, body: bytes | Stream | None, ends: float) -> None:
        self.sock.settimeout(min(self.timeout or 0.0, _left(ends)))
        if body is None or isinstance(body, bytes):
            content = head + body if body else head
            sent = self.sock.send(content)  # all of it, as a rule, and for less than sendall
            if sent < len(content):
                self.sock.sendall(content[sent:])
            return
        self.sock.sendall(head)
        while block := body.read(SENT_AT_ONCE):
            self.sock.sendall(block)

    @property
    def is_connected(self) -> bool:
        """Whether an idle connection is open: nothing has come since, and it was not ended.

        Its timeout is none after that.
        """
        if self.sock is None:
            return False
        self.sock.settimeout(0)
        try:
            # Below TLS, and below the TLS to a proxy.
            socket.socket.recv(getattr(self.sock, "socket", self.sock), 1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False


class SecureConnection(Connection, HTTPSConnection):
    """Such a connection by TLS."""


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _head(
    method: str, target: str, headers: Mapping[str, str], body: bytes | Stream | None
) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", *[f"{name}: {headers[name]}" for name in headers]]
    if isinstance(body, bytes):
        lines.append(f"Content-Length: {len(body)}")
    elif body is None and method != "GET":
        lines.append("Content-Length: 0")
    head = "\r\n".join((*lines, "", ""))
    # Neither error tells the header, which can be a secret.
    if not head.count("\r") == head.count("\n") == len(lines) + 1:
        raise ValueError("a line break in a header")
    if not head.isascii():
        raise ValueError("a header that is not ASCII")
    return head.encode()
