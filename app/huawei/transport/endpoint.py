"""One of Huawei's endpoints, with a pool of persistent connections. Threads may share it."""

import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from app.errors import ErrorCode, GatewayError
from app.huawei.transport.connection import FAILURES, Connection, Reply, Stream
from app.huawei.transport.download import Download
from app.huawei.transport.pool import IDLE, Pool, Way

USER_AGENT = "partner-gateway"
LONGEST = 60.0  # seconds, the default deadline of a request


class Endpoint:
    """Sends requests to one endpoint.

    It uses TLS 1.2 or newer and verifies certificates. It does not follow redirects, and ignores
    the environment's proxies and .netrc.

    Args:
        url: Scheme, host and port.
        way: The timeouts, certificate authorities and proxy, as in the settings of an account.
        name: The account's name, for the log.
        idle: Seconds after which an idle connection is closed.
        resolve: The resolver, with the parameters of `socket.getaddrinfo`.
    """

    def __init__(
        self,
        url: str,
        way: Way,
        *,
        name: str | None = None,
        idle: float = IDLE,
        resolve: Callable[..., Iterable[Any]] = socket.getaddrinfo,
    ) -> None:
        self.url = url
        self._pool = Pool(url, way, name=name, idle=idle, resolve=resolve)
        self._timeouts = way.timeouts

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | Stream | None,
        *,
        writes: bool,
        within: float = LONGEST,
    ) -> Reply:
        """Send a request once and read the whole answer.

        Args:
            method: The HTTP method.
            target: Path and query.
            headers: The headers. `Host`, `Accept-Encoding` and `User-Agent` are added if they are
                missing.
            body: The body; the headers must hold the length of a stream.
            writes: Whether the request writes, so that a lost answer leaves its outcome unknown.
            within: Seconds until the deadline of the whole request.

        Raises:
            GatewayError: UPSTREAM_UNREACHABLE or DEADLINE_EXCEEDED if nothing was sent;
                OUTCOME_UNKNOWN (for a write) or UPSTREAM_ERROR if something was sent and no whole
                answer came back.
            ValueError: if a header cannot be sent; nothing was sent.
        """
        ends = _ends(within, writes)
        headers = self._completed(headers)
        with self._started(within, ends, writes) as connection:
            reply = connection.exchange(method, target, headers, body, self._timeouts.read, ends)
        self._pool.release(connection)
        return reply

    def download(
        self, target: str, headers: Mapping[str, str], *, within: float, longest: float
    ) -> Reply | Download:
        """Ask for a body of any length, which the caller of this method reads by and by.

        Args:
            target: Path and query.
            headers: The headers, as for `send`.
            within: Seconds until the deadline of the head.
            longest: Seconds until the deadline of the whole body.

        Returns:
            The download, if the status is 200; it has a connection of its own, and must be closed.
            Otherwise the whole answer.

        Raises:
            GatewayError: as `send` for a request that does not write.
            ValueError: if a header cannot be sent; nothing was sent.
        """
        ends = _ends(within, False)
        headers = self._completed(headers)
        with self._started(within, ends, False) as connection:
            head = connection.ask("GET", target, headers, None, self._timeouts.read, ends)
            if head.status == 200:
                return Download(connection, head, self._timeouts.read, longest)
            reply = connection.whole(head)
        self._pool.release(connection)
        return reply

    def _completed(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        completed = {
            "Host": self._pool.host,
            "Accept-Encoding": "identity",
            "User-Agent": USER_AGENT,
            **headers,
        }
        _check(completed)
        return completed

    @contextmanager
    def _started(self, within: float, ends: float, writes: bool) -> Iterator[Connection]:
        """A connection for one request. It is discarded if the block raises.

        Raises:
            GatewayError: as `send` does.
        """
        # `from None`: exception texts of the libraries can hold the path or parts of the answer.
        try:
            connection = self._pool.acquire(min(self._timeouts.connect, within))
        except FAILURES:
            raise GatewayError(ErrorCode.UPSTREAM_UNREACHABLE, write=writes) from None
        try:
            connection.limit(ends)
        except TimeoutError:
            connection.discard()
            raise GatewayError(ErrorCode.DEADLINE_EXCEEDED, write=writes) from None
        try:
            yield connection
        except (*FAILURES, ValueError):
            connection.discard()
            code = ErrorCode.OUTCOME_UNKNOWN if writes else ErrorCode.UPSTREAM_ERROR
            raise GatewayError(code, write=writes) from None
        except BaseException:
            connection.discard()
            raise


def _ends(within: float, writes: bool) -> float:
    """The deadline, by the monotonic clock.

    Raises:
        GatewayError: DEADLINE_EXCEEDED if it has passed.
    """
    if within <= 0:
        raise GatewayError(ErrorCode.DEADLINE_EXCEEDED, write=writes)
    return time.monotonic() + within


def _check(headers: Mapping[str, str]) -> None:
    text = "".join([f"{name}{headers[name]}" for name in headers])
    # The errors do not name the header, whose value can be a secret.
    if "\r" in text or "\n" in text:
        raise ValueError("a line break in a header")
    if not text.isascii():
        raise ValueError("a header that is not ASCII")
