"""Pauses the calls of one account while Huawei cannot be reached or fails all the time."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import pybreaker

from app.errors import ErrorCode, GatewayError
from app.observability import metrics
from app.observability.logs import event, logger

STORM = frozenset(
    {
        ErrorCode.UPSTREAM_UNREACHABLE,
        ErrorCode.UPSTREAM_ERROR,
        ErrorCode.UPSTREAM_MALFORMED,
        ErrorCode.OUTCOME_UNKNOWN,
    }
)
_log = logger("breaker")
T = TypeVar("T")


def _is_no_storm(error: Any) -> bool:
    return not (isinstance(error, GatewayError) and error.code in STORM)


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

    Args:
        account: The account's name, and what of it where it is not Partner Center.
        failures: So many in a row open it.
        pause: Seconds until a read may try again.
    """

    def __init__(self, account: str, failures: int, pause: float) -> None:
        self._pause = pause
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=failures,
            reset_timeout=pause,
            exclude=[_is_no_storm],
            listeners=[_Listener(account)],
            throw_new_error_on_trip=False,
        )
        metrics.BREAKER_OPEN.labels(account).set(0)

    @property
    def closed(self) -> bool:
        """Whether calls go through without ado."""
        return bool(self._breaker.current_state == pybreaker.STATE_CLOSED)

    def call(self, write: bool, probe: Callable[[], object], work: Callable[[], T]) -> T:
        """Do the work, whose failures are counted; after a pause only a read finds out first.

        Args:
            write: Whether the work writes.
            probe: Sends a harmless read; raises what it ended in.
            work: Makes the call.

        Raises:
            GatewayError: CIRCUIT_OPEN, and nothing was sent; or what the work ended in.
        """
        try:
            if write and not self.closed:
                with self._breaker.calling():
                    probe()
            with self._breaker.calling():
                return work()
        except pybreaker.CircuitBreakerError:
            raise GatewayError(
                ErrorCode.CIRCUIT_OPEN, retry_after=self._pause, write=write
            ) from None
