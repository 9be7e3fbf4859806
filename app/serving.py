"""Additions to gunicorn and gevent: deadlines for requests, silent errors, graceful shutdown."""

import signal
import time
from typing import Any

import gevent
from gevent.hub import Hub
from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http.body import Body  # type: ignore[import-untyped]
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]

from app.api.problems.document import raw_answer
from app.gateway import Gateway
from app.observability import logs

DRAIN_PAUSE = 1.0  # seconds between "not ready" and the end of accepting connections


class TimedBody(Body):  # type: ignore[misc]
    """The body of a request, with a time limit.

    Reading it raises an OSError, which becomes 400, if the limit passes or a chunk is malformed.

    Args:
        body: gunicorn's body.
        seconds: The time limit for the whole body.
    """

    def __init__(self, body: Body, seconds: float) -> None:
        super().__init__(body.reader)
        self._left = seconds

    def read(self, size: int | None = None) -> bytes:
        """At most `size` bytes, or the rest of the body; empty at its end.

        Raises:
            TimeoutError: if the time limit passes.
            ConnectionError: if a chunk is malformed.
        """
        begun = time.monotonic()
        try:
            with gevent.Timeout(self._left, TimeoutError()):
                content: bytes = super().read(size)
        except ParseException as error:  # a malformed chunk
            raise ConnectionError from error
        finally:
            self._left -= time.monotonic() - begun
        return content


def limit_times(worker: Any, request: Any) -> None:
    """Limit the time to receive the body and to send the answer (gunicorn's `pre_request`)."""
    seconds = worker.cfg.graceful_timeout  # a worker that ends waits no longer either
    request.body = TimedBody(request.body, seconds)
    request.unreader.sock.settimeout(seconds)


def silence_errors() -> None:
    """Prevent that contents of requests and exceptions are answered or printed.

    gunicorn's error page for a malformed request quotes the request, for example a key in a
    header without a colon. gevent and Python print the texts of uncaught exceptions.
    """

    def refuse(sock: Any, status: int, _reason: str, _message: str) -> None:
        util.write_nonblock(sock, raw_answer(status))

    def log(_hub: Any, _context: Any, _kind: Any, error: Any, _traceback: Any) -> None:
        logs.unexpected(error, "greenlet")

    util.write_error = refuse
    Hub.print_exception = log
    logs.catch_the_rest()


def drain_on_sigterm(worker: Any, gateway: Gateway) -> None:
    """Shut down gracefully on SIGTERM.

    The gateway reports "not ready", then stops accepting connections after DRAIN_PAUSE, and then
    finishes the requests in progress.
    """

    def drain(*signal_and_frame: Any) -> None:
        gateway.draining.set()
        worker.cfg.set("keepalive", 0)  # clients then reconnect, to another replica
        gevent.spawn_later(DRAIN_PAUSE, worker.handle_exit, *signal_and_frame)

    signal.signal(signal.SIGTERM, drain)
