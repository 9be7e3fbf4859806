"""Reads answers with http.client, and refuses incomplete or ambiguous answers that it accepts."""

import io
import socket
from http.client import HTTPException, HTTPResponse
from typing import Any

from urllib3.util.response import assert_header_parsing

MAX_CONTENT = 1024 * 1024  # bytes of a body; the longest documented answer has a few KiB
MAX_RECEIVED = 2 * MAX_CONTENT  # bytes of an answer or of a piece, with head and framing


class _TooLongError(HTTPException):
    pass


class _Received(io.RawIOBase):
    """The bytes that a connection receives for one answer, or for a piece of a longer one.

    The end of the connection is an error unless `may_end` is set.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.count = 0
        self.may_end = False
        self.complete = False

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Receive bytes into the buffer; the number of bytes received."""
        if self.complete:
            return 0
        if self.count > MAX_RECEIVED:
            raise _TooLongError
        received: int = self._raw.readinto(buffer)
        self.count += received
        if not received and not self.may_end:
            raise ConnectionResetError("the connection ended within the answer")
        return received

    def close(self) -> None:
        """Release the connection's socket."""
        self._raw.close()
        super().close()


class _Buffer(io.BufferedReader):
    """Detects bytes that were received after the end of the answer."""

    spoiled = False
    raw: _Received

    def close(self) -> None:
        """End the reading. http.client calls this at the end of the answer."""
        if not self.closed:
            self.raw.complete = True
            self.spoiled = bool(self.peek())
        super().close()


class Response(HTTPResponse):
    """An answer to a request, read more strictly than http.client reads it.

    http.client accepts the end of the connection as the end of the head and of trailers, skips
    only the interim answer 100, uses the first of several lengths, drops lines that it cannot
    parse, and loses bytes after the answer in its buffer.
    """

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        # http.client has no public hook for the bytes that it reads: decision 0016.
        self._received = _Received(self.fp.detach())
        self._buffer = self.fp = _Buffer(self._received)

    def begin(self) -> None:
        """Read the head. The heads of interim answers are skipped.

        Raises:
            HTTPException: if the head is malformed, or does not clearly define the body's length.
            OSError: if the connection ends or the deadline passes.
        """
        super().begin()
        while self.status < 200:
            if self.status == 101:
                raise HTTPException("an upgrade that was not asked for")
            self.headers = None  # type: ignore[assignment]  # `begin` then reads another head
            super().begin()
        assert_header_parsing(self.msg)
        codings = [coding.lower() for coding in self.msg.get_all("Transfer-Encoding", [])]
        lengths = set(self.msg.get_all("Content-Length", []))
        if codings and (lengths or codings != ["chunked"]):
            raise HTTPException("an unknown transfer encoding, or one beside a length")
        if len(lengths) > 1 or not all(one.isascii() and one.isdigit() for one in lengths):
            raise HTTPException("no single length")
        self._received.may_end = self.length is None and not self.chunked

    def content(self) -> bytes | None:
        """The body; None if it is longer than MAX_CONTENT.

        Raises:
            HTTPException, OSError, ValueError: if the body is incomplete.
        """
        try:
            content = self.read(MAX_CONTENT + 1)
        except _TooLongError:
            return None
        return content if len(content) <= MAX_CONTENT else None

    def piece(self, size: int) -> bytes:
        """The next bytes of the body, which may have any length; empty at its end.

        Args:
            size: The most bytes, a small part of MAX_RECEIVED.

        Raises:
            HTTPException, OSError, ValueError: if the body is incomplete.
        """
        self._received.count = 0
        return self.read(size)

    @property
    def reusable(self) -> bool:
        """Whether the answer was read completely, and nothing was received after it."""
        return self.isclosed() and not self._buffer.spoiled
