"""Answers of any length: sent in pieces, cut off if they fail, recorded at their end."""

import errno
from collections.abc import Callable, Iterator
from contextlib import suppress

from flask import Response, g, request

from app.api.rates import Waiting
from app.api.record import Record
from app.errors import ErrorCode, GatewayError

MOST = 2  # downloads of one caller that one replica has in progress at once
# The server's function in the environment of a request, which limits the time for each piece of
# the answer and not for the whole answer.
BY_PIECE = "partner_gateway.by_piece"

_begun = Waiting()


class Download:
    """The body of an answer, in pieces, for the server that sends it.

    If a piece fails, the server cuts the connection before the end of the answer, so that the
    client cannot take a part for the whole. The record is complete when the body is closed.

    Args:
        pieces: The pieces. A GatewayError that they raise is recorded.
        close: Called once, at the end.
        record: The record of the request.
    """

    def __init__(self, pieces: Iterator[bytes], close: Callable[[], None], record: Record) -> None:
        self._pieces = pieces
        self._close: Callable[[], None] | None = close
        self._record = record
        record.transfer = self
        self.bytes = 0
        self.complete = False
        self.recorded: Callable[[], None] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """The next piece.

        Raises:
            ConnectionResetError: instead of the failure of a piece. The server takes it for the
                end of the connection.
        """
        try:
            piece = next(self._pieces)
        except StopIteration:
            self.complete = True
            self.close()
            raise
        except GatewayError as error:
            self._record.error_code = error.code.name
            self.close()
            raise ConnectionResetError(errno.ECONNRESET, "the answer failed") from None
        self.bytes += len(piece)
        return piece

    def close(self) -> None:
        """Release what the pieces came from, and complete the record of the request."""
        close, self._close = self._close, None
        if close is None:
            return
        try:
            close()
        finally:
            if self.recorded is not None:
                self.recorded()


def begin() -> Callable[[], None]:
    """Count a download of the caller of this request. Returns the function that ends it.

    Raises:
        GatewayError: OVERLOADED if too many downloads of the caller are in progress.
    """
    caller = g.caller
    if not _begun.begin(caller, MOST):
        text = f"{MOST} downloads of yours are in progress. End one first."
        raise GatewayError(ErrorCode.OVERLOADED, text, retry_after=5.0)
    return lambda: _begun.end(caller)


def send(pieces: Iterator[bytes], media_type: str, close: Callable[[], None]) -> Response:
    """The answer whose body is these pieces.

    Args:
        pieces: The pieces.
        media_type: The media type.
        close: Called once, at the end.
    """
    # Flask closes the body at the end of the answer, also where it sends none, as for HEAD.
    response = Response(Download(pieces, close, g.record), mimetype=media_type)
    with suppress(KeyError):  # a server of tests has no limit of time
        request.environ[BY_PIECE]()
    return response
