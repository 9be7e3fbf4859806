"""A bare server in place of Partner Center: it answers with given bytes or runs a script."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.server import Server

Script = Callable[[socket.socket], None]


@dataclass(frozen=True, slots=True)
class Received:
    """One received request."""

    line: str
    headers: dict[str, str]
    body: bytes


def answer(status: int, body: bytes | str = b"", *headers: str) -> bytes:
    """An HTTP answer; its header lines are `headers` and a Content-Length."""
    content = body.encode() if isinstance(body, str) else body
    lines = (f"HTTP/1.1 {status} Whatever", *headers, f"Content-Length: {len(content)}", "", "")
    return "\r\n".join(lines).encode() + content


SUCCESS = answer(
    200, '{"error_code":"CBC.0000","error_msg":"success"}', "Content-Type: application/json"
)


class RawUpstream(Server):
    """A server that answers every request alike; leaving the context ends it.

    Args:
        reply: The bytes of the answer, or a script. The script gets the connection after a request
            has been read; then the connection is closed.
        tls: The TLS context of an HTTPS server.
        at_once: Run the script when a connection is accepted, before anything is read.
    """

    def __init__(
        self,
        reply: bytes | Script = SUCCESS,
        *,
        tls: ssl.SSLContext | None = None,
        at_once: bool = False,
    ) -> None:
        self.reply = reply
        self.requests: list[Received] = []
        self.connections = 0
        self.closed = threading.Semaphore(0)  # released for each closed connection
        self._tls = tls
        self._at_once = at_once
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.authority = f"127.0.0.1:{self.port}"
        self.url = f"{'https' if tls else 'http'}://{self.authority}"
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def start(self) -> None:
        self._acceptor.start()

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, accepted: socket.socket) -> None:
        connection = accepted
        self._open.add(accepted)
        try:
            if self._tls:
                connection = self._tls.wrap_socket(accepted, server_side=True)
                self._open.add(connection)
            if self._at_once and callable(self.reply):
                self.reply(connection)
                return
            with connection.makefile("rb") as incoming:
                while self._answer(connection, incoming):
                    pass
        except OSError:  # the peer has disconnected, or does not trust us
            pass
        finally:
            self._open -= {accepted, connection}
            connection.close()
            accepted.close()
            self.closed.release()

    def _answer(self, connection: socket.socket, incoming: Any) -> bool:
        """Answer one request; False after the last one of the connection."""
        line = incoming.readline().decode("latin-1").strip()
        if not line:
            return False
        headers: dict[str, str] = {}
        while header := incoming.readline().decode("latin-1").strip():
            name, _, value = header.partition(":")
            headers[name.strip()] = value.strip()
        body = incoming.read(int(headers.get("Content-Length", 0)))
        self.requests.append(Received(line, headers, body))
        reply = self.reply  # read here, since a test may change it between requests
        if callable(reply):
            reply(connection)
            return False
        connection.sendall(reply)
        return b"\r\nconnection: close\r\n" not in reply.lower()
