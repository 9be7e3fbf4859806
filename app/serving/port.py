"""A port of the worker: what it serves, and the bound on connections that wait for a request."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from app.serving.connection import Connection, Patience

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Port:
    """A port and its open connections.

    A connection without a request in progress waits for a request. If too many wait, the port
    closes the connection that has waited longest, so that it always accepts the next one.

    Args:
        application: The WSGI application that it serves.
        patience: The limits of time of new connections.
        most_waiting: The number of connections that may wait.
        most: The number of connections at which one that waits is closed for a new one.
    """

    def __init__(
        self, application: Application, patience: Patience, most_waiting: int, most: int
    ) -> None:
        self.application = application
        self.patience = patience
        self._most_waiting = most_waiting
        self._most = most
        self._open = 0
        self._waiting: dict[Connection, None] = {}  # in the order of their waiting

    @contextmanager
    def opened(self, connection: Connection) -> Iterator[None]:
        """Count the connection within this context; it waits for its first request."""
        self._open += 1
        self._wait(connection)
        try:
            yield
        finally:
            self._open -= 1
            self._waiting.pop(connection, None)

    @contextmanager
    def serving(self, connection: Connection) -> Iterator[None]:
        """Count a request in progress within this context; then the connection waits again."""
        self._waiting.pop(connection, None)
        try:
            yield
        finally:
            connection.next_request()
            self._wait(connection)

    def close_idle(self) -> None:
        """Close the connections that wait and have sent no part of a request."""
        for connection in tuple(self._waiting):
            connection.close_if_silent(within_a_head=False)

    def _wait(self, connection: Connection) -> None:
        if len(self._waiting) >= self._most_waiting or self._open >= self._most:
            self._make_room()
        self._waiting[connection] = None

    def _make_room(self) -> None:
        for connection in self._waiting:
            if connection.close_if_silent(within_a_head=True):
                del self._waiting[connection]
                return
