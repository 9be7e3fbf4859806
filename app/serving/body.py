"""The body of a request, with a time limit."""

import errno
import time
from typing import Any

import gevent
from gunicorn.http.body import Body  # type: ignore[import-untyped]
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]

from app.serving.connection import Connection

# Bytes of a refused body that are read, so that the client sees the answer: more than the largest
# attachment.
REFUSED = 16 * 1024 * 1024


class TimedBody(Body):  # type: ignore[misc]
    """The body of a request, with a time limit.

    Reading it raises an OSError, which becomes 400, if the limit passes or a chunk is malformed.
    After the answer gunicorn reads what is left of it, which is REFUSED bytes at most.

    Args:
        request: gunicorn's request.
        connection: The connection that it comes from.
        seconds: The time limit for the whole body.
    """

    def __init__(self, request: Any, connection: Connection, seconds: float) -> None:
        super().__init__(request.body.reader)
        self._unreader = request.unreader
        self._connection = connection
        self._left = seconds
        self._most: int | None = None  # bytes that are still read

    def answered(self) -> None:
        """Read REFUSED more bytes at most: the request has its answer."""
        self._most = REFUSED

    def read(self, size: int | None = None) -> bytes:
        """At most `size` bytes, or the rest of the body; empty at its end.

        Raises:
            TimeoutError: if the time limit passes.
            ConnectionResetError: if a chunk is malformed, or after the answer the rest is too long.
        """
        if self._left <= 0:
            raise TimeoutError(errno.ETIMEDOUT, "the body came too slowly")
        begun = time.monotonic()
        try:
            with self._connection.reading_a_body(), gevent.Timeout(self._left, TimeoutError()):
                content: bytes = super().read(size)
        except ParseException as error:  # a malformed chunk
            raise _reset("malformed chunk") from error
        finally:
            self._left -= time.monotonic() - begun
        if not content and size != 0:
            self._connection.begin_head(self._unreader.buf.getbuffer().nbytes)
        elif self._most is not None:
            self._most -= len(content)
            if self._most < 0:
                raise _reset("the body of a refused request is too long")
        return content


def _reset(text: str) -> ConnectionResetError:
    """An error that gunicorn takes for a client that is gone: it logs nothing."""
    return ConnectionResetError(errno.ECONNRESET, text)
