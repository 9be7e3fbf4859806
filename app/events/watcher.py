"""The watcher of one account: makes the calls that are due, if this replica holds the lease."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from app.errors import GatewayError
from app.events.lane import Lane
from app.events.lease import RETRY, Lease
from app.observability import logs

BRIEF = 0.05  # seconds, the shortest pause between two steps
AFTER_A_FAULT = 5.0  # seconds without a step, or without a duty that raised something unexpected


class Duty(Protocol):
    """What a watcher does again and again, by calls to one API."""

    @property
    def lane(self) -> Lane:
        """The pace of its calls."""

    def begin(self) -> None:
        """Forget what was known: this replica holds the lease from now on."""

    def until_due(self) -> float:
        """Seconds until there is a call to send; 0 if there is one now, infinity without any."""

    def work(self) -> None:
        """Send one call, and act on its answer.

        Raises:
            GatewayError: the failure of the call, if it does not concern one customer only.
        """


class Watcher:
    """Watches in the replica that holds the lease.

    Args:
        lease: Held by one replica.
        duties: What it does.
        draining: Is set when the process begins to shut down; this ends the watch.
        monotonic: The clock of pauses, in seconds.
    """

    def __init__(
        self,
        lease: Lease,
        duties: Sequence[Duty],
        draining: threading.Event,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lease = lease
        self._duties = duties
        self._draining = draining
        self._monotonic = monotonic
        self._resumes: dict[Duty, float] = {}  # when a duty goes on that raised something
        self._holds = False

    def run(self) -> None:
        """Watch until the process shuts down."""
        try:
            while not self._draining.is_set():
                self._draining.wait(self._safe_step())
        finally:
            self._lease.release()

    def step(self) -> float:
        """Make at most one call for each duty that is due.

        Returns:
            Seconds until the next step.
        """
        if not self._hold():
            return RETRY
        return max(BRIEF, min(self._run_safely(duty) for duty in self._duties))

    def _safe_step(self) -> float:
        try:
            return self.step()
        except Exception as error:  # a fault of one step must not end the watch
            logs.unexpected(error, "watcher")
            return AFTER_A_FAULT

    def _hold(self) -> bool:
        held = self._lease.hold()
        if held and not self._holds:
            for duty in self._duties:
                try:
                    duty.begin()
                except Exception as error:
                    logs.unexpected(error, "watcher")
        self._holds = held
        return held

    def _run_safely(self, duty: Duty) -> float:
        """Run a duty. An unexpected error of one duty must not delay the other duties."""
        pause = self._resumes.get(duty, 0.0) - self._monotonic()
        if pause > 0:
            return min(RETRY, pause)
        try:
            return self._run_duty(duty)
        except Exception as error:
            logs.unexpected(error, "watcher")
            self._resumes[duty] = self._monotonic() + AFTER_A_FAULT
            return RETRY

    def _run_duty(self, duty: Duty) -> float:
        """Send the call of a duty if it is due. Returns the seconds until the next one.

        The lease is held again before each call, since the call before it took its time.
        """
        pause = duty.until_due() or duty.lane.wait()
        if pause > 0:
            return min(RETRY, pause)
        if self._draining.is_set() or not self._hold():
            return RETRY
        duty.lane.use()
        try:
            duty.work()
        except GatewayError as error:
            duty.lane.failed(error)
        else:
            duty.lane.succeeded()
        return BRIEF
