"""The formats of bill lines in an answer."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Protocol

from app.billing.columns import Columns
from app.billing.records import Records

NDJSON = "application/x-ndjson"
CSV = "text/csv"


class Format(Protocol):
    """How lines are written."""

    def begin(self) -> bytes:
        """What precedes the lines."""

    def write(self, lines: Records) -> bytes:
        """Some lines."""

    def end(self, lines: int) -> bytes:
        """What follows the last line of a complete bill.

        Args:
            lines: The number of lines.
        """


class NdJson:
    """A JSON object a line, and at the end `{"complete": true, "lines": n}`."""

    def __init__(self, columns: Columns) -> None:
        names = [json.dumps(name).replace("%", "%%") for name in columns.names]
        self._line = "{" + ", ".join(f"{name}: %s" for name in names) + "}\n"
        self._width = len(names)
        # A text in JSON has no line break, so that line breaks can separate the texts.
        self._texts = json.JSONEncoder(separators=("\n", ":")).encode

    def begin(self) -> bytes:
        """Nothing."""
        return b""

    def write(self, lines: Records) -> bytes:
        """The lines; each value is a text."""
        texts = iter(self._texts(list(chain.from_iterable(lines)))[1:-1].split("\n"))
        values = zip(*[texts] * self._width, strict=True)
        return "".join(map(self._line.__mod__, values)).encode()

    def end(self, lines: int) -> bytes:
        """The last line."""
        return f'{{"complete": true, "lines": {lines}}}\n'.encode()


class Csv:
    """CSV as RFC 4180 with a header row, in UTF-8. Nothing marks the end."""

    def __init__(self, columns: Columns) -> None:
        self._names = columns.names

    def begin(self) -> bytes:
        """The header row."""
        return _csv([self._names])

    def write(self, lines: Records) -> bytes:
        """The lines."""
        return _csv(lines)

    def end(self, lines: int) -> bytes:
        """Nothing."""
        return b""


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


FORMATS: Mapping[str, Callable[[Columns], Format]] = {NDJSON: NdJson, CSV: Csv}
