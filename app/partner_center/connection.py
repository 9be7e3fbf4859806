"""One of Huawei's endpoints: kept-alive connections, safe to share by threads."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
)

from app.errors import ErrorCode, GatewayError
from app.partner_center.wire import Pool, SecurePool, Stream
from app.settings import AccountSettings

USER_AGENT = "partner-gateway"
POOL_SIZE = 512  # idle connections kept; more requests open more connections for a while

_ONCE = urllib3.Retry(False)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
# After these nothing was sent.
_NOT_SENT = (NewConnectionError, ConnectTimeoutError, NameResolutionError, ProxyError)


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
        self.url = url
        parts = urlsplit(url)
        self._host = parts.netloc.removesuffix(_DEFAULT_PORTS[parts.scheme])
        self._read_timeout = account.timeouts.read
        self._connect_timeout = account.timeouts.connect
        self._pool = _open_pool(url, account.ca_file, account.proxy)

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
            headers: All headers.
            body: The body; a stream needs its length in the headers.
            writes: Whether an answer that was lost leaves the outcome unknown.
            within: Seconds that are left for it, if they are fewer than the settings allow.

        Raises:
            GatewayError: UPSTREAM_UNREACHABLE if nothing was sent; OUTCOME_UNKNOWN (for a write)
                or UPSTREAM_ERROR if something was and no answer came back.
        """
        timeout = urllib3.Timeout(
            total=within if within < float("inf") else None,
            connect=self._connect_timeout,
            read=self._read_timeout,
        )
        try:
            response: Any = self._pool.urlopen(
                method,
                target,
                body=body,  # type: ignore[arg-type]  # urllib3 takes whatever has read()
                headers={"Host": self._host, "Accept-Encoding": "identity", **headers},
                timeout=timeout,
                retries=_ONCE,
                redirect=False,
            )
        except _NOT_SENT:
            raise GatewayError(ErrorCode.UPSTREAM_UNREACHABLE, write=writes) from None
        except (HTTPError, TimeoutError):
            # `from None`: the library's text can hold the path, the host and parts of the answer.
            code = ErrorCode.OUTCOME_UNKNOWN if writes else ErrorCode.UPSTREAM_ERROR
            raise GatewayError(code, write=writes) from None
        return Reply(response.status, response.headers, response.content)


def _open_pool(url: str, ca_file: Path | None, proxy: str | None) -> urllib3.HTTPConnectionPool:
    context = urllib3.util.create_urllib3_context(ssl_minimum_version=ssl.TLSVersion.TLSv1_2)
    # urllib3 would have the keys of every connection written to the environment's SSLKEYLOGFILE.
    context.keylog_filename = None  # type: ignore[assignment]  # typeshed does not know of it
    if ca_file:
        context.load_verify_locations(ca_file)
    else:
        context.load_default_certs()
    options: dict[str, Any] = {"maxsize": POOL_SIZE, "ssl_context": context, "retries": False}
    manager = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
    manager.pool_classes_by_scheme = {
        "http": Pool,
        "https": SecurePool,
    }
    return manager.connection_from_url(url)
