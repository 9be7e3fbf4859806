"""Whether, when and how often a failed call is sent again."""

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from app.errors import ErrorCode, GatewayError
from app.huawei.operation import Operation
from app.huawei.pacing.deadline import FLOOR, Errand

# Nothing was processed after these: a write may be sent again too.
NOT_PROCESSED = frozenset({ErrorCode.UPSTREAM_UNREACHABLE, ErrorCode.UPSTREAM_THROTTLED})
# A read may be sent again after these as well.
FAILED = NOT_PROCESSED | {ErrorCode.UPSTREAM_ERROR, ErrorCode.UPSTREAM_MALFORMED}

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 3.0  # seconds
SHARE = 0.1  # retries for each request
RESERVE = 10.0  # retries that may come at once

T = TypeVar("T")


class Retries:
    """Repeats the calls of one account: capped exponential pauses with full jitter.

    Retries are at most a tenth of its requests: a failing Huawei gets no storm.

    Args:
        tries: How often one call is sent at most.
        jitter: Chooses a number between two.
    """

    def __init__(
        self, tries: int, jitter: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._tries = tries
        self._jitter = jitter
        self._lock = threading.Lock()
        self._budget = RESERVE

    def call(self, operation: Operation, errand: Errand, work: Callable[[], T]) -> T:
        """Do the work, within the errand's time again if it fails and that is safe.

        Raises:
            GatewayError: what the last try ended in.
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
                over = tried >= self._tries or errand.left - pause < FLOOR
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
