"""Reads the status of a customer's verification, and waits for the end of a review."""

import threading
from collections.abc import Callable
from dataclasses import replace

from app.huawei.pacing.deadline import Errand
from app.huawei.pacing.polling import poll
from app.huawei.pacing.single_flight import SingleFlight
from app.verification.model import Kind, Status, Verification


class Reads:
    """The reads of one account's verifications.

    Args:
        read: Reads a verification once.
        kind: Returns the kind of the last submission for a customer; None if it is not known.
        draining: Is set when the process begins to shut down.
    """

    def __init__(
        self,
        read: Callable[[str, Errand], Verification],
        kind: Callable[[str], str | None],
        draining: threading.Event,
    ) -> None:
        self._kind = kind
        self._read = read
        self._draining = draining
        self._flight = SingleFlight()

    def read(self, customer_id: str, errand: Errand, wait: float = 0) -> Verification:
        """Read the status of a customer's verification. Identical reads share one upstream call.

        If a review is still under way when the wait ends or the gateway drains, the answer is
        IN_REVIEW.

        Args:
            customer_id: The customer.
            errand: The caller and the deadline.
            wait: Seconds to wait for the end of a review.

        Raises:
            GatewayError: the failure of the upstream call.
        """
        result = poll(
            lambda within: self._read_once(customer_id, within),
            lambda _, last: last.status is Status.IN_REVIEW,
            errand,
            wait,
            self._draining,
        )
        if result.status is Status.NOT_SUBMITTED:
            return result
        kind = self._kind(customer_id)
        return replace(result, kind=Kind(kind) if kind else None)

    def _read_once(self, customer_id: str, errand: Errand) -> Verification:
        return self._flight.do(customer_id, lambda: self._read(customer_id, errand), errand)
