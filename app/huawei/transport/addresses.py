"""Looks up the addresses of a host name and connects to one of them, both with a deadline."""

import socket
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult

from app.huawei.transport.watch import left

Address = tuple[int, Any]  # the address family, and the argument of `socket.connect`

PORTS = {"http": 80, "https": 443}  # by scheme, if a URL names none
_LOOPBACK = ("127.0.0.1", "::1")


def host_and_port(parts: SplitResult) -> tuple[str, int]:
    """The host and the port of a URL."""
    return parts.hostname or "", parts.port or PORTS[parts.scheme]


class Names:
    """Looks up host names.

    A look-up cannot be interrupted, so it runs in a thread of its own. Requests for the same name
    wait for the same thread, each until its own deadline.

    Args:
        resolve: The resolver, with the parameters of `socket.getaddrinfo`.
    """

    def __init__(self, resolve: Callable[..., Iterable[Any]] = socket.getaddrinfo) -> None:
        self._resolve = resolve
        self._lock = threading.Lock()
        self._pending: dict[tuple[str, int], Future[list[Address]]] = {}

    def addresses(self, host: str, port: int, ends: float) -> list[Address]:
        """The addresses of a host, in the order to try them.

        IP addresses are not looked up, and neither are `localhost` and the names below it, which
        mean the loopback addresses (RFC 6761).

        Args:
            host: A name or an IP address.
            port: The port of the addresses.
            ends: The deadline, by the monotonic clock.

        Raises:
            OSError: if the name has no address, or the deadline passes before the answer arrives.
        """
        if host == "localhost" or host.endswith(".localhost"):
            return [_numeric(address, port) for address in _LOOPBACK]
        try:
            return [_numeric(host, port)]
        except ValueError:
            return self._look_up(host, port).result(left(ends))

    def _look_up(self, host: str, port: int) -> Future[list[Address]]:
        with self._lock:
            pending = self._pending.get((host, port))
            if pending is None:
                pending = self._pending[host, port] = Future()
                work = (host, port, pending)
                threading.Thread(target=self._run, args=work, daemon=True).start()
            return pending

    def _run(self, host: str, port: int, pending: Future[list[Address]]) -> None:
        try:
            found = self._resolve(host, port, type=socket.SOCK_STREAM)
            pending.set_result([(entry[0], entry[4]) for entry in found])
        except (OSError, UnicodeError):  # IDNA raises UnicodeError for a name it cannot encode
            pending.set_exception(OSError("the name has no address"))
        finally:
            with self._lock:
                del self._pending[host, port]


def _numeric(host: str, port: int) -> Address:
    if ip_address(host).version == 4:
        return socket.AF_INET, (host, port)
    return socket.AF_INET6, (host, port, 0, 0)


def connect(addresses: list[Address], options: Iterable[Any], ends: float) -> socket.socket:
    """Connect to the first address that accepts a connection.

    Each address gets an equal share of the time left, so that a dead address leaves time for the
    next address.

    Args:
        addresses: The addresses, in the order to try them.
        options: Arguments of `setsockopt`.
        ends: The deadline, by the monotonic clock.

    Returns:
        The connected socket.

    Raises:
        OSError: if no address accepts a connection before the deadline.
    """
    error = OSError("the name has no address")
    for position, (family, address) in enumerate(addresses):
        share = left(ends) / (len(addresses) - position)
        try:
            opened = socket.socket(family, socket.SOCK_STREAM)
        except OSError as failed:  # the machine does not support the address family
            error = failed
            continue
        try:
            for option in options:
                opened.setsockopt(*option)
            opened.settimeout(share)
            opened.connect(address)
            opened.settimeout(left(ends))
            return opened
        except OSError as failed:
            opened.close()
            error = failed
        except BaseException:
            opened.close()
            raise
    raise error
