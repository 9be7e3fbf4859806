"""A client's connection: limits of size and time for the head of a request and for the answer."""

import errno
import fcntl
import logging
import struct
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from socket import SHUT_RDWR, socket
from typing import TYPE_CHECKING, Any

import gevent
from gunicorn.http.errors import LimitRequestHeaders  # type: ignore[import-untyped]

from app.observability.logs import event, logger

if TYPE_CHECKING:
    from app.serving.port import Port

PIECE = 64 * 1024  # bytes of a body that are received at once
HEAD_BYTES = 32 * 1024  # of one head, with the request line; leaves room for a token of 8 KiB

_log = logger("serving")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a connection waits for its client, in seconds.

    Args:
        idle: For the first byte of a request.
        head: From that byte to the end of the head.
        answer: For the client to take a whole answer, or a piece of a download.
    """

    idle: float
    head: float
    answer: float


class Connection:
    """A client's socket with limits; gunicorn uses it in place of the socket.

    Args:
        sock: The socket.
        port: The port that accepted it.
    """

    def __init__(self, sock: socket, port: "Port") -> None:
        self.port = port
        self._socket = sock
        self._head = 0  # bytes received of the head
        self._head_ends = 0.0
        self._answer_ends: float | None = None
        self._by_piece = False
        self._in_body = False
        self._closed = False

    def __getattr__(self, name: str) -> Any:
        """All else is the socket's."""
        return getattr(self._socket, name)

    def next_request(self) -> None:
        """Forget the last request: what comes next is the head of another one."""
        self._head, self._answer_ends, self._by_piece = 0, None, False

    def begin_head(self, received: int) -> None:
        """Count the bytes of the next head that arrived with the request before it."""
        if received:
            self._head, self._head_ends = received, time.monotonic() + self.port.patience.head

    def limit_pieces(self) -> None:
        """Give the client the time of an answer for each piece of this answer, not for all."""
        self._by_piece = True

    @contextmanager
    def reading_a_body(self) -> Iterator[None]:
        """Read without the limits of a head within this context."""
        self._in_body = True
        try:
            yield
        finally:
            self._in_body = False

    def recv(self, size: int) -> bytes:
        """At most `size` bytes; empty if the client closed or a limit of time passed.

        Raises:
            LimitRequestHeaders: if the head is longer than HEAD_BYTES.
        """
        gevent.sleep(0)  # a socket that has bytes already would let no other greenlet run
        if self._in_body:
            return self._socket.recv(min(size, PIECE))
        if self._head >= HEAD_BYTES:
            raise LimitRequestHeaders("head")
        left = self._head_ends - time.monotonic() if self._head else self.port.patience.idle
        content = b""
        with self._until_closed(), gevent.Timeout(max(left, 0.0), False):
            content = self._socket.recv(min(size, HEAD_BYTES - self._head))
        if self._closed:
            return b""
        if not self._head:
            self._head_ends = time.monotonic() + self.port.patience.head
        self._head += len(content)
        return content

    def sendall(self, content: bytes) -> None:
        """Send bytes of the answer.

        Raises:
            ConnectionResetError: if the client did not take the answer, or this piece, in time.
        """
        now = time.monotonic()
        if self._answer_ends is None or self._by_piece:
            self._answer_ends = now + self.port.patience.answer
        try:
            with gevent.Timeout(max(self._answer_ends - now, 0.0), TimeoutError()):
                self._socket.sendall(content)
        except TimeoutError:
            event(_log, logging.INFO, "A client was cut off: it did not read its answer in time")
            # gunicorn takes this for a client that is gone.
            raise ConnectionResetError(errno.ECONNRESET, "not read in time") from None

    def close_if_silent(self, *, within_a_head: bool) -> bool:
        """Close the connection unless bytes of the client wait to be read.

        Args:
            within_a_head: Whether to close it in the middle of a head too.

        Returns:
            Whether it is closed.
        """
        if (self._head and not within_a_head) or self._waiting_bytes():
            return False
        self._closed = True
        with suppress(OSError):  # the client was faster
            self._socket.shutdown(SHUT_RDWR)  # ends a recv() that waits
        return True

    @contextmanager
    def _until_closed(self) -> Iterator[None]:
        """Ignore the error by which gevent ends a wait for a connection that we closed."""
        try:
            yield
        except OSError:
            if not self._closed:
                raise

    def _waiting_bytes(self) -> int:
        try:
            answer = fcntl.ioctl(self._socket.fileno(), termios.FIONREAD, bytes(4))
        except OSError:  # closed already
            return 0
        waiting: int = struct.unpack("i", answer)[0]
        return waiting
