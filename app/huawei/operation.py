"""One upstream call, declared as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.errors import ErrorCode
from app.huawei.success import Success


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A call of Partner Center.

    Args:
        name: Its name in logs and metrics.
        method: The HTTP method.
        path: The path; `{partner_id}` is filled in from the account.
        writes: Whether it changes anything, so that its outcome can be unknown.
        success: What Huawei declares as its success. Any other 2xx answer is unreadable.
        errors: What its own error codes mean, where they differ from the common table.
        statuses: What an HTTP status means here when the answer has no error code.
        gone: What HTTP 410 means here with an error code of Huawei's form that says nothing more
            precise.
        queue: The name of its API's queue in metrics, where that is not its own: two operations
            that share an API share Huawei's quota for it.
    """

    name: str
    method: str
    path: str
    writes: bool
    success: Success
    errors: Mapping[str, ErrorCode] = field(default_factory=dict)
    statuses: Mapping[int, ErrorCode] = field(default_factory=dict)
    gone: ErrorCode | None = None
    queue: str | None = None
