"""Bills with any text come back with the same values, in every encoding and either format."""

from __future__ import annotations

import csv
import gzip
import io
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.file import BillFile
from app.billing.formats import FORMATS
from app.billing.month import Month
from app.settings import BillSettings
from app.texts import CUSTOMER_ID
from tests.support.bills import HEADER, NAMES, archive, named

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
ODD = st.sampled_from(
    ['"', '""', ",", "\r", "\n", "\r\n", " ", "%s", "%", "\0", "\ufeff", "\\", "="]
)
CUSTOMER = st.from_regex(CUSTOMER_ID, fullmatch=True) | st.just("")
CELL = TEXT | ODD | st.lists(ODD, max_size=5).map("".join)
MONEY = st.decimals(allow_nan=False, allow_infinity=False, places=8).map(lambda one: f"{one:f}")
RECORD = st.tuples(CUSTOMER, CELL, CELL.filter(lambda mode: not mode.isdigit()), MONEY, CELL).map(
    list
)
MEMBERS = st.lists(st.lists(RECORD, max_size=5), min_size=1, max_size=3)


class _Slowly:
    """A download that returns a few bytes at a time."""

    def __init__(self, content: bytes, pieces: int) -> None:
        self._file, self._pieces = io.BytesIO(content), pieces

    def read(self, size: int = -1, /) -> bytes:
        return self._file.read(min(size, self._pieces))

    def close(self) -> None:
        self._file.close()


def file(content: bytes, encoding: str, pieces: int = 7) -> BillFile:
    settings = BillSettings.model_validate({"encoding": encoding})
    return BillFile(_Slowly(content, pieces), Month(2026, 5), settings)


def packed(members: list[list[list[str]]], encoding: str, quoting: int, ends: str) -> bytes:
    made = []
    for number, records in enumerate(members, 1):
        text = io.StringIO(newline="")
        csv.writer(text, quoting=quoting, lineterminator=ends).writerows([HEADER, *records])  # type: ignore[arg-type]
        made.append((named(number), text.getvalue().encode(encoding)))
    return gzip.compress(archive(*made))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@given(
    members=MEMBERS,
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    ends=st.sampled_from(["\r\n", "\n"]),
    pieces=st.integers(1, 5000),
)
def test_every_value_comes_back_as_it_was(
    encoding: str, members: list[list[list[str]]], quoting: int, ends: str, pieces: int
) -> None:
    content = packed(members, encoding, quoting, ends)
    expected = [record for records in members for record in records]
    for media_type, made in FORMATS.items():
        read = file(content, encoding.removesuffix("-sig"), pieces)
        form = made(read.columns)
        body = form.begin() + b"".join(map(form.write, read.wanted(None))) + form.end(read.lines)
        if media_type == "text/csv":
            names, *found = csv.reader(io.StringIO(body.decode(), newline=""), strict=True)
        else:
            *objects, last = map(json.loads, body.decode().splitlines())
            assert last == {"complete": True, "lines": len(expected)}
            names, found = NAMES, [list(one.values()) for one in objects]
            assert all(list(one) == NAMES for one in objects)
        assert (names, found) == (NAMES, expected)
        amounts = [
            (Decimal(was[3]), Decimal(now[3])) for was, now in zip(expected, found, strict=True)
        ]
        assert all(was.as_tuple() == now.as_tuple() for was, now in amounts)


@given(header=st.lists(TEXT, min_size=1, max_size=8), record=st.data())
def test_columns_of_any_name_are_told_apart(header: list[str], record: st.DataObject) -> None:
    cells = record.draw(st.lists(TEXT, min_size=len(header), max_size=len(header)))
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(
        [[*header, "Customer ID"], [*cells, "cust-1"]]
    )
    content = gzip.compress(archive((named(), text.getvalue().encode())))
    read = file(content, "utf-8")
    form = FORMATS["application/x-ndjson"](read.columns)
    (line,) = b"".join(map(form.write, read.wanted(None))).splitlines()
    found = json.loads(line)
    assert len(found) == len(cells) + 1
    modes = [name == "billing_mode" for name in found]
    assert all(
        now == was or mode
        for now, was, mode in zip(found.values(), [*cells, "cust-1"], modes, strict=True)
    )
