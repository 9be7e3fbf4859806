"""The part of the quota of one API that a watch may use."""

import time
from collections.abc import Callable

from app.errors import ErrorCode, GatewayError
from app.huawei import codes
from app.huawei.operation import Operation
from app.huawei.pacing.quota import MARGIN
from app.observability import metrics
from app.state import State

LONGEST = 60.0  # seconds between two calls while all of them fail
# Seconds of pause after Huawei refused the permission for an optional call: only the operator can
# grant it.
REFUSED = 3600.0
_REFUSALS = frozenset({ErrorCode.UPSTREAM_ACCESS_DENIED, ErrorCode.PARTNER_NOT_ENABLED})


class Lane:
    """Paces the calls of an account's watch to one API.

    The slots are counted in the state, so that two replicas together never use more than the part.

    Args:
        account: The account's name.
        operation: The call.
        calls: The largest number of calls a second.
        state: Counts the calls.
        needed: Whether the watch goes on asking if Huawei refuses the credential.
        monotonic: The clock of the pauses, in seconds.
    """

    def __init__(
        self,
        account: str,
        operation: Operation,
        calls: float,
        state: State,
        needed: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account = account
        self._key = f"watch:{account}:{operation.method} {operation.path}"
        self._calls = calls
        self._state = state
        self._needed = needed
        self._monotonic = monotonic
        self._slot: float | None = None  # when the reserved slot is due
        self._resumes = 0.0
        self._failures = 0
        self._counted = metrics.WATCH_CALLS.labels(account, operation.name)

    def wait(self) -> float:
        """Seconds until a call may be sent. This reserves a slot: call it only before a call."""
        now = self._monotonic()
        if now < self._resumes:
            return self._resumes - now
        if self._slot is None:
            self._slot = now + self._state.reserve(self._key, self._calls, MARGIN).wait
        return max(0.0, self._slot - now)

    def use(self) -> None:
        """Use the slot: a call is sent now."""
        self._slot = None
        # A slot that was used late must not be followed closely by the next one.
        self._resumes = self._monotonic() + MARGIN / self._calls
        self._counted.inc()

    def succeeded(self) -> None:
        """End the pauses after failures."""
        self._failures = 0

    def failed(self, error: GatewayError) -> None:
        """Pause after a failure, longer after each further one."""
        self._failures += 1
        pause = min(LONGEST, max(error.retry_after or 0.0, 2.0 ** min(self._failures, 10)))
        if _lacks_permission(error) and not self._needed:
            pause = REFUSED
        self._resumes = max(self._resumes, self._monotonic() + pause)


def _lacks_permission(error: GatewayError) -> bool:
    """Whether Huawei refused the call and not the credential, which may be replaced soon."""
    if error.code not in _REFUSALS or error.upstream is None:
        return False
    verdict = codes.verdict(error.upstream.code, {}, success=False)
    return verdict in (codes.Verdict.ACCEPTED, codes.Verdict.UNKNOWN)
