"""Connections whose answers have to arrive, as a whole, within their time.

The timeout of a socket is for each read: an answer that drips byte by byte, in its headers or in
its body, would hold a request for as long as upstream likes.
"""

import http.client
import io
import select
import socket
import time
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError


class _Clocked(io.RawIOBase):
    """Reads from a socket until the timeout that the socket has now is over, counted once."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._timeout = sock.gettimeout()
        self._ends = time.monotonic() + (self._timeout or 0.0)
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._timeout is not None:
            left = self._ends - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
            if self._sock.fileno() >= 0:
                self._sock.settimeout(self._timeout)  # the connection may be used again
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_Clocked(sock))


class _OnePiece(HTTPConnection):
    """Sends the head of a request with its body; http.client sends two packets."""

    response_class = _Response
    _held: bytearray | None = None

    def request(self, method: str, url: str, body: Any = None, *args: Any, **kwargs: Any) -> None:
        if not isinstance(body, bytes):
            super().request(method, url, body, *args, **kwargs)
            return
        self._held = bytearray()
        try:
            super().request(method, url, body, *args, **kwargs)
            held, self._held = self._held, None
            super().send(held)
        finally:
            self._held = None

    @property
    def is_connected(self) -> bool:
        """Whether an idle connection is open; asked by poll, gevent goes round its loop."""
        try:
            return self.sock is not None and not select.select([self.sock], [], [], 0)[0]
        except ValueError:  # a number that select cannot hold
            return super().is_connected

    def send(self, data: Any) -> None:
        if self._held is None:
            super().send(data)
        else:
            self._held += data


class _Connection(_OnePiece):
    pass


class _SecureConnection(_OnePiece, HTTPSConnection):
    def connect(self) -> None:
        """Tell a failed handshake, before which nothing was sent, from a connection lost later."""
        try:
            super().connect()
        except OSError as error:  # TLS refused, reset, or too slow
            raise NewConnectionError(self, "TLS handshake failed") from error


class ClockedPool(HTTPConnectionPool):
    """A pool of such connections."""

    ConnectionCls = _Connection


class SecureClockedPool(HTTPSConnectionPool):
    """A pool of such connections by TLS."""

    ConnectionCls = _SecureConnection
