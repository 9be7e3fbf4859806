"""Unpacks a bill file while it arrives: gzip, then tar, then the texts of its members.

Nothing is extracted to disk, and the memory that is needed does not depend on the file.
Python's tarfile reads each header here. Its TarFile would take a damaged header for the end of the
archive, would read an extended header of any size into memory, and would not check gzip's checksum.
"""

import csv
import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from app.billing.month import Month
from app.errors import ErrorCode, GatewayError, Retry
from app.huawei.transport import Stream

# The limits against archives that unpack to more than a bill can have. The longest documented
# member has 100,000 records (mb_00002).
MOST_BYTES = 64 * 1024**3  # unpacked, of the whole archive
MOST_RATIO = 250  # unpacked bytes for a packed one; a bill has some 10, and gzip's most is 1032
FREE_BYTES = 16 * 1024**2  # unpacked bytes for which the ratio does not count
MOST_LINE = 1024 * 1024  # bytes
MOST_EXTENDED = 64 * 1024  # bytes of an extended header
BUFFER = 128 * 1024  # bytes that are read at once

_BLOCK = 512  # bytes of a block of tar
_EXTENDED = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_FILE = (tarfile.REGTYPE, tarfile.AREGTYPE)
# `customerBill_YYYYMM_xxxx.csv` (mb_00002), perhaps in a folder. The name is not used as a path.
_NAME = re.compile(r"(?:\./)?(?:[A-Za-z0-9_-]+/)?customerBill_([0-9]{6})_[A-Za-z0-9]+\.csv")


def unreadable(text: str, retry: Retry = Retry.CONTACT_OPERATOR) -> GatewayError:
    """The failure of a file that is not a bill.

    Args:
        text: The reason, in one sentence.
        retry: Whether to ask again.
    """
    return GatewayError(ErrorCode.UPSTREAM_MALFORMED, text, write=False, retry=retry)


@contextmanager
def reading() -> Iterator[None]:
    """Translate the errors of the libraries that read the file.

    Raises:
        GatewayError: UPSTREAM_MALFORMED.
    """
    try:
        yield
    except EOFError:
        raise unreadable("The bill file is truncated.", Retry.AFTER_DELAY) from None
    except (OSError, zlib.error, tarfile.TarError):
        raise unreadable("The bill file is damaged, or is not a tar archive with gzip.") from None
    except UnicodeError:
        text = "The bill file is not in the encoding that `bills.encoding` names."
        raise unreadable(text) from None
    except csv.Error:
        raise unreadable("A member of the bill file is no CSV.") from None


class _Packed(io.RawIOBase):
    """The packed bytes, counted."""

    def __init__(self, source: Stream) -> None:
        self._source = source
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self._source.read(len(buffer))
        buffer[: len(piece)] = piece
        self.count += len(piece)
        return len(piece)


class _Unpacked:
    """The unpacked bytes, within the limits."""

    def __init__(self, source: Stream) -> None:
        self._packed = _Packed(source)
        buffered = io.BufferedReader(self._packed, BUFFER)
        self._file = gzip.GzipFile(fileobj=buffered, mode="rb")
        self._count = 0

    def read(self, size: int) -> bytes:
        """So many bytes; fewer only at the end, where gzip has checked length and checksum."""
        content = self._file.read(size)
        self._count += len(content)
        if self._count > MOST_BYTES or (
            self._count > FREE_BYTES and self._count > MOST_RATIO * self._packed.count
        ):
            raise unreadable("The bill file unpacks to more than a bill can have.")
        return content

    def skip(self, size: int) -> None:
        """Read so many bytes, and forget them."""
        while size > 0:
            content = self.read(min(size, BUFFER))
            if not content:
                raise EOFError
            size -= len(content)


class _Member(io.RawIOBase):
    """The content of a member of the archive, whose lines are bounded."""

    def __init__(self, unpacked: _Unpacked, size: int) -> None:
        self._unpacked = unpacked
        self._line = 0  # bytes since the last line break
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        content = self._unpacked.read(min(len(buffer), self.left))
        if not content and self.left:
            raise EOFError
        buffer[: len(content)] = content
        self.left -= len(content)
        # In each of the encodings the byte of a line break is never part of another character.
        place = content.rfind(b"\n")
        self._line = len(content) - place - 1 + (self._line if place < 0 else 0)
        if self._line > MOST_LINE:
            raise unreadable("The bill file has a line that is too long.")
        return len(content)


def texts(source: Stream, month: Month, encoding: str) -> Iterator[io.TextIOWrapper]:
    """The texts of the members, in their order. Read each before the next one.

    The end of the iteration proves that the archive is whole.

    Args:
        source: The archive.
        month: The month that the names of the members must have.
        encoding: The encoding of the members.

    Raises:
        GatewayError: UPSTREAM_MALFORMED for a member that is no CSV file of the month, for what
            follows the archive, and for an archive beyond the limits.
        EOFError, OSError, zlib.error, tarfile.TarError: for a damaged archive.
    """
    unpacked = _Unpacked(source)
    while (block := unpacked.read(_BLOCK)).strip(b"\0") or len(block) < _BLOCK:
        if len(block) < _BLOCK:  # tar's end is a block of zeros
            raise EOFError
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        padding = -header.size % _BLOCK
        if header.type in _EXTENDED and 0 <= header.size <= MOST_EXTENDED:
            unpacked.skip(header.size + padding)
            continue
        if header.isdir() and not header.size:
            continue
        _check(header, month)
        member = _Member(unpacked, header.size)
        buffered = io.BufferedReader(member, BUFFER)
        yield io.TextIOWrapper(buffered, encoding, newline="")
        unpacked.skip(member.left + padding)
    while rest := unpacked.read(BUFFER):
        if rest.strip(b"\0"):
            raise unreadable("Something follows the archive of the bill file.")


def _check(header: tarfile.TarInfo, month: Month) -> None:
    found = _NAME.fullmatch(header.name)
    if header.type not in _FILE or header.size < 0 or found is None:
        raise unreadable("The bill file has a member that is no CSV file of a bill.")
    if found[1] != month.compact:
        raise unreadable("The bill file has a member of another month.")
