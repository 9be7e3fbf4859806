"""One of Huawei's endpoints: kept-alive connections, safe to share by threads."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
)

from app.errors import ErrorCode, GatewayError
from app.settings import AccountSettings

POOL_SIZE = 64  # idle connections kept; more requests open more connections for a while
MAX_ANSWER = 1024 * 1024  # bytes; the longest documented answer has a few KiB

# After these nothing was sent.
_NOT_SENT = (NewConnectionError, ConnectTimeoutError, NameResolutionError, ProxyError)


class Stream(Protocol):
    """Something to read from."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at its end."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whole; `content` is None where it was longer than any proper answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes | None


class _HTTPSConnection(urllib3.connection.HTTPSConnection):
    """Tells a failed handshake, after which nothing was sent, from a connection lost later."""

    def connect(self) -> None:
        try:
            super().connect()
        except ssl.SSLError as error:
            raise NewConnectionError(self, "TLS handshake failed") from error


class _HTTPSConnectionPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class Endpoint:
    """Sends requests to one of Huawei's endpoints.

    One TLS context for all connections: TLS 1.2 or newer, certificates verified. Redirects are
    not followed, and neither proxies nor .netrc of the environment are looked at.

    Args:
        url: Scheme, host and port.
        account: Settings of the account: timeouts, certificate authorities, proxy.
    """

    def __init__(self, url: str, account: AccountSettings) -> None:
        self.url = url
        self._read_timeout = account.timeouts.read
        self._timeout = urllib3.Timeout(
            connect=account.timeouts.connect, read=account.timeouts.read
        )
        self._pool = _open_pool(url, account.ca_file, account.proxy)

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | Stream | None,
        *,
        writes: bool,
    ) -> Reply:
        """Send a request once and read the whole answer.

        Args:
            method: The HTTP method.
            target: Path and query.
            headers: All headers.
            body: The body; a stream needs its length in the headers.
            writes: Whether an answer that was lost leaves the outcome unknown.

        Raises:
            GatewayError: UPSTREAM_UNREACHABLE if nothing was sent; OUTCOME_UNKNOWN (for a write)
                or UPSTREAM_ERROR if something was and no answer came back.
        """
        try:
            response = self._pool.urlopen(
                method,
                target,
                body=body,  # type: ignore[arg-type]  # urllib3 takes whatever has read()
                headers=dict(headers),
                timeout=self._timeout,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            content = self._read(response)
        except _NOT_SENT:
            raise GatewayError(ErrorCode.UPSTREAM_UNREACHABLE, write=writes) from None
        except (HTTPError, TimeoutError):
            # `from None`: the library's text can hold the path, the host and parts of the answer.
            code = ErrorCode.OUTCOME_UNKNOWN if writes else ErrorCode.UPSTREAM_ERROR
            raise GatewayError(code, write=writes) from None
        return Reply(response.status, response.headers, content)

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes | None:
        """The content. A socket's timeout is per read: a dripping answer needs its own clock."""
        ends = time.monotonic() + self._read_timeout
        content = bytearray()
        try:
            while chunk := response.read1(65536):
                content += chunk
                if len(content) > MAX_ANSWER:
                    response.close()
                    return None
                if time.monotonic() > ends:
                    raise TimeoutError
        except BaseException:
            response.close()
            raise
        response.release_conn()
        return bytes(content)


def _open_pool(url: str, ca_file: Path | None, proxy: str | None) -> urllib3.HTTPConnectionPool:
    context = urllib3.util.create_urllib3_context(ssl_minimum_version=ssl.TLSVersion.TLSv1_2)
    if ca_file:
        context.load_verify_locations(ca_file)
    else:
        context.load_default_certs()
    options: dict[str, Any] = {"maxsize": POOL_SIZE, "ssl_context": context, "retries": False}
    manager = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
    manager.pool_classes_by_scheme = {
        "http": urllib3.HTTPConnectionPool,
        "https": _HTTPSConnectionPool,
    }
    return manager.connection_from_url(url)
