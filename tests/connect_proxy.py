"""A proxy that tunnels, as they stand between a company and the internet."""

from __future__ import annotations

import contextlib
import select
import socket

from tests.raw_upstream import RawUpstream


class ConnectProxy(RawUpstream):
    """Carries CONNECT tunnels, or refuses them all with one status."""

    def __init__(self, refuse: int | None = None) -> None:
        super().__init__(self._tunnel)
        self._refuse = refuse

    @property
    def asked(self) -> list[str]:
        """The hosts and ports that tunnels were asked to."""
        return [request.line.split()[1] for request in self.requests]

    def _tunnel(self, caller: socket.socket) -> None:
        if self._refuse:
            caller.sendall(f"HTTP/1.1 {self._refuse} No\r\nContent-Length: 0\r\n\r\n".encode())
            return
        host, _, port = self.asked[-1].partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as other:
            caller.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            ways = {caller: other, other: caller}
            with contextlib.suppress(OSError):
                while True:
                    for source in select.select(list(ways), [], [], 10)[0]:
                        piece = source.recv(65536)
                        if not piece:
                            return
                        ways[source].sendall(piece)
