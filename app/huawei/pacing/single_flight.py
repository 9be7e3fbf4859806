"""Shares one call among threads that need the same result at the same time."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar, cast

T = TypeVar("T")


class SingleFlight:
    """Lets the first thread do the work; the other threads wait for its result."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[Hashable, Future[Any]] = {}

    def do(self, key: Hashable, work: Callable[[], T], within: float | None = None) -> T:
        """The result of `work`, or of the work that another thread is doing for the same key.

        Args:
            key: Identifies the work.
            work: Produces the result.
            within: Seconds to wait for another thread; None waits without a limit.

        Raises:
            TimeoutError: if another thread's work takes longer.
            Exception: the exception of the work, in all the threads.
        """
        with self._lock:
            pending = self._pending.get(key)
            own: Future[T] = pending or Future()
            if pending is None:
                self._pending[key] = own
        if pending is not None:
            return cast(T, pending.result(within))
        try:
            own.set_result(work())
        except BaseException as error:
            own.set_exception(error)
        finally:
            with self._lock:
                del self._pending[key]
        return own.result()
