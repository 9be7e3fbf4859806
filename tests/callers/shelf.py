"""A key set whose document a test replaces, on a clock that the test advances."""

from __future__ import annotations

from app.callers.key_set import KeySet
from app.callers.sources import Source


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Shelf:
    """Serves a document and counts its reads."""

    def __init__(self, document: str | bytes | OSError) -> None:
        self.document = document
        self.readings = 0

    def __call__(self) -> bytes:
        self.readings += 1
        if isinstance(self.document, OSError):
            raise self.document
        return self.document.encode() if isinstance(self.document, str) else self.document


def shelved(shelf: Shelf, clock: Clock) -> KeySet:
    return KeySet("tests", Source(shelf, fresh=300, pause=30, slow=False), clock)
