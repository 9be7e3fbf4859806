"""A TCP relay: an address whose server is replaced, slow to reach, or loses an answer."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

CHUNK = 64 * 1024  # bytes


class Relay:
    """An address that leads to a port of this machine.

    Args:
        port: The port that new connections lead to. It may be replaced; established connections
            stay with the old one.
        delay: Seconds by which each chunk of bytes arrives later.
    """

    def __init__(self, port: int, delay: float = 0.0) -> None:
        self.target = port
        self._delay = delay
        self._lost: int | None = None
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """Break all connections and accept no more."""
        _shut(self._listener)
        self._threads[0].join()
        self.cut()
        for thread in self._threads:
            thread.join()

    def cut(self) -> None:
        """Break the established connections."""
        for end in self._ends:
            _shut(end)
        self._ends.clear()

    def lose_answer(self, after: int = 0) -> None:
        """Break the connection in place of one answer: the next, or one after so many others."""
        self._lost = after

    def _accept(self) -> None:
        with self._listener:
            while True:
                try:
                    near, _ = self._listener.accept()
                except OSError:
                    return
                thread = threading.Thread(target=self._serve, args=(near,))
                self._threads.append(thread)
                self._ends.append(near)
                thread.start()

    def _serve(self, near: socket.socket) -> None:
        with near:
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            with far:
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
                back = threading.Thread(target=self._copy, args=(far, near, True))
                back.start()
                self._copy(near, far, False)
                back.join()

    def _copy(self, source: socket.socket, destination: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(CHUNK):
                if answers and self._is_lost():
                    break
                time.sleep(self._delay)
                destination.sendall(chunk)
        _shut(source)
        _shut(destination)

    def _is_lost(self) -> bool:
        """Whether the answer that has arrived is the one to lose."""
        lost = self._lost
        self._lost = lost - 1 if lost else None
        return lost == 0


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def relay(port: int, delay: float = 0.0) -> Iterator[Relay]:
    """A relay to a port; it accepts connections until the end of the context."""
    opened = Relay(port, delay)
    try:
        yield opened
    finally:
        opened.close()
