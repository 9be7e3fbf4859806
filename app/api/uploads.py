"""The content of an upload: its length, its format, and its bytes as they come."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from flask import request

from app.api.problems.parser import check_encoding
from app.errors import ErrorCode, GatewayError
from app.huawei.obs import Timely
from app.huawei.pacing.deadline import Errand
from app.huawei.transport import Stream
from app.verification.pictures import FORMATS, HEAD, MAX_BYTES, MEDIA_TYPES, media_type

PIECE = 64 * 1024  # bytes
# OBS wants the length first. An upload without a length is therefore held in memory, where pictures
# of passports leave no trace; so many at a time.
MOST_HELD = 4
_held = threading.BoundedSemaphore(MOST_HELD)


class Upload:
    """The content of an upload whose first bytes were read to check its format.

    Args:
        head: The first bytes, read already.
        rest: The stream of the other bytes.
        length: The number of all bytes.
    """

    def __init__(self, head: bytes, rest: Stream, length: int) -> None:
        self._head = head
        self._rest = rest
        self._remaining = length

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; empty at the end.

        Raises:
            GatewayError: BAD_REQUEST if the upload ends before its length; otherwise OBS would
                store a part as the whole file.
        """
        if not self._remaining:
            return b""  # werkzeug raises 413 on a read after a body as long as its limit
        if self._head:
            piece, self._head = self._head, b""
        else:
            piece = self._rest.read(size)
        if not piece:
            raise GatewayError(ErrorCode.BAD_REQUEST, "The upload ended before its length.")
        self._remaining -= len(piece)
        return piece


class _Pieces:
    """Bytes that are held in memory until they are read once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = deque(pieces)
        self.length = sum(map(len, self._pieces))

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, at most `size` of them; empty at the end."""
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        if 0 <= size < len(piece):
            self._pieces.appendleft(piece[size:])
            piece = piece[:size]
        return piece


def _arriving(errand: Errand) -> Iterator[bytes]:
    """The pieces of a body without a length, as they come."""
    length, content = 0, Timely(request.stream, errand)
    while piece := content.read(PIECE):
        length += len(piece)
        if length > MAX_BYTES:
            raise _too_large()
        yield piece


def _too_large() -> GatewayError:
    return GatewayError(ErrorCode.PAYLOAD_TOO_LARGE, "An attachment may have at most 10 MB.")


@contextmanager
def received(name: str, errand: Errand) -> Iterator[tuple[str, int, Upload]]:
    """Check the name, the headers and the first bytes of the upload of this request.

    Args:
        name: The name of the attachment.
        errand: The time to receive and to forward the upload.

    Yields:
        The media type, the length in bytes, and the content.

    Raises:
        GatewayError: UNSUPPORTED_MEDIA_TYPE, BAD_REQUEST, PAYLOAD_TOO_LARGE, ATTACHMENT_FORMAT;
            OVERLOADED or DEADLINE_EXCEEDED for an upload without a length.
    """
    check_encoding(request)
    if request.mimetype.startswith("multipart/"):
        raise GatewayError(
            ErrorCode.UNSUPPORTED_MEDIA_TYPE, "Send the bytes of the file themselves, not a form."
        )
    expected = _media_type_of(name)
    # One byte more: werkzeug raises 413 on a read after a body as long as its limit.
    request.max_content_length = MAX_BYTES + 1
    length = request.content_length
    if length is None and request.headers.get("Transfer-Encoding", "").lower() == "chunked":
        if not _held.acquire(blocking=False):
            raise GatewayError(
                ErrorCode.OVERLOADED, "Too many uploads without `Content-Length` arrive now."
            )
        try:
            pieces = _Pieces(_arriving(errand))
            yield expected, pieces.length, _checked(pieces, pieces.length, expected)
        finally:
            _held.release()
    else:
        if length is not None and length > MAX_BYTES:
            raise _too_large()
        yield expected, length or 0, _checked(request.stream, length or 0, expected)


def _media_type_of(name: str) -> str:
    stem, _, ending = name.rpartition(".")
    expected = MEDIA_TYPES.get(ending.lower()) if stem else None
    if expected is None:
        raise GatewayError(
            ErrorCode.ATTACHMENT_FORMAT, f"The name must end in one of {', '.join(FORMATS)}."
        )
    return expected


def _checked(content: Stream, length: int, expected: str) -> Upload:
    if not length:
        raise GatewayError(ErrorCode.BAD_REQUEST, "Send the bytes of the file as the body.")
    head = b""
    while len(head) < min(HEAD, length) and (piece := content.read(HEAD - len(head))):
        head += piece
    if media_type(head) != expected:
        raise GatewayError(
            ErrorCode.ATTACHMENT_FORMAT,
            "The content does not have the format of the name's ending.",
        )
    return Upload(head, content, length)
