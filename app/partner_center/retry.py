"""Whether, when and how often a failed call is sent again."""

import random
import threading
from collections.abc import Callable

import tenacity

from app.errors import ErrorCode, GatewayError
from app.partner_center.deadline import FLOOR, Errand

# Nothing was processed after these: a write may be sent again too.
NOT_PROCESSED = frozenset({ErrorCode.UPSTREAM_UNREACHABLE, ErrorCode.UPSTREAM_THROTTLED})
# A read may be sent again after these as well.
FAILED = NOT_PROCESSED | {ErrorCode.UPSTREAM_ERROR, ErrorCode.UPSTREAM_MALFORMED}

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 3.0  # seconds
SHARE = 0.1  # retries for each request
RESERVE = 10.0  # retries that may come at once


class RetryBudget:
    """Retries of one account, at most a tenth of its requests: a failing Huawei gets no storm."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens = RESERVE

    def deposit(self) -> None:
        """Count a request."""
        with self._lock:
            self._tokens = min(RESERVE, self._tokens + SHARE)

    def withdraw(self) -> bool:
        """Take a retry; False if there is none left."""
        with self._lock:
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


def policy(
    errand: Errand,
    write: bool,
    budget: RetryBudget,
    tries: int,
    jitter: Callable[[float, float], float] = random.uniform,
) -> tenacity.Retrying:
    """How one call is repeated: capped exponential pauses with full jitter, within its time.

    Args:
        errand: Its time.
        write: Whether it writes.
        budget: Its account's retries.
        tries: How often it is sent at most.
        jitter: Chooses a number between two.
    """
    repeatable = NOT_PROCESSED if write else FAILED

    def may_repeat(error: BaseException) -> bool:
        return isinstance(error, GatewayError) and error.code in repeatable

    def pause(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, GatewayError) and error.retry_after is not None:
            return error.retry_after
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (state.attempt_number - 1))
        return jitter(0, longest)

    def is_over(state: tenacity.RetryCallState) -> bool:
        if state.attempt_number >= tries or errand.left - state.upcoming_sleep < FLOOR:
            return True
        return not budget.withdraw()

    budget.deposit()
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(may_repeat), wait=pause, stop=is_over, reraise=True
    )
