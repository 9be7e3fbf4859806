"""An HTTP proxy with CONNECT tunnels, like that between a company and the internet."""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import ssl
from collections.abc import Callable, Iterable

from tests.support.raw_upstream import RawUpstream


def drip(connection: socket.socket, data: Iterable[int]) -> None:
    """Send byte by byte until the end of the data, or until the peer closes."""
    connection.settimeout(0.05)
    with contextlib.suppress(OSError):
        for byte in data:
            connection.sendall(bytes([byte]))
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1):
                    return


class ConnectProxy(RawUpstream):
    """Opens CONNECT tunnels, or refuses all with one status, or answers without an end.

    `before` is called before each tunnel is opened.
    """

    def __init__(
        self, refuse: int | None = None, *, drips: bool = False, tls: ssl.SSLContext | None = None
    ) -> None:
        self.before: Callable[[], object] = bool
        super().__init__(self._tunnel, tls=tls)
        self._refuse = refuse
        self._drips = drips

    @property
    def asked(self) -> list[str]:
        """The requested hosts and ports of tunnels."""
        return [request.line.split()[1] for request in self.requests]

    def _tunnel(self, caller: socket.socket) -> None:
        if self._refuse:
            caller.sendall(f"HTTP/1.1 {self._refuse} No\r\nContent-Length: 0\r\n\r\n".encode())
            return
        if self._drips:
            drip(caller, itertools.cycle(b"HTTP/1.1 200 OK\r\nX-More: x"))
            return
        self.before()
        host, _, port = self.asked[-1].partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as other:
            caller.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            ways = {caller: other, other: caller}
            with contextlib.suppress(OSError):
                while True:
                    for source in select.select(list(ways), [], [], 10)[0]:
                        piece = source.recv(65536)
                        while getattr(source, "pending", int)():  # decrypted and buffered already
                            piece += source.recv(65536)
                        if not piece:
                            return
                        ways[source].sendall(piece)
