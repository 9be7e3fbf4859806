"""The records of a text in CSV, in batches whose size is bounded."""

import csv
import io
from collections.abc import Iterator
from itertools import chain

from app.billing.unpacking import unreadable

BATCH = 64 * 1024  # characters whose lines are read at once
MOST_BATCHES = 16  # of one record with its line breaks

Records = list[list[str]]


def batches(text: io.TextIOWrapper) -> Iterator[Records]:
    """The records of a text, without empty lines.

    Args:
        text: The text, with its line breaks as they are. Its lines must be bounded.

    Raises:
        csv.Error: if the text is no CSV (RFC 4180), or a field has more than csv's limit of 131,072
            characters.
        GatewayError: UPSTREAM_MALFORMED if a record is too long.
        UnicodeError: if the text is in another encoding.
    """
    begun = 0  # batches of lines that were begun since the last record

    def lines() -> Iterator[list[str]]:
        nonlocal begun
        while batch := text.readlines(BATCH):
            begun += 1
            if begun > MOST_BATCHES:
                raise unreadable("The bill file has a record that is too long.")
            yield batch

    records: Records = []
    for record in csv.reader(chain.from_iterable(lines()), strict=True):
        if begun:
            begun = 0
            if records:
                yield records
                records = []
        if record:
            records.append(record)
    yield records
