"""What gunicorn and gevent leave open, closed: how a request comes in, and how a process ends."""

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

DRAIN_PAUSE = 1.0  # seconds between "not ready" and the closed door


class PatientBody(Body):  # type: ignore[misc]
    """The body of a request, which has to come within its time and in proper chunks.

    Otherwise reading it raises an OSError: 400.

    Args:
        body: gunicorn's body.
        patience: Seconds to wait for it in all.
    """

    def __init__(self, body: Body, patience: float) -> None:
        super().__init__(body.reader)
        self._left = patience

    def read(self, size: int | None = None) -> bytes:
        """The next bytes."""
        begun = time.monotonic()
        try:
            with gevent.Timeout(self._left, TimeoutError()):
                content: bytes = super().read(size)
        except ParseException as error:  # of a chunk
            raise ConnectionError from error
        finally:
            self._left -= time.monotonic() - begun
        return content


def bound(worker: Any, request: Any) -> None:
    """Bound a body that drips, and an answer that nobody takes (gunicorn's `pre_request`)."""
    patience = worker.cfg.graceful_timeout  # at its end the worker would not wait longer either
    request.body = PatientBody(request.body, patience)
    request.unreader.sock.settimeout(patience)


def keep_quiet() -> None:
    """Have nothing repeated or printed that a request or an exception holds.

    gunicorn's own page for a request that it cannot read shows it, a key in a header that lacks
    its colon included; gevent and Python print the text of exceptions that nobody caught.
    """

    def refuse(sock: Any, status: int, _reason: str, _message: str) -> None:
        util.write_nonblock(sock, raw_answer(status))

    def log(_hub: Any, _context: Any, _kind: Any, error: Any, _traceback: Any) -> None:
        logs.unexpected(error, "greenlet")

    util.write_error = refuse
    Hub.print_exception = log
    logs.catch_the_rest()


def end_in_order(worker: Any, gateway: Gateway) -> None:
    """On SIGTERM: not ready first, then the closed door, then the end of what is under way."""

    def drain(*signal_and_frame: Any) -> None:
        gateway.draining.set()
        worker.cfg.set("keepalive", 0)  # have clients connect anew, to another replica
        gevent.spawn_later(DRAIN_PAUSE, worker.handle_exit, *signal_and_frame)

    signal.signal(signal.SIGTERM, drain)
