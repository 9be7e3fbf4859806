"""One of Huawei's endpoints: kept-alive connections, safe to share by threads."""

import contextlib
import ssl
import time
import weakref
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import urllib3
from urllib3.connection import ProxyConfig
from urllib3.exceptions import HTTPError

from app.errors import ErrorCode, GatewayError
from app.partner_center.wire import Connection, SecureConnection, Stream
from app.settings import AccountSettings

USER_AGENT = "partner-gateway"
MOST_IDLE = 512  # connections; more requests at once open more, which are closed when they are over

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whole; the names of its headers are in lower case.

    `content` is None where it was longer than any proper answer.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes | None


class Endpoint:
    """Sends requests to one of Huawei's endpoints.

    One TLS context for all connections: TLS 1.2 or newer, certificates verified. Redirects are
    not followed, and neither proxies nor .netrc of the environment are looked at.

    Args:
        url: Scheme, host and port.
        account: Settings of the account: timeouts, certificate authorities, proxy.
    """

    def __init__(self, url: str, account: AccountSettings) -> None:
        parts = urlsplit(url)
        self.url = url
        self._host = parts.netloc.removesuffix(f":{_PORTS[parts.scheme]}")
        self._address = parts.hostname or "", _port(parts)
        self._proxy = urlsplit(account.proxy) if account.proxy else None
        self._context = _context(account.ca_file) if parts.scheme == "https" else None
        self._timeouts = account.timeouts
        self._idle: deque[Connection] = deque()  # the one used last is used next
        weakref.finalize(self, _close, self._idle)

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | Stream | None,
        *,
        writes: bool,
        within: float = float("inf"),
    ) -> Reply:
        """Send a request once and read the whole answer.

        Args:
            method: The HTTP method.
            target: Path and query.
            headers: The headers; `Host`, if it is not among them, and the like are added.
            body: The body; a stream needs its length in the headers.
            writes: Whether an answer that was lost leaves the outcome unknown.
            within: Seconds that are left for it, if they are fewer than the settings allow.

        Raises:
            GatewayError: UPSTREAM_UNREACHABLE or DEADLINE_EXCEEDED if nothing was sent;
                OUTCOME_UNKNOWN (for a write) or UPSTREAM_ERROR if something was and no answer
                came back.
        """
        if within <= 0:
            raise GatewayError(ErrorCode.DEADLINE_EXCEEDED, write=writes)
        ends = time.monotonic() + within
        # `from None`: libraries' texts can hold the path, the host and parts of the answer.
        try:
            connection = self._connection(min(self._timeouts.connect, within))
        except (HTTPError, HTTPException, OSError):
            raise GatewayError(ErrorCode.UPSTREAM_UNREACHABLE, write=writes) from None
        if time.monotonic() >= ends:
            connection.close()
            raise GatewayError(ErrorCode.DEADLINE_EXCEEDED, write=writes)
        headers = {"Host": self._host, "Accept-Encoding": "identity", **headers}
        try:
            response = connection.exchange(method, target, headers, body, self._timeouts.read, ends)
        except (HTTPError, OSError):
            connection.close()
            code = ErrorCode.OUTCOME_UNKNOWN if writes else ErrorCode.UPSTREAM_ERROR
            raise GatewayError(code, write=writes) from None
        except BaseException:
            connection.close()
            raise
        if response.reusable and len(self._idle) < MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()
        return Reply(response.status, response.headers, response.content)

    def _connection(self, timeout: float) -> Connection:
        """An idle connection that is still open, or a new one."""
        with contextlib.suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if connection.is_connected:
                    connection.timeout = timeout
                    return connection
                connection.close()
        connection = self._new_connection(timeout)
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        return connection

    def _new_connection(self, timeout: float) -> Connection:
        host, port = self._address
        options: dict[str, Any] = {"timeout": timeout}
        if self._proxy:
            host, port = self._proxy.hostname or "", _port(self._proxy)
            options["proxy_config"] = ProxyConfig(self._context, False, None, None)
        elif host.endswith(".localhost"):
            # Such a name is this machine (RFC 6761 section 6.3), which not every resolver knows.
            # The Host header and the certificate check keep the whole name.
            if self._context:
                options["server_hostname"] = host
            host = "localhost"
        if self._context:
            options["ssl_context"] = self._context
        kind = SecureConnection if self._context else Connection
        connection: Connection = kind(host, port, **options)
        if self._proxy:
            connection.set_tunnel(*self._address, scheme=self._proxy.scheme)
        return connection


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]


def _close(connections: deque[Connection]) -> None:
    while connections:
        connections.pop().close()


def _context(ca_file: Path | None) -> ssl.SSLContext:
    context = urllib3.util.create_urllib3_context(ssl_minimum_version=ssl.TLSVersion.TLSv1_2)
    # urllib3 would have the keys of every connection written to the environment's SSLKEYLOGFILE.
    context.keylog_filename = None  # type: ignore[assignment]  # typeshed does not know of it
    if ca_file:
        context.load_verify_locations(ca_file)
    else:
        context.load_default_certs()
    return context
