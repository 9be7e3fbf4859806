"""What a table offers: rows by a name, which can be listed."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class Table(Protocol):
    """Rows of bytes, each under its name. Safe to use from several threads."""

    def put(self, rows: Mapping[str, bytes]) -> None:
        """Set rows; the others stay."""

    def add(self, name: str, row: bytes) -> bool:
        """Set the row of a name that has none. Returns True if it was set."""

    def replace(self, name: str, row: bytes, new: bytes) -> bool:
        """Replace a row by a new one if it is still this one. Returns True if it was replaced.

        While a shared state is lost, only a row that this process has put since is replaced.
        """

    def get(self, name: str) -> bytes | None:
        """The row of a name; None if there is none."""

    def remove(self, name: str, row: bytes) -> None:
        """Delete a row if it is still this one."""

    def discard(self, name: str) -> None:
        """Delete the row of a name, if there is one."""

    def rows(self) -> Sequence[bytes]:
        """All rows, in no order."""

    def count(self) -> int:
        """The number of rows."""
