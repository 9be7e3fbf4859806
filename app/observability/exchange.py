"""What may be logged and counted of one upstream call."""

import time
from dataclasses import dataclass
from typing import Self

from app.errors import Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One upstream call: no text of upstream's, no personal value."""

    account: str
    operation: str
    writes: bool
    seconds: float
    outcome: str
    upstream: Upstream

    @classmethod
    def since(
        cls,
        begun: float,
        account: str,
        operation: str,
        upstream: Upstream,
        outcome: str,
        *,
        writes: bool,
    ) -> Self:
        """A call that began at `begun` of the monotonic clock and ends now."""
        return cls(
            account=account,
            operation=operation,
            writes=writes,
            seconds=time.monotonic() - begun,
            outcome=outcome,
            upstream=upstream,
        )
