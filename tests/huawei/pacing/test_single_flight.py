"""Concurrent identical calls share one execution."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier, Event, Lock

import pytest

from app.errors import ErrorCode, GatewayError
from app.huawei.pacing.deadline import Errand
from app.huawei.pacing.single_flight import SingleFlight

ASKERS = 20
LONG = Errand.within(3600, "tests")


class Work:
    """Work that blocks until it is released, and counts its executions."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.begun = Event()
        self.go_on = Event()
        self.times = 0
        self._lock = Lock()
        self._error = error

    def __call__(self) -> int:
        with self._lock:
            self.times += 1
            number = self.times
        self.begun.set()
        assert self.go_on.wait(30)
        if self._error:
            raise self._error
        return number


@pytest.fixture
def flight() -> SingleFlight:
    return SingleFlight()


def outcomes(flight: SingleFlight, work: Work) -> list[Future[int]]:
    """The results of ASKERS threads that call during the work."""
    with ThreadPoolExecutor(ASKERS) as threads:
        first = threads.submit(flight.do, "key", work, LONG)
        assert work.begun.wait(30)
        asking = Barrier(ASKERS)

        def ask() -> int:
            asking.wait(30)
            return flight.do("key", work, LONG)

        others = [threads.submit(ask) for _ in range(ASKERS - 1)]
        asking.wait(30)
        # A later thread may start the work again, but two executions never overlap.
        work.go_on.set()
    return [first, *others]


def test_concurrent_calls_with_one_key_share_the_result_of_the_first(flight: SingleFlight) -> None:
    work = Work()
    results = [future.result() for future in outcomes(flight, work)]
    assert results[0] == 1
    assert len(results) == ASKERS
    assert set(results) == set(range(1, work.times + 1))


def test_joining_work_in_progress_does_not_start_it_again(flight: SingleFlight) -> None:
    work, joined = Work(), Event()

    class Key(str):
        """A key that signals its second lookup."""

        __slots__ = ()

        def __hash__(self) -> int:
            if work.begun.is_set():
                joined.set()
            return super().__hash__()

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(flight.do, "key", work, LONG)
        assert work.begun.wait(30)
        second = threads.submit(flight.do, Key("key"), work, LONG)
        assert joined.wait(30)
        # The lookup holds the lock: once another key passes, the second thread has joined.
        assert flight.do("other", lambda: "done", LONG) == "done"
        work.go_on.set()
        assert (first.result(30), second.result(30)) == (1, 1)
    assert work.times == 1


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(3)])
def test_an_exception_of_shared_work_is_raised_for_every_caller(
    flight: SingleFlight, error: BaseException
) -> None:
    futures = outcomes(flight, Work(error))
    assert {type(future.exception()) for future in futures} == {type(error)}


@pytest.mark.parametrize("fails", [False, True])
def test_the_key_of_shared_work_is_released_when_it_ends(flight: SingleFlight, fails: bool) -> None:
    def fail() -> str:
        raise LookupError

    if fails:
        with pytest.raises(LookupError):
            flight.do("key", fail, LONG)
    else:
        assert flight.do("key", lambda: "first", LONG) == "first"
    assert flight.do("key", lambda: "second", LONG) == "second"
    assert flight._pending == {}


def test_work_with_another_key_does_not_wait(flight: SingleFlight) -> None:
    work = Work()
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(flight.do, "slow", work, LONG)
        assert work.begun.wait(30)
        assert flight.do("fast", lambda: "done", LONG) == "done"
        assert not slow.done()
        work.go_on.set()
        assert slow.result(30) == 1


def test_shared_work_may_wait_for_another_key(flight: SingleFlight) -> None:
    inner = flight.do("inner", lambda: "done", LONG)
    assert (
        flight.do("outer", lambda: flight.do("inner", lambda: inner, LONG) + "!", LONG) == "done!"
    )


def joined(
    flight: SingleFlight, error: GatewayError, leader: Errand, follower: Errand
) -> tuple[Future[int], Future[int], Work]:
    """The results of a thread whose work fails, and of a thread that waits for this work."""
    work, joined = Work(error), Event()
    again = Work()
    again.go_on.set()

    class Key(str):
        """A key that signals the lookup of the second thread."""

        __slots__ = ()

        def __hash__(self) -> int:
            joined.set()
            return super().__hash__()

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(flight.do, "key", work, leader)
        assert work.begun.wait(30)
        second = threads.submit(flight.do, Key("key"), again, follower)
        assert joined.wait(30)
        assert flight.do("other", lambda: "done", LONG) == "done"  # see above: it has joined
        work.go_on.set()
    return first, second, again


@pytest.mark.parametrize(
    ("code", "left"),
    [
        (ErrorCode.DEADLINE_EXCEEDED, 60.0),
        (ErrorCode.OVERLOADED, 60.0),
        (ErrorCode.UPSTREAM_ERROR, 0.1),
        (ErrorCode.UPSTREAM_UNREACHABLE, 0.1),
    ],
)
def test_the_short_deadline_of_the_first_thread_is_not_the_deadline_of_the_others(
    flight: SingleFlight, code: ErrorCode, left: float
) -> None:
    short = Errand.within(left, "tests")
    first, second, again = joined(flight, GatewayError(code, write=False), short, LONG)
    assert isinstance(first.exception(), GatewayError)
    assert (second.result(), again.times) == (1, 1)


def test_a_refusal_is_final_for_every_thread_whatever_its_deadline(flight: SingleFlight) -> None:
    refusal = GatewayError(ErrorCode.CUSTOMER_NOT_FOUND)
    first, second, again = joined(flight, refusal, LONG, LONG)
    assert first.exception() is second.exception() is refusal
    assert again.times == 0


def test_a_thread_without_time_left_does_not_repeat_the_work(flight: SingleFlight) -> None:
    late = GatewayError(ErrorCode.DEADLINE_EXCEEDED, write=False)
    _, second, again = joined(flight, late, LONG, Errand.within(0.2, "tests"))
    failure = second.exception()
    assert isinstance(failure, GatewayError)
    assert failure.code is ErrorCode.DEADLINE_EXCEEDED
    assert again.times == 0


def test_waiting_for_the_work_of_another_thread_ends_at_the_own_deadline(
    flight: SingleFlight,
) -> None:
    work = Work()
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(flight.do, "key", work, LONG)
        assert work.begun.wait(30)
        with pytest.raises(GatewayError) as failed:
            flight.do("key", work, Errand.within(0.05, "tests"))
        work.go_on.set()
    assert failed.value.code is ErrorCode.DEADLINE_EXCEEDED
    assert (first.result(), work.times) == (1, 1)
