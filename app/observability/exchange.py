"""What may be logged and counted of one upstream call."""

from dataclasses import dataclass

from app.errors import Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One call of Huawei: neither a text of Huawei's nor a personal value.

    Args:
        account: The account's name.
        operation: The operation's name.
        writes: Whether it changes anything at Huawei.
        seconds: How long it took.
        outcome: OK, the name of an error code, or ABORTED.
        upstream: The code, status and request id of the answer.
    """

    account: str
    operation: str
    writes: bool
    seconds: float
    outcome: str
    upstream: Upstream
