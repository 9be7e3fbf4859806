"""What the record of a request must know of an answer of any length."""

from collections.abc import Callable
from typing import Protocol


class Transfer(Protocol):
    """The body of an answer of any length: what is known at its end.

    Args:
        bytes: The bytes that were sent.
        complete: Whether these are all.
        recorded: Called at the end.
    """

    bytes: int
    complete: bool
    recorded: Callable[[], None] | None
