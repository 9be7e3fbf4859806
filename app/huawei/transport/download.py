"""A download: the body of an answer of any length, read in pieces."""

import time
from typing import Self

from app.errors import ErrorCode, GatewayError
from app.huawei.transport.connection import FAILURES, Connection
from app.huawei.transport.watch import WATCH

PIECE = 128 * 1024  # bytes


class Download:
    """The body of an answer, which its reader takes in pieces, at its own speed.

    The deadline of a request does not apply: each piece has one, and all of them have another.
    The reader must close the download, which closes its connection.

    Args:
        connection: The connection, which has read the head of the answer.
        patience: Seconds until the deadline of a piece, while it is read.
        longest: Seconds until the deadline of the whole body, in which the reader's pauses count.
    """

    def __init__(self, connection: Connection, patience: float, longest: float) -> None:
        self._connection = connection
        self._patience = patience
        self._ends = time.monotonic() + longest
        connection.limit(self._ends)

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, at most PIECE; empty at the end of the body.

        Raises:
            GatewayError: UPSTREAM_ERROR if they do not arrive in time, or the connection ended
                within the body; DEADLINE_EXCEEDED if the time for the whole body is over.
        """
        wanted = PIECE if size < 0 else min(size, PIECE)
        try:
            ends = min(time.monotonic() + self._patience, self._ends)
            content = self._connection.piece(wanted, ends)
            self._connection.limit(self._ends)  # no piece is awaited now
        except (*FAILURES, ValueError):
            late = time.monotonic() >= self._ends
            code = ErrorCode.DEADLINE_EXCEEDED if late else ErrorCode.UPSTREAM_ERROR
            raise GatewayError(code, write=False) from None
        return content

    def close(self) -> None:
        """Close the connection."""
        WATCH.forget(self._connection)  # else it would keep the connection until the deadline
        self._connection.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
