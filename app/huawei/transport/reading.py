"""Reads answers by http.client, and refuses what http.client would take for a whole answer."""

import io
import socket
from http.client import HTTPException, HTTPResponse
from typing import Any

from urllib3.util.response import assert_header_parsing

MAX_CONTENT = 1024 * 1024  # bytes; the longest documented answer has a few KiB
MAX_RECEIVED = 2 * MAX_CONTENT  # bytes, with head and framing


class _TooLongError(HTTPException):
    pass


class _Received(io.RawIOBase):
    """What a connection receives for one answer. Its end is an error unless it may end there."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._count = 0
        self.may_end = False
        self.complete = False

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Receive at most as many bytes as the buffer holds."""
        if self.complete:
            return 0
        if self._count > MAX_RECEIVED:
            raise _TooLongError
        received: int = self._raw.readinto(buffer)
        self._count += received
        if not received and not self.may_end:
            raise ConnectionResetError("the connection ended within the answer")
        return received

    def close(self) -> None:
        """Release the connection's socket."""
        self._raw.close()
        super().close()


class _Buffer(io.BufferedReader):
    """Notices what was received beyond the answer."""

    spoiled = False
    raw: _Received

    def close(self) -> None:
        """End the reading; http.client calls it at the end of the answer."""
        if not self.closed:
            self.raw.complete = True
            self.spoiled = bool(self.peek())
        super().close()


class Answer(HTTPResponse):
    """An answer to a request.

    http.client takes the end of the connection for the end of a head and of trailers, knows one
    interim answer (100) only, believes the first of several lengths, and drops what it cannot
    parse; and what came after the answer is lost in its buffer.
    """

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._received = _Received(self.fp.detach())
        self._buffer = self.fp = _Buffer(self._received)

    def begin(self) -> None:
        """Read the head; those of interim answers are passed over.

        Raises:
            HTTPException: if it is none, or does not say clearly where the content ends.
            OSError: if the connection ends, or time does.
        """
        super().begin()
        while self.status < 200:
            if self.status == 101:
                raise HTTPException("an upgrade that was not asked for")
            self.headers = None  # type: ignore[assignment]  # so that it reads another head
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
        """The content; None where it is longer than any proper one.

        Raises:
            HTTPException, OSError, ValueError: if it does not come whole.
        """
        try:
            content = self.read(MAX_CONTENT + 1)
        except _TooLongError:
            return None
        return content if len(content) <= MAX_CONTENT else None

    @property
    def reusable(self) -> bool:
        """Whether it was read whole, and nothing was received after it."""
        return self.isclosed() and not self._buffer.spoiled
