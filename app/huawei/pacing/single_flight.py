"""Shares one call among threads that need the same result at the same time."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from app.errors import ErrorCode, GatewayError
from app.huawei.pacing.deadline import FLOOR, Errand

T = TypeVar("T")

# Failures that can come from the deadline of the thread that did the work.
_OF_A_DEADLINE = frozenset({ErrorCode.DEADLINE_EXCEEDED, ErrorCode.OVERLOADED})


@dataclass(slots=True, eq=False)
class _Flight:
    """The work of one thread.

    Args:
        result: The result that the other threads wait for.
        late: Whether the work failed because the deadline of its thread passed.
    """

    result: Future[Any] = field(default_factory=Future)
    late: bool = False


class SingleFlight:
    """Lets the first thread do the work; the other threads wait for its result.

    Each thread keeps its own deadline. If the work fails because the first thread's deadline
    passed, one of the threads that have time left does the work again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[Hashable, _Flight] = {}

    def do(self, key: Hashable, work: Callable[[], T], errand: Errand) -> T:
        """The result of `work`, or of the work that another thread is doing for the same key.

        Args:
            key: Identifies the work.
            work: Produces the result by the deadline of the errand.
            errand: The deadline of this thread.

        Raises:
            GatewayError: DEADLINE_EXCEEDED if another thread's work takes longer than the errand.
            Exception: the exception of the work, in all the threads.
        """
        while True:
            with self._lock:
                pending = self._pending.get(key)
                own = pending or _Flight()
                if pending is None:
                    self._pending[key] = own
            if pending is None:
                return self._lead(key, own, work, errand)
            try:
                return cast(T, pending.result.result(max(0.0, errand.left)))
            except TimeoutError:
                raise GatewayError(ErrorCode.DEADLINE_EXCEEDED, write=False) from None
            except GatewayError:
                if not pending.late or errand.left < FLOOR:
                    raise

    def _lead(self, key: Hashable, own: _Flight, work: Callable[[], T], errand: Errand) -> T:
        try:
            own.result.set_result(work())
        except BaseException as error:
            own.late = isinstance(error, GatewayError) and (
                error.code in _OF_A_DEADLINE or errand.left < FLOOR
            )
            own.result.set_exception(error)
        finally:
            with self._lock:
                del self._pending[key]
        return cast(T, own.result.result())
