"""The connections to one endpoint: those in use, and idle ones that the next requests use."""

import logging
import ssl
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

from urllib3.connection import ProxyConfig

from app.huawei.transport.addresses import Names
from app.huawei.transport.authorities import Authorities
from app.huawei.transport.connection import Connection, SecureConnection
from app.huawei.transport.watch import WATCH
from app.observability.logs import event, logger
from app.settings.accounts import TimeoutSettings

MOST_IDLE = 512  # idle connections in the pool; more connections are closed after their answer
IDLE = 30.0  # seconds after which an idle connection is closed
_PORTS = {"http": 80, "https": 443}

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


class Pool:
    """Persistent connections to one endpoint. Threads may share it.

    Args:
        url: Scheme, host and port.
        way: The certificate authorities and the proxy.
        name: The account's name, for the log.
        idle: Seconds after which an idle connection is closed.
        resolve: The resolver, with the parameters of `socket.getaddrinfo`.
    """

    def __init__(
        self,
        url: str,
        way: Way,
        *,
        name: str | None,
        idle: float,
        resolve: Callable[..., Iterable[Any]],
    ) -> None:
        parts = urlsplit(url)
        self._name = name
        self.host = parts.netloc.removesuffix(f":{_PORTS[parts.scheme]}")
        self._address = _address(parts)
        self._proxy = urlsplit(way.proxy) if way.proxy else None
        self._authorities = Authorities(way.ca_file) if parts.scheme == "https" else None
        self._names = Names(resolve)
        self._idle_seconds = idle
        self._idle: deque[Connection] = deque()  # last in, first out
        weakref.finalize(self, _discard_all, self._idle)

    def acquire(self, within: float) -> Connection:
        """An idle connection that is still open, or a new connection.

        Args:
            within: Seconds to connect.

        Raises:
            HTTPException, HTTPError, OSError: if the connection fails or takes too long.
        """
        context = self._authorities.context() if self._authorities else None
        while (connection := _last(self._idle)) is not None:
            young = time.monotonic() < connection.idle_until
            same = getattr(connection, "ssl_context", None) is context
            if young and same and connection.is_connected:
                return connection
            connection.discard()
        connection = self._new_connection(context)
        try:
            connection.open(time.monotonic() + within)
        except BaseException as error:
            connection.discard()
            self._log_certificate(error)
            raise
        return connection

    def _new_connection(self, context: ssl.SSLContext | None) -> Connection:
        address = _address(self._proxy) if self._proxy else self._address
        options: dict[str, Any] = {"ssl_context": context} if context else {}
        if self._proxy:
            options["proxy_config"] = ProxyConfig(context, False, None, None)
        kind = SecureConnection if context else Connection
        connection: Connection = kind(*address, self._names, **options)
        if self._proxy:
            connection.set_tunnel(*self._address, scheme=self._proxy.scheme)
        return connection

    def release(self, connection: Connection) -> None:
        """Return the connection to the pool; close it if it is not reusable or the pool is full."""
        if not connection.reusable or len(self._idle) >= MOST_IDLE:
            connection.discard()
            return
        connection.idle_until = time.monotonic() + self._idle_seconds
        # Set this before the connection is in the pool: a request that gets it sets a deadline.
        WATCH.until(connection, connection.idle_until, partial(_expire, self._idle, connection))
        self._idle.append(connection)

    def _log_certificate(self, error: BaseException) -> None:
        if isinstance(error, ssl.SSLCertVerificationError):
            event(
                _LOG,
                logging.ERROR,
                "Upstream's certificate is not trusted; nothing was sent",
                account=self._name,
                host=self.host,
                reason="certificate verify failed",
                verify_code=error.verify_code,
            )


def _address(parts: SplitResult) -> tuple[str, int]:
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]


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
