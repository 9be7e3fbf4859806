"""The records of a text in CSV, in batches whose size is bounded."""

import csv
import io
from collections.abc import Iterator

from app.billing.unpacking import unreadable

MOST_RECORD = 1024 * 1024  # characters of one record with its line breaks
BATCH = 64 * 1024  # characters after which a batch ends

Records = list[list[str]]


def batches(text: io.TextIOWrapper) -> Iterator[Records]:
    """The records of a text, without empty lines.

    Args:
        text: The text, with its line breaks as they are.

    Raises:
        csv.Error: if the text is no CSV (RFC 4180), or a field has more than csv's limit of 131,072
            characters.
        GatewayError: UPSTREAM_MALFORMED if a record is too long.
        UnicodeError: if the text is in another encoding.
    """
    taken = 0  # characters since the end of a record

    def lines() -> Iterator[str]:
        nonlocal taken
        while line := text.readline(MOST_RECORD + 1):
            taken += len(line)
            if taken > MOST_RECORD:
                raise unreadable("The bill file has a record that is too long.")
            yield line

    batch: Records = []
    size = 0
    for record in csv.reader(lines(), strict=True):
        size, taken = size + taken, 0
        if record:
            batch.append(record)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    yield batch
