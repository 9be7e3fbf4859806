"""A table of one process, in memory."""

import threading
from collections.abc import Mapping, Sequence


class MemoryTable:
    """Rows in a dictionary."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, bytes] = {}

    def put(self, rows: Mapping[str, bytes]) -> None:
        """Set rows; the others stay."""
        with self._lock:
            self._rows.update(rows)

    def add(self, name: str, row: bytes) -> bool:
        """Set the row of a name that has none. Returns True if it was set."""
        with self._lock:
            return self._rows.setdefault(name, row) is row

    def replace(self, name: str, row: bytes, new: bytes) -> bool:
        """Replace a row by a new one if it is still this one. Returns True if it was replaced."""
        with self._lock:
            if self._rows.get(name) != row:
                return False
            self._rows[name] = new
            return True

    def get(self, name: str) -> bytes | None:
        """The row of a name; None if there is none."""
        return self._rows.get(name)

    def remove(self, name: str, row: bytes) -> None:
        """Delete a row if it is still this one."""
        with self._lock:
            if self._rows.get(name) == row:
                del self._rows[name]

    def discard(self, name: str) -> None:
        """Delete the row of a name, if there is one."""
        with self._lock:
            self._rows.pop(name, None)

    def rows(self) -> Sequence[bytes]:
        """All rows, in no order."""
        with self._lock:
            return tuple(self._rows.values())

    def count(self) -> int:
        """The number of rows."""
        return len(self._rows)
