"""Connections whose answers have to arrive, as a whole, within their time.

The timeout of a socket is for each read: an answer that drips byte by byte, in its headers or in
its body, would hold a request for as long as upstream likes.
"""

import http.client
import io
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


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response

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
