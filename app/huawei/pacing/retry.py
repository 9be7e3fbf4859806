"""Retries: whether a failed call is sent again, when, and how often."""

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from app.errors import ErrorCode, GatewayError
from app.huawei.operation import Operation
from app.huawei.pacing.deadline import FLOOR, Errand

# After these errors Huawei has processed nothing, so that a write may be sent again too.
NOT_PROCESSED = frozenset({ErrorCode.UPSTREAM_UNREACHABLE, ErrorCode.UPSTREAM_THROTTLED})
# After these errors a read may be sent again.
FAILED = NOT_PROCESSED | {ErrorCode.UPSTREAM_ERROR, ErrorCode.UPSTREAM_MALFORMED}

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 3.0  # seconds
SHARE = 0.1  # retries that each request adds to the retry budget
RESERVE = 10.0  # retries, the upper bound of the retry budget

T = TypeVar("T")


class Retries:
    """Retries the calls of one account, with capped exponential backoff and full jitter.

    A retry budget limits the retries to a tenth of the requests, to prevent a retry storm while
    Huawei fails.

    Args:
        tries: The highest number of times that one call is sent.
        jitter: Returns a number between its two arguments, by default at random.
    """

    def __init__(
        self, tries: int, jitter: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._tries = tries
        self._jitter = jitter
        self._lock = threading.Lock()
        self._budget = RESERVE

    def call(self, operation: Operation, errand: Errand, work: Callable[[], T]) -> T:
        """Do the work; do it again after a failure if that is safe and time is left.

        Args:
            operation: The operation; it decides which failures may be repeated.
            errand: The time budget.
            work: Sends the call once.

        Returns:
            The result of the work.

        Raises:
            GatewayError: the failure of the last try.
        """
        repeatable = NOT_PROCESSED if operation.writes else FAILED
        with self._lock:
            self._budget = min(RESERVE, self._budget + SHARE)
        tried = 0
        while True:
            tried += 1
            try:
                return work()
            except GatewayError as error:
                pause = self._pause(error, tried)
                over = errand.watches or tried >= self._tries or errand.left - pause < FLOOR
                if error.code not in repeatable or over or not self._withdraw():
                    raise
            time.sleep(pause)

    def _pause(self, error: GatewayError, tried: int) -> float:
        if error.retry_after is not None:
            return error.retry_after
        return self._jitter(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tried - 1)))

    def _withdraw(self) -> bool:
        with self._lock:
            if self._budget < 1:
                return False
            self._budget -= 1
            return True
