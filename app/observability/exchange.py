"""The facts of an upstream call that may be logged and counted."""

from collections.abc import Callable
from dataclasses import dataclass

from app.errors import Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A call that changes something at Huawei and is about to be sent.

    Args:
        account: The account's name.
        operation: The operation's name.
    """

    account: str
    operation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One call to Huawei, without texts from Huawei and without personal values.

    Args:
        account: The account's name.
        operation: The operation's name.
        writes: Whether the operation writes.
        seconds: The duration of the call.
        outcome: OK, the name of an error code, or ABORTED.
        upstream: The code, status and request id of the answer.
    """

    account: str
    operation: str
    writes: bool
    seconds: float
    outcome: str
    upstream: Upstream


Observe = Callable[[Sending | Exchange], None]
