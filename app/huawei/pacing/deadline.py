"""The caller and the deadline of a request to Huawei."""

import time
from dataclasses import dataclass

from app.errors import ErrorCode, GatewayError

WRITE = 20.0  # seconds for a write, unless the caller sets another time
READ = 8.0  # seconds for a read
# Seconds for the read of the state before a write. If the read fails, the write is still sent,
# unless Huawei may have processed an earlier try: then the read may take half of the time left.
READ_BEFORE = 3.0
UPLOAD = 25.0  # seconds to receive an upload and to forward it
FLOOR = 0.5  # seconds; nothing is sent with less time left, because no answer could arrive


@dataclass(frozen=True, slots=True)
class Errand:
    """One time budget for the queue, token, connection, answer and retries of a request.

    Args:
        caller: The caller whose place in the queue it uses.
        ends: The deadline, by the monotonic clock.
        urgent: Whether it goes before polls, as writes and reads after a lost write do.
        watches: Whether it is a call of the gateway's own watch: it waits behind all requests of
            callers, and is sent once.
    """

    caller: str
    ends: float
    urgent: bool = False
    watches: bool = False

    @classmethod
    def within(
        cls, seconds: float, caller: str, *, urgent: bool = False, watches: bool = False
    ) -> "Errand":
        """An errand whose deadline is so many seconds from now.

        Args:
            seconds: The time budget.
            caller: The caller whose place in the queue it uses.
            urgent: Whether it goes before polls.
            watches: Whether it goes behind all requests of callers, and is sent once.
        """
        return cls(caller, time.monotonic() + seconds, urgent, watches)

    def read_before(self, *, needed: bool) -> "Errand":
        """The errand of the read of the state before this write. It leaves time to send the write.

        Args:
            needed: Whether nothing may be sent without the read.
        """
        most = max(READ_BEFORE, self.left / 2) if needed else READ_BEFORE
        return self.within(min(most, self.left - 2 * FLOOR), self.caller, urgent=True)

    @property
    def left(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self.ends - time.monotonic()

    def check(self, write: bool) -> float:
        """The seconds left, at least FLOOR, so that a call may be sent.

        Args:
            write: Whether the call writes.

        Raises:
            GatewayError: DEADLINE_EXCEEDED.
        """
        left = self.left
        if left < FLOOR:
            raise GatewayError(ErrorCode.DEADLINE_EXCEEDED, write=write)
        return left
