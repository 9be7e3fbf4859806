"""Reads the status of a customer's verification, and waits for the end of a review."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from app.errors import GatewayError
from app.huawei.pacing.deadline import FLOOR, READ, Errand
from app.huawei.pacing.single_flight import SingleFlight
from app.verification.backends import ReviewBackend
from app.verification.model import Kind, Status, Verification

POLL_INTERVAL = 2.0  # seconds between two reads of a review that a caller waits for
LAST_LOOK = 3.0  # seconds for the last read, if the wait is as long as the errand
GRACE = 0.8  # seconds after the wait in which its last read has to end


class Reads:
    """The reads of one account's verifications.

    Args:
        review: The review backend, which serves every read.
        kind: Returns the kind of the last submission for a customer; None if it is not known.
        draining: Is set when the process begins to shut down.
    """

    def __init__(
        self,
        review: ReviewBackend,
        kind: Callable[[str], str | None],
        draining: threading.Event,
    ) -> None:
        self._kind = kind
        self._review = review
        self._draining = draining
        self._flight = SingleFlight()

    def read(self, customer_id: str, errand: Errand, wait: float = 0) -> Verification:
        """Read the status of a customer's verification. Identical reads share one upstream call.

        If a review is still under way when the wait ends or the gateway drains, the answer is
        IN_REVIEW. The wait is exceeded by at most GRACE, unless the first read takes longer.

        Args:
            customer_id: The customer.
            errand: The caller and the deadline.
            wait: Seconds to wait for the end of a review.

        Raises:
            GatewayError: the failure of the upstream call.
        """
        begun = time.monotonic()
        ends = begun + wait
        repeated = replace(errand, ends=min(errand.ends, ends + GRACE))
        first = replace(repeated, ends=max(repeated.ends, min(errand.ends, begun + READ)))
        result = self._read_once(customer_id, first if wait else errand)
        while result.status is Status.IN_REVIEW:
            left = min(ends - time.monotonic(), errand.left - LAST_LOOK)
            if left <= 0:
                break
            time.sleep(min(POLL_INTERVAL, left))
            if self._draining.is_set():
                break
            try:
                result = self._read_once(customer_id, repeated)
            except GatewayError:
                if repeated.left >= FLOOR:
                    raise
        if result.status is Status.NOT_SUBMITTED:
            return result
        kind = self._kind(customer_id)
        return replace(result, kind=Kind(kind) if kind else None)

    def _read_once(self, customer_id: str, errand: Errand) -> Verification:
        return self._flight.do(customer_id, lambda: self._review.read(customer_id, errand), errand)
