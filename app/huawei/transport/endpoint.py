"""An endpoint of Huawei or of another service, with a pool of connections for many threads."""

import logging
import socket
import ssl
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from urllib3.connection import ProxyConfig

from app.errors import ErrorCode, GatewayError
from app.huawei.transport.addresses import PORTS, Names, host_and_port
from app.huawei.transport.authorities import Authorities
from app.huawei.transport.connection import (
    FAILURES,
    Connection,
    Reply,
    SecureConnection,
    Stream,
)
from app.huawei.transport.download import Download
from app.huawei.transport.watch import WATCH
from app.observability.logs import event, logger
from app.settings.accounts import TimeoutSettings

USER_AGENT = "partner-gateway"
MOST_IDLE = 512  # idle connections in the pool
IDLE = 30.0  # seconds after which an idle connection is closed
LONGEST = 60.0  # seconds, the default deadline of a request

_LOG = logger("transport")


class Way(Protocol):
    """The way to an endpoint, as an account's settings describe it."""

    @property
    def ca_file(self) -> Path | None:
        """The file of the certificate authorities; None for the machine's authorities."""

    @property
    def proxy(self) -> str | None:
        """The URL of the proxy, if there is one."""

    @property
    def timeouts(self) -> TimeoutSettings:
        """The timeouts of a request."""


class Endpoint:
    """Sends requests to one endpoint.

    It uses TLS 1.2 or newer and verifies certificates. It does not follow redirects, and ignores
    the environment's proxies and .netrc.

    Args:
        url: Scheme, host and port.
        way: The timeouts, certificate authorities and proxy, as in the settings of an account.
        name: The account's name, for the log.
        idle: Seconds after which an idle connection is closed.
        most_idle: The most idle connections; others are closed after their answer.
        resolve: The resolver, with the parameters of `socket.getaddrinfo`.
    """

    def __init__(
        self,
        url: str,
        way: Way,
        *,
        name: str | None = None,
        idle: float = IDLE,
        most_idle: int = MOST_IDLE,
        resolve: Callable[..., Iterable[Any]] = socket.getaddrinfo,
    ) -> None:
        parts = urlsplit(url)
        self.url = url
        self._name = name
        self._host = parts.netloc.removesuffix(f":{PORTS[parts.scheme]}")
        self._address = host_and_port(parts)
        self._proxy = urlsplit(way.proxy) if way.proxy else None
        self._authorities = Authorities(way.ca_file) if parts.scheme == "https" else None
        self._names = Names(resolve)
        self._timeouts = way.timeouts
        self._idle_seconds, self._most_idle = idle, most_idle
        self._idle: deque[Connection] = deque()  # last in, first out
        weakref.finalize(self, _discard_all, self._idle)

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | Stream | None,
        *,
        writes: bool,
        ends: float | None = None,
        longest: float | None = None,
        turn: Callable[[], None] | None = None,
    ) -> Reply:
        """Send a request once and read the whole answer, or the head of a download.

        Args:
            method: The HTTP method.
            target: Path and query.
            headers: The headers; `Host`, `Accept-Encoding` and `User-Agent` have defaults.
            body: The body; the headers must hold the length of a stream.
            writes: Whether the request writes, so that a lost answer leaves its outcome unknown.
            ends: The deadline of the request, by the monotonic clock; by default in LONGEST.
            longest: Makes the answer a download if its status is 200: seconds until the deadline
                of its body, which is left in `rest` and must be closed.
            turn: Waits until the request may be sent; called once a connection is open.

        Raises:
            GatewayError: UPSTREAM_UNREACHABLE, DEADLINE_EXCEEDED or by `turn` if nothing was sent;
                OUTCOME_UNKNOWN (for a write) or UPSTREAM_ERROR if something was sent and no whole
                answer came back.
            ValueError: if a header cannot be sent; nothing was sent.
        """
        now = time.monotonic()
        ends = now + LONGEST if ends is None else ends
        if ends <= now:
            raise GatewayError(ErrorCode.DEADLINE_EXCEEDED, write=writes)
        headers = {
            "Host": self._host,
            "Accept-Encoding": "identity",
            "User-Agent": USER_AGENT,
            **headers,
        }
        _check(headers)
        # `from None`: exception texts of the libraries can hold the path or parts of the answer.
        try:
            connection = self._connection(ends)
        except FAILURES as error:
            self._log_certificate(error)
            raise GatewayError(ErrorCode.UPSTREAM_UNREACHABLE, write=writes) from None
        try:
            _take_turn(connection, turn, ends, writes)
            patience, streams = self._timeouts.read, longest is not None
            reply = connection.exchange(method, target, headers, body, patience, ends, streams)
            if longest is not None and reply.status == 200:
                return replace(reply, rest=Download(connection, patience, longest))
        except (*FAILURES, ValueError):
            connection.discard()
            code = ErrorCode.OUTCOME_UNKNOWN if writes else ErrorCode.UPSTREAM_ERROR
            raise GatewayError(code, write=writes) from None
        except BaseException:
            connection.discard()
            raise
        self._release(connection)
        return reply

    def _connection(self, ends: float) -> Connection:
        """An idle connection that is still open, or a new connection."""
        context = self._authorities.context() if self._authorities else None
        while (connection := _last(self._idle)) is not None:
            young = time.monotonic() < connection.idle_until
            same = getattr(connection, "ssl_context", None) is context
            if young and same and connection.is_connected:
                return connection
            connection.discard()
        connection = self._new_connection(context)
        try:
            connection.open(min(time.monotonic() + self._timeouts.connect, ends))
            connection.limit(ends)
        except BaseException:
            connection.discard()
            raise
        return connection

    def _new_connection(self, context: ssl.SSLContext | None) -> Connection:
        peer = host_and_port(self._proxy) if self._proxy else self._address
        options: dict[str, Any] = {"ssl_context": context} if context else {}
        if self._proxy:
            options["proxy_config"] = ProxyConfig(context, False, None, None)
        kind = SecureConnection if context else Connection
        connection: Connection = kind(*peer, self._names, **options)
        if self._proxy:
            connection.set_tunnel(*self._address, scheme=self._proxy.scheme)
        return connection

    def _release(self, connection: Connection) -> None:
        """Return the connection to the pool; close it if it is not reusable or the pool is full."""
        if not connection.reusable or len(self._idle) >= self._most_idle:
            connection.discard()
            return
        connection.idle_until = time.monotonic() + self._idle_seconds
        # Set this before the connection is in the pool: a request that gets it sets a deadline.
        WATCH.until(connection, connection.idle_until, partial(_expire, self._idle, connection))
        self._idle.append(connection)

    def _log_certificate(self, error: Exception) -> None:
        if isinstance(error, ssl.SSLCertVerificationError):
            event(
                _LOG,
                logging.ERROR,
                "Upstream's certificate is not trusted; nothing was sent",
                account=self._name,
                host=self._host,
                reason="certificate verify failed",
                verify_code=error.verify_code,
            )


def _take_turn(
    connection: Connection, turn: Callable[[], None] | None, ends: float, writes: bool
) -> None:
    if turn is not None:
        turn()
    try:
        connection.limit(ends)
    except TimeoutError:
        raise GatewayError(ErrorCode.DEADLINE_EXCEEDED, write=writes) from None


def _check(headers: Mapping[str, str]) -> None:
    text = "".join([f"{name}{headers[name]}" for name in headers])
    # The errors do not name the header, whose value can be a secret.
    if "\r" in text or "\n" in text:
        raise ValueError("a line break in a header")
    if not text.isascii():
        raise ValueError("a header that is not ASCII")


def _last(idle: deque[Connection]) -> Connection | None:
    try:
        return idle.pop()
    except IndexError:
        return None


def _expire(idle: deque[Connection], connection: Connection) -> None:
    try:
        idle.remove(connection)
    except ValueError:  # a request uses the connection
        return
    connection.discard()


def _discard_all(idle: deque[Connection]) -> None:
    while (connection := _last(idle)) is not None:
        connection.discard()
