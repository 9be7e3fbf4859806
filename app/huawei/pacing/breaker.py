"""Pauses the calls of one account while Huawei does not answer, or fails for all customers.

A call asks for leave before it waits for anything, and once more before it sends. What the
transport saw of each exchange is told as evidence; what ended before anything was sent is none.
"""

import contextlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pybreaker

from app.errors import ErrorCode, GatewayError
from app.huawei.pacing.evidence import Evidence
from app.observability import metrics
from app.observability.logs import event, logger

CUSTOMERS = 3  # so many must meet a doubtful answer before it counts as a failure
WINDOW = 60.0  # seconds in which they must meet it; the pause of the circuit comes on top
LONGEST_TRIAL = 10.0  # seconds; after that another call may try, though the first has not ended
TRIAL_PAUSE = 1.0  # seconds that callers wait while a trial is under way

_log = logger("breaker")
T = TypeVar("T")


class Permit:
    """Leave to send, for as long as the circuit does not change."""


class _Failure(Exception):
    """What pybreaker counts."""


class _Listener(pybreaker.CircuitBreakerListener):
    def __init__(self, account: str) -> None:
        self._account = account

    def state_change(self, cb: Any, old_state: Any, new_state: Any) -> None:
        state = new_state.name
        metrics.BREAKER_OPEN.labels(self._account).set(0 if state == pybreaker.STATE_CLOSED else 1)
        level = logging.INFO if state == pybreaker.STATE_CLOSED else logging.WARNING
        event(_log, level, "The circuit to Huawei changes", account=self._account, state=state)


class Breaker:
    """The circuit of one account to one endpoint.

    pybreaker counts and holds the state. It is told of exchanges when they are over and not
    wrapped around them, for it knows two outcomes only: to it, what was never sent is a success.

    Args:
        account: The account's name, and what of it where it is not Partner Center.
        failures: So many in a row open it.
        pause: Seconds until one call may try again.
        monotonic: The clock of pauses.
    """

    def __init__(
        self,
        account: str,
        failures: int,
        pause: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pause = pause
        self._monotonic = monotonic
        self._circuit = pybreaker.CircuitBreaker(
            fail_max=failures, listeners=[_Listener(account)], throw_new_error_on_trip=False
        )
        self._lock = threading.Lock()
        self._valid = Permit()  # the only one whose evidence counts now
        self._next_trial = 0.0  # before that nobody may try
        self._doubtful: OrderedDict[str | None, float] = OrderedDict()  # when, by customer
        metrics.BREAKER_OPEN.labels(account).set(0)

    @property
    def closed(self) -> bool:
        """Whether the circuit is closed."""
        return bool(self._circuit.current_state == pybreaker.STATE_CLOSED)

    def call(
        self, write: bool, probe: Callable[[Permit], object], work: Callable[[Permit], T]
    ) -> T:
        """Do the work if the circuit allows it; after a pause one call at a time may try.

        Args:
            write: Whether the work writes. A write is never the trial: the probe goes first.
            probe: Sends a harmless read with the permit; raises what it ended in.
            work: Makes the call with the permit, which it confirms before it sends.

        Raises:
            GatewayError: CIRCUIT_OPEN, and nothing was sent; or what the work ended in.
        """
        with self._admitted(write) as permit:
            if write and not self.closed:
                probe(permit)
                if not self.closed:
                    raise self._refusal(write)
            return work(permit)

    def confirm(self, permit: Permit, write: bool) -> Permit:
        """The permit with which to send now: the circuit may have changed since it was given.

        Raises:
            GatewayError: CIRCUIT_OPEN.
        """
        with self._lock:
            if permit is self._valid or self.closed:
                return self._valid
        raise self._refusal(write)

    def tell(self, permit: Permit | None, evidence: Evidence | None, customer: str | None) -> None:
        """Tell what the transport saw of an exchange; None is no evidence.

        What began before the circuit changed is ignored: late failures do not prolong a pause,
        and late answers do not end it.

        Args:
            permit: What `confirm` returned before the exchange; None if it was not asked.
            evidence: What was seen.
            customer: For whom it was; None if for nobody in particular.
        """
        with self._lock:
            if permit is not self._valid or evidence is None:
                return
            failed = evidence is Evidence.FAILED
            if evidence is Evidence.DOUBTFUL:
                failed = self._is_met_by_several(customer)
            elif evidence is Evidence.ANSWERED:
                self._doubtful.clear()
            was_closed = self.closed
            with contextlib.suppress(_Failure):
                self._circuit.call(_outcome, failed)
            if not self.closed:
                self._next_trial = self._monotonic() + self._pause
            if not (was_closed and self.closed):
                self._valid = Permit()

    @contextlib.contextmanager
    def _admitted(self, write: bool) -> Iterator[Permit]:
        permit = self._admit(write)
        try:
            yield permit
        finally:
            with self._lock:
                # A trial that has brought no evidence: the next call tries.
                if permit is self._valid and not self.closed:
                    self._valid = Permit()
                    self._next_trial = self._monotonic()

    def _admit(self, write: bool) -> Permit:
        with self._lock:
            if not self.closed:
                now = self._monotonic()
                if now < self._next_trial:
                    raise self._refusal(write)
                if self._circuit.current_state == pybreaker.STATE_OPEN:
                    self._circuit.half_open()
                self._valid = Permit()
                self._next_trial = now + LONGEST_TRIAL
            return self._valid

    def _refusal(self, write: bool) -> GatewayError:
        left = max(0.0, self._next_trial - self._monotonic())
        if self._circuit.current_state != pybreaker.STATE_OPEN:
            left = min(left, TRIAL_PAUSE)
        return GatewayError(ErrorCode.CIRCUIT_OPEN, retry_after=left or TRIAL_PAUSE, write=write)

    def _is_met_by_several(self, customer: str | None) -> bool:
        """Whether enough different customers met a doubtful answer lately, this one included."""
        now = self._monotonic()
        self._doubtful[customer] = now
        self._doubtful.move_to_end(customer)
        if len(self._doubtful) > CUSTOMERS:
            self._doubtful.popitem(last=False)
        first = next(iter(self._doubtful.values()))
        return len(self._doubtful) == CUSTOMERS and now - first <= WINDOW + self._pause


def _outcome(failed: bool) -> None:
    if failed:
        raise _Failure
