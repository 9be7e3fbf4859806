"""Kept-alive connections to one of Huawei's endpoints, safe to share by threads."""

import ssl
from pathlib import Path
from typing import Any

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
)

POOL_SIZE = 64  # idle connections kept; more requests open more connections for a while

# After these nothing was sent.
NOT_SENT = (NewConnectionError, ConnectTimeoutError, NameResolutionError, ProxyError)


class _HTTPSConnection(urllib3.connection.HTTPSConnection):
    """Tells a failed handshake, after which nothing was sent, from a connection lost later."""

    def connect(self) -> None:
        try:
            super().connect()
        except ssl.SSLError as error:
            raise NewConnectionError(self, "TLS handshake failed") from error


class _HTTPSConnectionPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


def open_pool(
    endpoint: str, ca_file: Path | None = None, proxy: str | None = None
) -> urllib3.HTTPConnectionPool:
    """A pool of connections with one TLS context: TLS 1.2 or newer, certificates verified.

    Neither proxies nor .netrc of the environment are looked at.

    Args:
        endpoint: Scheme, host and port.
        ca_file: Certificate authorities to trust in place of the machine's.
        proxy: An HTTP proxy's URL.
    """
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
    return manager.connection_from_url(endpoint)
