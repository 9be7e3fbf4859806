"""A stream of one process, in memory."""

import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence

from app.state.stream import Added, Following, nonce, order


class MemoryStream:
    """Values in a list.

    Args:
        most: The number of values that it keeps.
        seconds: How long it keeps a value.
        now: The clock, in seconds.
    """

    def __init__(self, most: int, seconds: float, now: Callable[[], float]) -> None:
        self._most = most
        self._seconds = seconds
        self._now = now
        self._changed = threading.Condition()
        # The first entry is the place before the oldest value; its own value is dropped.
        self._ids: list[tuple[int, int]] = [(0, nonce())]
        self._values: list[bytes] = [b""]
        self._once: dict[str, float] = {}  # when it may be added again, in the order of the clock

    def add(self, value: bytes, once: str) -> bool:
        """Add a value, unless this was done for `once` before. Returns whether it was added now."""
        with self._changed:
            now = self._now()
            while self._once and next(iter(self._once.values())) <= now:
                del self._once[next(iter(self._once))]
            if once in self._once:
                return False
            self._once[once] = now + self._seconds
            self._ids.append((max(int(now * 1000), self._ids[-1][0] + 1), nonce()))
            self._values.append(value)
            self._drop(int((now - self._seconds) * 1000))
            self._changed.notify_all()
            return True

    def _drop(self, oldest: int) -> None:
        expired = bisect_right(self._ids, (oldest, 0)) - 1
        dropped = max(expired, len(self._ids) - 1 - self._most, 0)
        del self._ids[:dropped]
        del self._values[:dropped]

    def after(self, place: str | None, limit: int) -> Following:
        """The values after a place, or from the oldest value if the place is None."""
        with self._changed:
            newest = _text(self._ids[-1])
            start = 0
            if place is not None:
                start = bisect_right(self._ids, order(place)) - 1
                if start < 0 or _text(self._ids[start]) != place:
                    return Following(known=False, place=place, newest=newest)
            return Following(True, _text(self._ids[start]), newest, self._from(start + 1, limit))

    def wait(self, place: str, seconds: float) -> Sequence[Added]:
        """Wait for values after a place, at most so many seconds. Returns some of them, or none."""
        known = order(place)
        with self._changed:
            self._changed.wait_for(lambda: self._ids[-1] > known, seconds)
            return self._from(bisect_right(self._ids, known), 100)

    def _from(self, start: int, limit: int) -> Sequence[Added]:
        end = start + limit
        pairs = zip(self._ids[start:end], self._values[start:end], strict=True)
        return [Added(_text(id), value) for id, value in pairs]


def _text(id: tuple[int, int]) -> str:
    return f"{id[0]}-{id[1]}"
