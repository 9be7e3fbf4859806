"""The thread that tells Redis of the locks of a process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import pytest

from app.state.held import HeldLocks
from tests.support.log import Log
from tests.support.timing import wait_until

pytestmark = pytest.mark.long

LOCK = ("lock", b"1")


class Redis:
    """Notes what it is told, and cannot be told the first times."""

    def __init__(self, lost: int, meanwhile: Callable[[], object] = bool) -> None:
        self.deleted: list[tuple[str, bytes]] = []
        self.told: list[Mapping[str, tuple[bytes, float]]] = []
        self._lost = lost
        self._meanwhile = meanwhile

    def tell(self, locks: Mapping[str, tuple[bytes, float]]) -> None:
        self.told.append(locks)
        self._meanwhile()

    def delete(self, key: str, value: bytes) -> bool:
        self.deleted.append((key, value))
        return len(self.deleted) > self._lost


def holding(redis: Redis) -> HeldLocks:
    """The locks of a process that holds LOCK."""
    locks = HeldLocks(redis.tell, redis.delete)
    locks.hold(*LOCK, 60)
    return locks


@pytest.fixture
def threads() -> Callable[[], list[threading.Thread]]:
    """The threads of a state that were started since."""
    before = set(threading.enumerate())

    def started() -> list[threading.Thread]:
        return [one for one in threading.enumerate() if one.name == "state" and one not in before]

    return started


def test_a_lock_that_cannot_be_deleted_is_tried_until_it_is_and_then_no_more(
    threads: Callable[[], list[threading.Thread]],
) -> None:
    redis = Redis(lost=3)
    holding(redis).release(*LOCK)
    wait_until(lambda: not threads())
    assert redis.deleted == [LOCK] * 4


def test_a_lock_that_is_released_while_it_is_told_is_deleted_after_that(
    threads: Callable[[], list[threading.Thread]],
) -> None:
    redis = Redis(lost=3, meanwhile=lambda: locks.release(*LOCK))
    locks = holding(redis)
    wait_until(lambda: not threads())
    assert set(redis.deleted) == {LOCK}
    assert len(redis.deleted) > 3


def test_a_lock_that_was_deleted_at_once_is_deleted_once(
    threads: Callable[[], list[threading.Thread]],
) -> None:
    redis = Redis(lost=0)
    holding(redis).release(*LOCK)
    wait_until(lambda: not threads())
    assert (redis.deleted, redis.told) == ([LOCK], [])


def test_one_thread_tells_of_all_locks_and_does_not_hold_up_the_end_of_the_process(
    threads: Callable[[], list[threading.Thread]],
) -> None:
    redis = Redis(lost=0)
    locks = HeldLocks(redis.tell, redis.delete)
    for number in range(3):
        locks.hold(f"lock {number}", b"1", 60)
    assert [one.daemon for one in threads()] == [True]
    wait_until(lambda: len(redis.told) > 0)
    assert redis.told[0].keys() == {"lock 0", "lock 1", "lock 2"}
    for number in range(3):
        locks.release(f"lock {number}", b"1")
    wait_until(lambda: not threads())


def test_a_failure_while_a_lock_is_told_is_logged_and_the_lock_is_told_again(
    threads: Callable[[], list[threading.Thread]], log: Log
) -> None:
    def fail() -> None:
        if len(redis.told) == 1:
            raise ValueError

    redis = Redis(lost=0, meanwhile=fail)
    locks = holding(redis)
    wait_until(lambda: len(redis.told) > 1)
    locks.release(*LOCK)
    wait_until(lambda: not threads())
    (line,) = [line for line in log.lines if line["level"] == "ERROR"]
    assert line["event"] == "An exception was not caught"
