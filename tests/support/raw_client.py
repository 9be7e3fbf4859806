"""A client that sends raw bytes to a served gateway and returns the raw answer."""

from __future__ import annotations

import re
import socket
from typing import Self
from urllib.parse import urlsplit

LIMIT = 20  # seconds


class Wire:
    """A connection to a gateway; leaving the context closes it.

    Args:
        url: The URL of the gateway.
        receive_buffer: The size of the kernel's receive buffer; a small one makes a slow reader.
    """

    def __init__(self, url: str, receive_buffer: int | None = None) -> None:
        parts = urlsplit(url)
        self._socket = socket.socket()
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(LIMIT)
        self._socket.connect((parts.hostname, parts.port))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, content: bytes) -> bool:
        """Send bytes. Returns whether the peer still accepts them."""
        try:
            self._socket.sendall(content)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def closed_within(self, seconds: float) -> bool:
        """Whether the peer closes the connection in that time without an answer."""
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def fileno(self) -> int:
        """The socket's descriptor, for `selectors`."""
        return self._socket.fileno()

    def read_some(self, size: int) -> bytes:
        """At most `size` bytes; empty if the peer closed."""
        return self._socket.recv(size)

    def read(self) -> bytes:
        """All bytes until the peer closes."""
        content = b""
        try:
            while piece := self._socket.recv(65536):
                content += piece
        except ConnectionResetError:  # the peer closed before it had read all bytes
            pass
        return content


def exchange(url: str, content: bytes) -> bytes:
    """Send bytes on a new connection. Returns all bytes until the peer closes."""
    with Wire(url) as wire:
        wire.send(content)
        return wire.read()


def statuses(answered: bytes) -> list[int]:
    """The statuses of the answers on a connection, in order."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answered)]
