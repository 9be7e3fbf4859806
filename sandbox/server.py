"""Serves the sandbox over HTTP/1.1 in a thread."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wsgi import ClosingIterator

from .application import STATE, create_sandbox

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

DRAINED_BYTES = 64 * 1024 * 1024
IDLE_SECONDS = 120
_STATUSES = frozenset(HTTPStatus)


class _Body:
    """A request body that counts the bytes left on the connection."""

    def __init__(self, source: Any, left: int) -> None:
        self._source = source
        self.left = left

    def read(self, size: int = -1, /) -> bytes:
        """Read at most this many bytes, and never bytes of the next request."""
        wanted = self.left if size < 0 else min(size, self.left)
        piece = bytes(self._source.read(wanted)) if wanted else b""
        self.left = self.left - len(piece) if len(piece) == wanted else 0
        return piece


class _Connection(WSGIRequestHandler):
    """One persistent client connection. werkzeug's handler would close it after each answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def run_wsgi(self) -> None:
        """Answer one request, and keep the connection ready for the next request."""
        environ = self.environ = self.make_environ()
        # The base class shortens leading double slashes, but the signature covers the raw path.
        environ["RAW_URI"] = self.requestline.split(" ")[1]
        length = environ.get("CONTENT_LENGTH") or "0"
        if not (length.isascii() and length.isdigit()):
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        body = None
        if "wsgi.input_terminated" in environ:
            self.close_connection = True
        else:
            body = environ["wsgi.input"] = _Body(self.rfile, int(length))
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _error: Any = None, /
        ) -> Any:
            started.append((status, headers))

        chunks = ClosingIterator(self.server.app(environ, start_response))
        with contextlib.closing(chunks):
            try:
                self._send(*started[-1], chunks)
                if body is not None:
                    self._drain(body)
            except OSError:
                self.close_connection = True

    def _send(self, status: str, headers: list[tuple[str, str]], chunks: Iterable[bytes]) -> None:
        code = int(status.partition(" ")[0])
        self.send_response_only(code, HTTPStatus(code).phrase if code in _STATUSES else "Unknown")
        announced = 0
        for name, value in headers:
            self.send_header(name, value)
            announced = int(value) if name.lower() == "content-length" else announced
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        sent = 0
        for chunk in chunks:
            self.wfile.write(chunk)
            sent += len(chunk)
        if sent != announced and self.command != "HEAD":
            self.close_connection = True

    def _drain(self, body: _Body) -> None:
        # Read the rest of the body: a caller that still sends must get the answer, not a reset.
        left = DRAINED_BYTES
        while body.left and left > 0:
            left -= len(body.read(64 * 1024)) or left
        self.close_connection = self.close_connection or body.left > 0

    def finish(self) -> None:
        """Close the connection, if it was not reset before."""
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log(self, type: str, message: str, *args: Any) -> None:
        """Log nothing: `GET /_sandbox/requests` lists the requests."""


class _Server(ThreadedWSGIServer):
    """A server that can close its open connections."""

    def __init__(self, host: str, port: int, app: WSGIApplication) -> None:
        super().__init__(host, port, app, _Connection)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection and serve it."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection and forget it."""
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Close every connection, so that no caller uses a stopped sandbox."""
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class SandboxServer:
    """A running sandbox: `with SandboxServer() as server: server.url`.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 picks one.
        settings: The settings of the start state that differ from their start values.

    Raises:
        InvalidControl: a setting is not valid.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        app = create_sandbox(settings)
        self._state = app.extensions[STATE]
        self._server = _Server(host, port, app)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="sandbox", daemon=True
        )
        self.url = f"http://{host}:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Serve until the block ends."""
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Release the delayed calls, close every connection, and stop."""
        self._server.shutdown()
        self._state.reset()
        self._server.close_connections()
        self._server.server_close()
        self._thread.join()
