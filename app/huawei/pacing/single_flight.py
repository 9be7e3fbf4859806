"""One call for all who ask the same at the same time."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar, cast

T = TypeVar("T")


class SingleFlight:
    """Lets the first of several askers do the work; the others get what it got."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[Hashable, Future[Any]] = {}

    def do(self, key: Hashable, work: Callable[[], T], within: float | None = None) -> T:
        """The outcome of `work`, or of the same work that is under way for this key.

        Args:
            key: What is asked for.
            work: Gets it.
            within: Seconds to wait for another's work.

        Raises:
            TimeoutError: if another's work takes longer.
            Exception: whatever the work raised, for all who asked.
        """
        with self._lock:
            under_way = self._under_way.get(key)
            mine: Future[T] = under_way or Future()
            if under_way is None:
                self._under_way[key] = mine
        if under_way is not None:
            return cast(T, under_way.result(within))
        try:
            mine.set_result(work())
        except BaseException as error:
            mine.set_exception(error)
        finally:
            with self._lock:
                del self._under_way[key]
        return mine.result()
