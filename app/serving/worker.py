"""gunicorn's gevent worker with limits for connections, and with an operations port of its own."""

import signal
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import Any

import gevent
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn.workers.ggevent import GeventWorker  # type: ignore[import-untyped]

from app.api.downloads import BY_PIECE
from app.gateway import Gateway
from app.serving import operations
from app.serving.body import TimedBody
from app.serving.connection import Connection, Patience
from app.serving.port import Port

DRAIN_PAUSE = 1.0  # seconds between "not ready" and the end of accepting connections

# The operations port serves the probes of a kubelet and the scrapes of a Prometheus.
OPERATIONS_CONNECTIONS = 200
OPERATIONS_WAITING = 50
OPERATIONS_PATIENCE = Patience(idle=75.0, head=5.0, answer=10.0)


class Worker(GeventWorker):  # type: ignore[misc]
    """gunicorn's gevent worker on two ports, of which neither can take the other's connections.

    The socket that gunicorn binds last is the operations port.
    """

    def load_wsgi(self) -> None:
        """Load the application, and decide what each port serves."""
        super().load_wsgi()
        self._application = application = self.app.wsgi()
        most = self.worker_connections
        server = self.gateway.settings.server
        patience = Patience(
            idle=server.keepalive, head=server.head_timeout, answer=self.cfg.graceful_timeout
        )
        self._callers = Port(application, patience, most // 2, most)
        self._operations = Port(
            operations.application(application),
            OPERATIONS_PATIENCE,
            OPERATIONS_WAITING,
            OPERATIONS_CONNECTIONS,
        )
        self.wsgi = _of_the_port

    @property
    def gateway(self) -> Gateway:
        """The gateway of the application."""
        found: Gateway = self._application.extensions["partner_gateway"]
        return found

    def run(self) -> None:
        """Serve both ports until the worker is told to end."""
        listener = self.sockets.pop()
        handle = partial(self._handle, self._operations, listener)
        server = StreamServer(listener, handle=handle, spawn=Pool(OPERATIONS_CONNECTIONS))
        server.start()
        super().run()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve a caller's connection until it ends."""
        self._handle(self._callers, listener, client, addr)

    def _handle(self, port: Port, listener: Any, client: Any, addr: Any) -> None:
        connection = Connection(client, port)
        with port.opened(connection):
            super().handle(listener, connection, addr)

    def timeout_ctx(self) -> AbstractContextManager[None]:
        """No further limit of time for a head: the connection has them."""
        return nullcontext()

    def handle_request(self, listener_name: Any, req: Any, sock: Connection, addr: Any) -> None:
        """Serve a request whose head is complete."""
        req.body = TimedBody(req, sock, self.cfg.graceful_timeout)
        with sock.port.serving(sock):
            gevent.sleep(0)  # pipelined requests would let no other greenlet run
            super().handle_request(listener_name, req, sock, addr)
        req.body.answered()

    def init_signals(self) -> None:
        """Set the handlers of signals. A signal that gunicorn's master ignores ends no worker."""
        super().init_signals()
        for number in (signal.SIGHUP, signal.SIGUSR2):
            signal.signal(number, signal.SIG_IGN)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Shut down gracefully.

        The gateway reports "not ready". After DRAIN_PAUSE it stops accepting connections of
        callers and closes idle ones, and then finishes the requests in progress. The operations
        port is served until the end.
        """
        if not self.booted:
            super().handle_exit(sig, frame)
            return
        self.gateway.draining.set()
        self.cfg.set("keepalive", 0)  # clients then reconnect, to another replica
        gevent.spawn_later(DRAIN_PAUSE, self._stop_accepting)

    def _stop_accepting(self) -> None:
        self.alive = False
        port = self._callers
        port.patience = replace(port.patience, idle=DRAIN_PAUSE)  # gunicorn stops within a second
        port.close_idle()


def _of_the_port(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The WSGI application: that of the port on which the request came."""
    connection: Connection = environ["gunicorn.socket"]
    environ[BY_PIECE] = connection.limit_pieces
    return connection.port.application(environ, start_response)
