"""The addresses of a name, and a TCP connection to one of them, each within its time."""

import socket
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from ipaddress import ip_address
from typing import Any

Address = tuple[int, Any]  # the family, and what `socket.connect` takes

_LOOPBACK = ("127.0.0.1", "::1")


def left(ends: float) -> float:
    """Seconds left until `ends` of the monotonic clock.

    Raises:
        TimeoutError: if there are none.
    """
    seconds = ends - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


class Names:
    """Looks names up. A look-up cannot be interrupted: it runs in a thread, one for each name.

    All who ask for the name meanwhile wait for the same thread, each within its own time.

    Args:
        resolve: The resolver, called as `socket.getaddrinfo` is.
    """

    def __init__(self, resolve: Callable[..., Iterable[Any]] = socket.getaddrinfo) -> None:
        self._resolve = resolve
        self._lock = threading.Lock()
        self._pending: dict[tuple[str, int], Future[list[Address]]] = {}

    def addresses(self, host: str, port: int, ends: float) -> list[Address]:
        """The addresses of a host, in the order in which they are to be tried.

        An IP address stands for itself, and `localhost` and all names below it for the loopback
        addresses (RFC 6761): these are not looked up.

        Raises:
            OSError: if the name has no address, or the time ends before the answer is there.
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
        except (OSError, UnicodeError):  # a name that IDNA cannot hold is a UnicodeError
            pending.set_exception(OSError("the name has no address"))
        finally:
            with self._lock:
                del self._pending[host, port]


def _numeric(host: str, port: int) -> Address:
    if ip_address(host).version == 4:
        return socket.AF_INET, (host, port)
    return socket.AF_INET6, (host, port, 0, 0)


def connect(addresses: list[Address], options: Iterable[Any], ends: float) -> socket.socket:
    """A connection to the first address that accepts one.

    Each address may use an equal share of the time that is left, so that a dead one leaves time
    for the next.

    Raises:
        OSError: if none of them does within the time.
    """
    error = OSError("the name has no address")
    for position, (family, address) in enumerate(addresses):
        share = left(ends) / (len(addresses) - position)
        try:
            opened = socket.socket(family, socket.SOCK_STREAM)
        except OSError as failed:  # the machine does not know the family
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
