"""What a stream offers: values in one order, each with an id, of which the oldest are dropped."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

_ID = re.compile(r"[0-9]{1,15}-[0-9]{1,15}")


class StreamLost(Exception):
    """The shared state cannot be reached: the stream can neither be read nor added to."""


@dataclass(frozen=True, slots=True)
class Added:
    """A value of a stream.

    Args:
        id: Its id. Ids are in the order of the stream, and no two streams have one in common.
        value: The value; None if it cannot be trusted.
    """

    id: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Following:
    """The values of a stream after a place in it.

    Args:
        known: Whether the stream knows the place: no value after it was dropped. Without it there
            are no values.
        place: The id of the place.
        newest: The id of the newest value; without any, of the beginning of the stream.
        values: The values, in their order.
    """

    known: bool
    place: str
    newest: str
    values: Sequence[Added] = ()


class Stream(Protocol):
    """Values in one order. Safe to use from several threads.

    A stream keeps its newest values. It also keeps the id of the last dropped value, which is the
    place before the oldest value.
    """

    def add(self, value: bytes, once: str) -> bool:
        """Add a value, unless this was done for `once` before. Returns whether it was added now.

        Raises:
            StreamLost: if it is not known whether the value was added; add it again.
        """

    def after(self, place: str | None, limit: int) -> Following:
        """The values after a place, or from the oldest value if the place is None.

        Raises:
            StreamLost: if the shared state cannot be reached.
        """

    def wait(self, place: str, seconds: float) -> Sequence[Added]:
        """Wait for values after a place, at most so many seconds. Returns some of them, or none.

        Raises:
            StreamLost: if the shared state cannot be reached.
        """


def is_place(text: str) -> bool:
    """Whether a text can be the id of a value."""
    return _ID.fullmatch(text) is not None


def order(id: str) -> tuple[int, int]:
    """The order of an id: the milliseconds of the stream's clock, and the nonce."""
    milliseconds, _, number = id.partition("-")
    return int(milliseconds), int(number)


def nonce() -> int:
    """A random second part of an id, which makes the id unique over all streams."""
    return secrets.randbelow(10**15)
