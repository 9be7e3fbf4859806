"""The circuit breaker: stops an account's calls while Huawei fails for all customers.

A call acquires a permit before it waits for anything, and confirms the permit before it sends.
Each exchange is recorded as evidence. A call that ends before it sends anything is not evidence.
"""

import contextlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, TypeVar

import pybreaker

from app.errors import ErrorCode, GatewayError
from app.huawei.pacing.deadline import Errand
from app.observability import metrics
from app.observability.logs import event, logger

CUSTOMERS = 3  # doubtful answers count as a failure when so many different customers get one
WINDOW = 60.0  # seconds in which these customers must get them, plus the pause of the circuit
LONGEST_TRIAL = 10.0  # seconds until another trial call may start if the first has not ended
TRIAL_PAUSE = 1.0  # seconds, the Retry-After during a trial call

# After so long an answer counts as missing. If our own deadline ends the wait sooner, the answer
# may still have been on its way.
PATIENCE = 5.0  # seconds

_LOST = frozenset(
    {ErrorCode.UPSTREAM_UNREACHABLE, ErrorCode.UPSTREAM_ERROR, ErrorCode.OUTCOME_UNKNOWN}
)

_log = logger("breaker")
T = TypeVar("T")


class Evidence(Enum):
    """The evidence of one exchange: whether Huawei as a whole answers or fails.

    Failures that concern one customer, or the gateway itself, are not evidence about Huawei.
    """

    ANSWERED = "answered"  # a proper answer, which may refuse one customer's request
    FAILED = "failed"  # no answer, or an answer that is not Huawei's
    DOUBTFUL = "doubtful"  # a failure of Huawei if several customers get it, else of one customer


class Permit:
    """Permission to send, valid until the circuit changes its state."""


class _Failure(Exception):
    """The exception that pybreaker counts."""


class _Listener(pybreaker.CircuitBreakerListener):
    def __init__(self, account: str) -> None:
        self._account = account

    def state_change(self, cb: Any, old_state: Any, new_state: Any) -> None:
        state = new_state.name
        metrics.BREAKER_OPEN.labels(self._account).set(0 if state == pybreaker.STATE_CLOSED else 1)
        level = logging.INFO if state == pybreaker.STATE_CLOSED else logging.WARNING
        text = "The circuit to Huawei changed its state"
        event(_log, level, text, account=self._account, state=state)


class Breaker:
    """The circuit of one account to one endpoint.

    pybreaker counts the failures and holds the state (closed, open, half-open). Exchanges are
    recorded after their end; pybreaker does not wrap them, because it would count a call that
    sent nothing as a success.

    Args:
        account: The account's name, with a suffix for another endpoint than Partner Center.
        failures: The number of failures in a row that opens the circuit.
        pause: Seconds until an open circuit allows a trial call.
        monotonic: The clock of pauses, in seconds.
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
        self._valid = Permit()  # the current permit; evidence with an older one is ignored
        self._next_trial = 0.0  # the earliest time of the next trial call
        self._doubtful: OrderedDict[str | None, float] = OrderedDict()  # times, by customer
        metrics.BREAKER_OPEN.labels(account).set(0)

    @property
    def closed(self) -> bool:
        """Whether the circuit is closed."""
        return bool(self._circuit.current_state == pybreaker.STATE_CLOSED)

    def call(
        self, write: bool, probe: Callable[[Permit], object], work: Callable[[Permit], T]
    ) -> T:
        """Do the work if the circuit is closed. After a pause, one trial call at a time may try.

        Args:
            write: Whether the work writes. A write is never the trial call: a probe is.
            probe: Sends a read with the permit, and raises its failure.
            work: Makes the call with the permit, and confirms the permit before it sends.

        Returns:
            The result of the work.

        Raises:
            GatewayError: CIRCUIT_OPEN if nothing was sent; otherwise the failure of the work.
        """
        with self._admitted(write) as permit:
            if write and not self.closed:
                probe(permit)
                if not self.closed:
                    raise self._refusal(write)
            return work(permit)

    def confirm(self, permit: Permit, write: bool) -> Permit:
        """The permit to send with now. The circuit may have changed since the permit was issued.

        Args:
            permit: The permit that `call` passed.
            write: Whether the call writes.

        Raises:
            GatewayError: CIRCUIT_OPEN.
        """
        with self._lock:
            if permit is self._valid or self.closed:
                return self._valid
        raise self._refusal(write)

    def record(
        self, permit: Permit | None, evidence: Evidence | None, customer: str | None
    ) -> None:
        """Record the evidence of an exchange.

        An exchange that began before the circuit changed is ignored: late failures do not prolong
        a pause, and late answers do not end it.

        Args:
            permit: The result of `confirm` before the exchange; None if it was not called.
            evidence: The evidence; None if the exchange is not evidence.
            customer: The customer of the exchange; None if it concerns no single customer.
        """
        with self._lock:
            if permit is not self._valid or evidence is None:
                return
            failed = evidence is Evidence.FAILED
            if evidence is Evidence.DOUBTFUL:
                failed = self._several_customers_doubt(customer)
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
                # The trial call ended without evidence: the next call becomes the trial call.
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

    def _several_customers_doubt(self, customer: str | None) -> bool:
        """Add a customer's doubtful answer; whether CUSTOMERS had one within the window."""
        now = self._monotonic()
        self._doubtful[customer] = now
        self._doubtful.move_to_end(customer)
        if len(self._doubtful) > CUSTOMERS:
            self._doubtful.popitem(last=False)
        first = next(iter(self._doubtful.values()))
        return len(self._doubtful) == CUSTOMERS and now - first <= WINDOW + self._pause


def evidence_of(failure: GatewayError, errand: Errand, waited: float) -> Evidence | None:
    """The evidence of an exchange without an answer; None if it is not evidence.

    Args:
        failure: The error that the endpoint raised.
        errand: The errand of the exchange.
        waited: Seconds from the start of the exchange to the failure.
    """
    if failure.code not in _LOST or (errand.left <= 0 and waited < PATIENCE):
        return None
    return Evidence.FAILED


def _outcome(failed: bool) -> None:
    if failed:
        raise _Failure
