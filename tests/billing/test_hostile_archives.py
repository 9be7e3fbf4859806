"""A bill file that is damaged, hostile or cut off: nobody can take the answer for a whole one."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
import zlib

import pytest

from app.billing import unpacking
from tests.support.bills import (
    HEADER,
    MONTH,
    BillReader,
    archive,
    csv_file,
    named,
    packed,
    rows,
)
from tests.support.gateway import code
from tests.support.log import Log

GOOD = csv_file([HEADER, *rows(2000)])
COMPLETE = b'"complete"'


def received(bills: BillReader, accept: str = "application/x-ndjson") -> tuple[bytes, bool]:
    """What the answer holds, and whether the server ended it as whole."""
    answer = bills.get(buffered=False, Accept=accept)
    pieces = []
    try:
        for piece in answer.iter_encoded():
            pieces.append(piece)
    except ConnectionResetError:  # the server then cuts the connection
        return b"".join(pieces), False
    finally:
        answer.close()
    return b"".join(pieces), True


def member(name: str, kind: bytes = tarfile.REGTYPE, **changes: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    for key, value in changes.items():
        setattr(made, key, value)
    return made


def flipped(content: bytes, place: int) -> bytes:
    """The content with one changed byte."""
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


WHOLE = archive((named(1), GOOD), (named(2), GOOD))
SECOND = 512 + len(GOOD) + -len(GOOD) % 512  # the place of the second header
AFTER = {
    "another kind of file": archive((named(1), GOOD), ("readme.txt", b"x")),
    "a path above": archive((named(1), GOOD), (f"../../{named(2)}", GOOD)),
    "an absolute path": archive((named(1), GOOD), (f"/etc/{named(2)}", GOOD)),
    "a symbolic link": archive(
        (named(1), GOOD), (member(named(2), tarfile.SYMTYPE, linkname="/etc/passwd"), b"")
    ),
    "a hard link": archive(
        (named(1), GOOD), (member(named(2), tarfile.LNKTYPE, linkname=named(1)), b"")
    ),
    "a device": archive((named(1), GOOD), (member(named(2), tarfile.CHRTYPE), b"")),
    "another month": archive((named(1), GOOD), ("customerBill_202604_0001.csv", GOOD)),
    "no CSV": archive((named(1), GOOD), (named(2), b'"a"b,c\r\n' * 5)),
    "binary": archive((named(1), GOOD), (named(2), bytes(range(256)) * 100)),
    "an open quote": archive((named(1), GOOD), (named(2), b'cust-1,"p,1,2,3\r\n')),
    "more columns": archive((named(1), GOOD), (named(2), csv_file([[*HEADER, "x"], ["c"] * 6]))),
    "fewer columns": archive((named(1), GOOD), (named(2), csv_file([["cust-1", "p"]]))),
    "other columns": archive((named(1), GOOD), (named(2), csv_file([HEADER[::-1], *rows(1)]))),
    "another encoding": archive((named(1), GOOD), (named(2), csv_file([HEADER], "gb18030"))),
    "a record without end": archive((named(1), GOOD), (named(2), b"," * 2_000_000)),
    "a field without end": archive((named(1), GOOD), (named(2), b'"' + b"a\n" * 1_000_000)),
    "no end of the archive": WHOLE[: SECOND + 512 + len(GOOD)],
    "no second header": WHOLE[:SECOND],
    "a damaged header": flipped(WHOLE, SECOND + 10),
    "something behind the archive": WHOLE + b"x" * 512,
}


@pytest.mark.parametrize("content", AFTER.values(), ids=AFTER)
@pytest.mark.parametrize("accept", ["application/x-ndjson", "text/csv"])
def test_an_archive_that_goes_wrong_after_lines_is_cut_off(
    bills: BillReader, content: bytes, accept: str, log: Log
) -> None:
    bills.put(gzip.compress(content))
    answered, ended = received(bills, accept)
    assert not ended
    assert answered.count(b"cust-1") >= 1000  # some of the first member's lines
    assert COMPLETE not in answered
    (line,) = log.requests()
    assert (line["status"], line["code"]) == (200, "UPSTREAM_MALFORMED")
    assert (line["bytes"], line["complete"]) == (len(answered), False)
    assert code(bills.get(Accept="nothing/else")) == "NOT_ACCEPTABLE"  # no place is left taken


PACKED = packed(GOOD, GOOD, GOOD)


@pytest.mark.parametrize("cut", [1, 4, 8, 9, len(PACKED) // 3, len(PACKED) // 2])
def test_a_truncated_file_is_never_complete(bills: BillReader, cut: int) -> None:
    bills.put(PACKED[:-cut])
    answer, ended = received(bills)
    assert (ended, COMPLETE in answer) == (False, False)


def test_a_damaged_file_is_never_complete(bills: BillReader) -> None:
    for place in (len(PACKED) // 2, len(PACKED) * 3 // 4, len(PACKED) - 6, len(PACKED) - 2):
        bills.put(flipped(PACKED, place))
        answer, ended = received(bills)
        assert (ended, COMPLETE in answer) == (False, False), place


def test_a_download_that_obs_cuts_is_never_complete(bills: BillReader) -> None:
    bills.sandbox.bill_file(MONTH, lines=60_000)
    bills.sandbox.fault("obs", "truncated")
    answer, ended = received(bills)
    # The last bytes are there: only the length that OBS announced is not.
    assert (ended, COMPLETE in answer) == (False, False)


def bomb() -> bytes:
    """A small file that unpacks to 200 MB of long records."""
    head = member(named(1))
    head.size = 200 * 1024**2
    packer = zlib.compressobj(wbits=31)
    block = b"cust-1,p,1,1," + b"0" * 100_000 + b"\r\n"
    pieces = [packer.compress(head.tobuf(tarfile.GNU_FORMAT) + csv_file([HEADER]))]
    pieces += [packer.compress(block) for _ in range(head.size // len(block))]
    return b"".join([*pieces, packer.flush()])


def test_a_bomb_is_cut_off_early(bills: BillReader) -> None:
    bills.put(bomb())
    answered, ended = received(bills)
    assert (ended, COMPLETE in answered) == (False, False)
    assert len(answered) < 2 * unpacking.MOST_RATIO * unpacking.BUFFER


EXTENDED = (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_SPARSE)


@pytest.mark.parametrize("kind", EXTENDED)
def test_a_header_that_announces_gigabytes_needs_no_memory(bills: BillReader, kind: bytes) -> None:
    head = member(named(1), kind)
    head.size = 8 * 1024**3
    packer = zlib.compressobj(9, wbits=31)
    block = bytes(1024**2)
    content = packer.compress(head.tobuf(tarfile.GNU_FORMAT))
    content += b"".join(packer.compress(block) for _ in range(100)) + packer.flush()
    bills.put(content)
    tracemalloc.start()
    try:
        assert bills.get().status_code == 502
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024**2
    finally:
        tracemalloc.stop()


def test_many_gzip_members_and_zeros_at_the_end_are_one_file(bills: BillReader) -> None:
    half = len(WHOLE) // 2
    bills.put(gzip.compress(WHOLE[:half]) + gzip.compress(WHOLE[half:]) + bytes(100))
    assert len(bills.lines()) == 4000


def test_a_negative_size_is_refused(bills: BillReader) -> None:
    head = bytearray(member(named(1)).tobuf(tarfile.GNU_FORMAT))
    head[124:136] = b"\xff" * 12
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    assert tarfile.TarInfo.frombuf(bytes(head), "utf-8", "strict").size == -1
    bills.put(gzip.compress(bytes(head) + io.BytesIO(WHOLE).read()))
    assert bills.get().status_code == 502
