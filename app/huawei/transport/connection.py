"""urllib3's connections with one deadline for each request and no second try."""

import contextlib
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Protocol, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from app.huawei.transport.addresses import Names, connect
from app.huawei.transport.response import Response
from app.huawei.transport.watch import WATCH, left

if TYPE_CHECKING:
    from app.huawei.transport.download import Download

FAILURES = (HTTPError, HTTPException, OSError)  # of a connection and its answers
_OPTIONS = [
    *HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),  # seconds
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),  # seconds
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
]


class Stream(Protocol):
    """A readable byte stream."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; empty at the end of the stream."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    Args:
        status: The HTTP status.
        headers: The headers, with names in lower case.
        content: The body; None if it is longer than MAX_CONTENT, or not read yet.
        rest: The body that is still to be read, if it is a download.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes | None
    rest: "Download | None" = None


class Connection(HTTPConnection):
    """A persistent connection: one request at a time, each followed by its answer.

    Args:
        host: A name or an IP address.
        port: The port.
        names: Looks up the name.
        options: Further arguments of urllib3's connection.
    """

    auto_open = 0  # otherwise http.client reconnects during a request

    def __init__(self, host: str, port: int, names: Names, **options: Any) -> None:
        super().__init__(host, port, socket_options=_OPTIONS, **options)
        self._names = names
        self._ends = 0.0
        self._below: socket.socket | None = None
        self._received: Response | None = None
        self._late = False
        self._answer: object = None
        self.reusable = False
        self.idle_until = 0.0

    def open(self, ends: float) -> None:
        """Connect, through the proxy and with TLS if they are configured.

        Args:
            ends: The deadline, by the monotonic clock.

        Raises:
            OSError, HTTPException: if the connection fails or the deadline passes.
        """
        self.limit(ends)
        self.connect()
        if self._late:
            raise TimeoutError

    def _new_conn(self) -> socket.socket:
        addresses = self._names.addresses(self.host, self.port, self._ends)
        opened = connect(addresses, _OPTIONS, self._ends)
        self._below = opened.dup()  # TLS detaches the descriptor of the other socket object
        return opened

    def exchange(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | Stream | None,
        read: float,
        ends: float,
        streams: bool = False,
    ) -> Reply:
        """Send a request once and read its answer. Call `limit(ends)` first.

        Args:
            method: The HTTP method.
            target: Path and query.
            headers: The headers; the length of a body of bytes is added.
            body: The body; the headers must hold the length of a stream.
            read: Seconds for the whole answer, from the end of sending.
            ends: The deadline of the request, by the monotonic clock.
            streams: Whether `piece` reads the body of an answer with status 200.

        Raises:
            HTTPException, HTTPError, OSError, ValueError: if no whole answer arrives in time.
        """
        whole = True
        try:
            self.request(method, target, body, headers, preload_content=False)  # type: ignore[arg-type]
        except (BrokenPipeError, ConnectionResetError):
            whole = False  # upstream may have answered before it had read the whole request
        self.limit(min(ends, time.monotonic() + read))
        # Keep urllib3's answer: when it is collected, it closes the body that is not read yet.
        self._answer = response = self.getresponse()
        received = cast(Response, self._received)  # which `response_class` has set
        streams = streams and response.status == 200
        content = None if streams else received.content()
        if self._late:  # the cut connection can look like the end of an answer without a length
            raise TimeoutError
        self.reusable = whole and received.reusable and not self.is_closed
        found = {name.lower(): value for name, value in response.headers.itermerged()}
        return Reply(response.status, found, content)

    def piece(self, size: int, ends: float) -> bytes:
        """Read the next bytes of the body.

        Args:
            size: The most bytes.
            ends: The deadline of the read, by the monotonic clock.

        Returns:
            The bytes; fewer than `size` only at the end of the body, where they are empty at last.

        Raises:
            HTTPException, OSError, ValueError: if they do not arrive in time, or the connection
                ends within the body.
        """
        received = cast(Response, self._received)
        self.limit(ends)
        content = received.piece(size)
        if self._late:
            raise TimeoutError
        return content

    def response_class(self, *args: Any, **options: Any) -> Response:  # type: ignore[override]
        """http.client's hook for the class of the answer."""
        self._received = Response(*args, **options)
        return self._received

    def limit(self, ends: float) -> None:
        """Set the deadline: every operation on this connection fails when it passes.

        Args:
            ends: The deadline, by the monotonic clock.

        Raises:
            TimeoutError: if the deadline has passed.
        """
        self._ends = ends
        self.timeout = left(ends)
        WATCH.until(self, ends, self._cut)

    def _cut(self) -> None:
        """Shut the socket down, so that the operation that waits for it fails."""
        self._late = True
        below = self._below
        if below is not None:
            with contextlib.suppress(OSError):
                below.shutdown(socket.SHUT_RDWR)

    def discard(self) -> None:
        """Close the connection for good. A deadline that was set has no further effect."""
        received, below = self._received, self._below
        self._answer = self._received = self._below = None
        if received is not None:
            received.close()
        if below is not None:
            below.close()
        self.close()


class SecureConnection(Connection, HTTPSConnection):
    """A persistent connection with TLS."""
