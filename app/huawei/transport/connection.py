"""urllib3's connections, with one deadline and no second try."""

import contextlib
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from urllib3.connection import HTTPConnection, HTTPSConnection

from app.huawei.transport.addresses import Names, connect, left
from app.huawei.transport.reading import Answer
from app.huawei.transport.watch import WATCH

_OPTIONS = [
    *HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),  # seconds
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),  # seconds
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
]


class Stream(Protocol):
    """Something to read from."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at its end."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; the names of its headers are in lower case.

    `content` is None where it was longer than any proper answer.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes | None


class Connection(HTTPConnection):
    """A connection that is used again and again: a request, its answer, the next request.

    Args:
        host: A name or an IP address.
        port: The port.
        names: Look the name up.
    """

    auto_open = 0  # http.client would connect again in the middle of a request

    def __init__(self, host: str, port: int, names: Names, **options: Any) -> None:
        super().__init__(host, port, socket_options=_OPTIONS, **options)
        self._names = names
        self._ends = 0.0
        self._below: socket.socket | None = None
        self._answer: Answer | None = None
        self._late = False
        self.reusable = False
        self.idle_until = 0.0

    def open(self, ends: float) -> None:
        """Connect, by way of the proxy and by TLS if there are.

        Raises:
            OSError, HTTPException: if that fails or is not done at `ends`.
        """
        self.limit(ends)
        self.connect()
        if self._late:
            raise TimeoutError

    def _new_conn(self) -> socket.socket:
        addresses = self._names.addresses(self.host, self.port, self._ends)
        opened = connect(addresses, _OPTIONS, self._ends)
        self._below = opened.dup()  # TLS takes the other one apart
        return opened

    def exchange(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | Stream | None,
        read: float,
        ends: float,
    ) -> Reply:
        """Send a request once and read its whole answer, after `limit(ends)`.

        Args:
            method: The HTTP method.
            target: Path and query.
            headers: All headers but the length of a body of bytes.
            body: The body; a stream needs its length in the headers.
            read: Seconds in which the answer has to come once all is sent.
            ends: When all has to be over, by the monotonic clock.

        Raises:
            HTTPException, HTTPError, OSError, ValueError: if no whole answer comes in time.
        """
        self.reusable = False
        whole = True
        try:
            self.request(method, target, body, headers, preload_content=False)  # type: ignore[arg-type]
        except (BrokenPipeError, ConnectionResetError):
            whole = False  # an answer may have come before upstream had read everything
        self.limit(min(ends, time.monotonic() + read))
        response = self.getresponse()
        assert self._answer is not None  # noqa: S101 - for mypy
        content = self._answer.content()
        if self._late:  # which looks like the end of an answer that ends with its connection
            raise TimeoutError
        self.reusable = whole and self._answer.reusable and not self.is_closed
        found = {name.lower(): value for name, value in response.headers.itermerged()}
        return Reply(response.status, found, content)

    def response_class(self, *args: Any, **options: Any) -> Answer:  # type: ignore[override]
        """http.client's hook."""
        self._answer = Answer(*args, **options)
        return self._answer

    def limit(self, ends: float) -> None:
        """Let whatever waits for this connection fail at `ends` of the monotonic clock.

        Raises:
            TimeoutError: if that is over.
        """
        self._ends = ends
        self.timeout = left(ends)
        WATCH.until(self, ends, self._cut)

    def _cut(self) -> None:
        """End whatever waits for this connection."""
        self._late = True
        below = self._below
        if below is not None:
            with contextlib.suppress(OSError):
                below.shutdown(socket.SHUT_RDWR)

    def discard(self) -> None:
        """Close it for good. A limit that was set passes without effect."""
        answer, below, self._answer, self._below = self._answer, self._below, None, None
        if answer is not None:
            answer.close()
        if below is not None:
            below.close()
        self.close()


class SecureConnection(Connection, HTTPSConnection):
    """Such a connection by TLS."""
