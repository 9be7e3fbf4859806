"""The body of a request, with a time limit."""

import time

import gevent
from gunicorn.http.body import Body  # type: ignore[import-untyped]
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]

from app.serving.connection import Connection


class TimedBody(Body):  # type: ignore[misc]
    """The body of a request, with a time limit.

    Reading it raises an OSError, which becomes 400, if the limit passes or a chunk is malformed.

    Args:
        body: gunicorn's body.
        connection: The connection that it comes from.
        seconds: The time limit for the whole body.
    """

    def __init__(self, body: Body, connection: Connection, seconds: float) -> None:
        super().__init__(body.reader)
        self._connection = connection
        self._left = seconds

    def read(self, size: int | None = None) -> bytes:
        """At most `size` bytes, or the rest of the body; empty at its end.

        Raises:
            TimeoutError: if the time limit passes.
            ConnectionError: if a chunk is malformed.
        """
        begun = time.monotonic()
        try:
            with self._connection.reading_a_body(), gevent.Timeout(self._left, TimeoutError()):
                content: bytes = super().read(size)
        except ParseException as error:  # a malformed chunk
            raise ConnectionError from error
        finally:
            self._left -= time.monotonic() - begun
        return content
