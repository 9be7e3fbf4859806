"""For whom, and until when, something is sent to Huawei."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from app.errors import ErrorCode, GatewayError

WRITE = 20.0  # seconds that a write may take, unless the caller says otherwise
READ = 8.0  # seconds that a read may take
UPLOAD = 25.0  # seconds that an upload may take from the moment it is forwarded
FLOOR = 0.5  # seconds; with less left nothing is sent, for no answer could be waited for


@dataclass(frozen=True, slots=True)
class Errand:
    """One budget of time for queue, token, connection, answer and retries of a request.

    Args:
        caller: Whose turn it uses up in the queue.
        ends: When it has to be over, by the monotonic clock.
        urgent: Whether it goes before polls: writes, and looks after a lost write.
    """

    caller: str
    ends: float
    urgent: bool = False
    monotonic: Callable[[], float] = field(default=time.monotonic, repr=False)

    @classmethod
    def within(cls, seconds: float, caller: str, *, urgent: bool = False) -> "Errand":
        """An errand that may take so many seconds from now on."""
        return cls(caller, time.monotonic() + seconds, urgent)

    @property
    def left(self) -> float:
        """Seconds left; negative when it is over."""
        return self.ends - self.monotonic()

    def check(self, write: bool) -> None:
        """See that there is enough time to send something.

        Raises:
            GatewayError: DEADLINE_EXCEEDED.
        """
        if self.left < FLOOR:
            raise GatewayError(ErrorCode.DEADLINE_EXCEEDED, write=write)
