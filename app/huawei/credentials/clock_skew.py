"""The skew between Huawei's clock and ours. Huawei refuses signatures that are 15 minutes off."""

import logging
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

from app.huawei.codes import Verdict
from app.observability import metrics
from app.observability.logs import event, logger

INTERVAL = 10.0  # seconds between two measurements
TOLERANCE = 14 * 60.0  # seconds; Huawei tolerates 15 minutes
WARN_FROM = 60.0  # seconds of skew
WARN_INTERVAL = 300.0  # seconds between two warnings

_log = logger("clock")


class ClockSkew:
    """Measures the skew by the `Date` header of answers, whose resolution is one second.

    Args:
        account: The account's name.
        now: The wall clock, in seconds.
        monotonic: The clock of intervals.
    """

    def __init__(
        self,
        account: str,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._account = account
        self._now = now
        self._monotonic = monotonic
        self._next = 0.0
        self._next_warning = 0.0
        self._skew: float | None = None

    def expect(self) -> None:
        """Forget the last measurement, and measure by the next answer."""
        self._next, self._skew = 0.0, None

    @property
    def verdict(self) -> Verdict:
        """Whether Huawei accepts the time of a signature: ACCEPTED, SKEWED, or UNKNOWN yet."""
        if self._skew is None:
            return Verdict.UNKNOWN
        return Verdict.ACCEPTED if abs(self._skew) <= TOLERANCE else Verdict.SKEWED

    def note(self, headers: Mapping[str, str]) -> None:
        """Measure the skew by the headers of an answer, at most once per INTERVAL.

        Sets the metric, and logs a warning at most once per WARN_INTERVAL.

        Args:
            headers: The headers of the answer, with names in lower case.
        """
        moment = self._monotonic()
        if moment < self._next:
            return
        self._next = moment + INTERVAL
        try:
            theirs = parsedate_to_datetime(headers.get("date", "")).timestamp()
        except (ValueError, OverflowError):
            return
        self._skew = skew = theirs - self._now()
        metrics.CLOCK_SKEW.labels(self._account).set(round(skew))
        if abs(skew) >= WARN_FROM and moment >= self._next_warning:
            self._next_warning = moment + WARN_INTERVAL
            text = "Our clock differs from Huawei's"
            event(_log, logging.WARNING, text, account=self._account, seconds=round(skew))
