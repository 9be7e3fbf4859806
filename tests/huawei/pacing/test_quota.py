"""The fair queue for Huawei's quota, on a clock that the test advances."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from statistics import median

import pytest
from prometheus_client import REGISTRY

from app.billing.answers import LIST_ORDERS, SHOW_ORDER
from app.errors import ErrorCode, GatewayError
from app.huawei.pacing.deadline import Errand
from app.huawei.pacing.quota import MARGIN, Quota, Quotas
from app.state import MemoryState, Slot
from tests.support.timing import Clock, wait_until

pytestmark = pytest.mark.slow

Confirm = Callable[[], None]
LONG = 60.0  # seconds: longer than any test


def most_within(times: list[float], seconds: float) -> int:
    """The largest number of calls within any `seconds`."""
    return max(sum(begun <= at < begun + seconds for at in times) for begun in times)


def depth(name: str) -> float:
    labels = {"account": "test", "operation": name}
    return REGISTRY.get_sample_value("gateway_queue_depth", labels) or 0.0


class Queue:
    """A quota with waiting threads; records the order in which they get a slot."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.granted: list[str] = []
        self.open = threading.Event()
        self.quota = Quota("test", name, name, 1, _State(self.open))
        self._threads: list[threading.Thread] = []

    def enter(self, caller: str, *, urgent: bool = False, watches: bool = False) -> None:
        """Start a thread that waits for a slot. Returns once it waits."""
        before = depth(self.name)

        def wait() -> None:
            errand = Errand.within(LONG, caller, urgent=urgent, watches=watches)
            self.quota.wait(errand, urgent)
            self.granted.append(caller)

        thread = threading.Thread(target=wait)
        self._threads.append(thread)
        thread.start()
        wait_until(lambda: depth(self.name) > before)

    def let_go(self) -> list[str]:
        """Open the quota. Returns the threads in the order of their slots."""
        self.open.set()
        for thread in self._threads:
            thread.join(LONG)
        return self.granted


class _Timed(Errand):
    """An errand of LONG seconds by a clock that the test advances."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("late", LONG)
        object.__setattr__(self, "clock", clock)

    @property
    def left(self) -> float:
        clock: Clock = self.__dict__["clock"]
        return self.ends - clock()


class _State(MemoryState):
    """A state that answers once it is open, with one slot every 20 ms."""

    def __init__(self, is_open: threading.Event) -> None:
        super().__init__()
        self._is_open = is_open

    def reserve(self, key: str, calls: float, seconds: float, late: Slot | None = None) -> Slot:
        assert self._is_open.wait(LONG)
        return super().reserve(key, 1, 0.02)


def test_the_quota_serves_callers_in_turn_however_many_requests_each_has() -> None:
    queue = Queue("turns")
    for caller in ["noisy"] * 40 + ["quiet", "third", "third", "quiet"]:
        queue.enter(caller)
    granted = queue.let_go()
    assert sorted(granted[:8]) == ["noisy"] * 4 + ["quiet"] * 2 + ["third"] * 2
    assert {granted[place] for place in range(3)} == {"noisy", "quiet", "third"}
    assert granted[8:] == ["noisy"] * 36


def test_the_quota_serves_writes_before_polls() -> None:
    queue = Queue("writes")
    for caller, urgent in [("poll", False)] * 10 + [("write", True)] * 5:
        queue.enter(caller, urgent=urgent)
    granted = queue.let_go()
    assert granted.index("poll") >= 4
    assert granted[-9:] == ["poll"] * 9


def test_the_quota_serves_what_the_gateway_watches_behind_every_caller() -> None:
    queue = Queue("watches")
    for caller, watches in [("watcher", True)] * 3 + [("poll", False)] * 5:
        queue.enter(caller, watches=watches)
    queue.enter("write", urgent=True)
    granted = queue.let_go()
    assert granted[-4:].count("watcher") == 3  # a thread may note its slot a little late


@pytest.mark.parametrize("calls", [1, 3, 10, 0.5])
def test_a_quota_is_never_exceeded_in_any_second_and_used_whole_but_for_the_jitter(
    calls: float,
) -> None:
    clock, taken = Clock(0.0), []
    state = MemoryState(now=clock)
    while clock.seconds <= 30:
        clock.pass_time(state.reserve("a", calls, MARGIN).wait)
        taken.append(clock.seconds)
    seconds = 1 if calls >= 1 else 2
    limit = int(calls * seconds)
    assert all(
        sum(begun <= at < begun + seconds for at in taken) <= max(limit, 1) for begun in taken
    )
    assert 0.95 * calls * 30 - calls <= len(taken) <= 0.98 * calls * 30 + 2


@pytest.mark.parametrize(
    ("calls", "replicas", "share"), [(10, 2, 5), (10, 3, 10 / 3), (1, 4, 0.25)]
)
def test_replicas_without_shared_state_keep_to_their_part_of_the_quota(
    calls: float, replicas: int, share: float
) -> None:
    clock, taken = Clock(0.0), 0
    state = MemoryState(replicas, now=clock)
    while clock.seconds <= 40:
        clock.pass_time(state.reserve("a", calls, MARGIN).wait)
        taken += 1
    assert 0.94 * share * 40 - 1 <= taken <= share * 40 + share + 1


def test_calls_about_different_orders_share_the_queue_of_their_api() -> None:
    quotas = Quotas("test", 10, MemoryState())
    first, second = (SHOW_ORDER.at(order_id=order_id) for order_id in ("CS1", "CS2"))
    assert quotas.of(first) is quotas.of(second)
    assert quotas.of(first) is not quotas.of(LIST_ORDERS)


def test_a_request_that_gets_no_slot_of_the_quota_in_time_is_refused() -> None:
    quota = Quota("test", "PUT /refused", "refused", 0.1, MemoryState())
    quota.wait(Errand.within(LONG, "first"), write=True)
    begun = time.monotonic()
    with pytest.raises(GatewayError) as caught:
        quota.wait(Errand.within(1.0, "second"), write=True)
    assert caught.value.code is ErrorCode.OVERLOADED
    assert caught.value.retry_after
    assert 0.4 < time.monotonic() - begun < 5  # the next slot would be in ten seconds
    assert depth("refused") == 0


def test_a_request_that_gives_up_waiting_wastes_no_slot_of_the_quota() -> None:
    quota = Quota("test", "PUT /gap", "gap", 0.5, MemoryState())  # a slot in each two seconds
    quota.wait(Errand.within(LONG, "first"), write=False)
    begun = time.monotonic()
    with ThreadPoolExecutor(2) as threads:
        hasty: Future[Confirm] = threads.submit(quota.wait, Errand.within(1.0, "hasty"), False)
        wait_until(lambda: depth("gap") == 1)
        patient = threads.submit(quota.wait, Errand.within(LONG, "patient"), False)
        assert isinstance(hasty.exception(LONG), GatewayError)
        patient.result(LONG)
    assert time.monotonic() - begun < 3.5  # the slot that was reserved for the hasty one


def test_a_request_that_is_out_of_time_when_its_turn_comes_wakes_the_next_one() -> None:
    queue, clock = Queue("woken"), Clock(0.0)
    queue.enter("first")
    with ThreadPoolExecutor(1) as threads:
        refused: Future[Confirm] = threads.submit(queue.quota.wait, _Timed(clock), False)
        wait_until(lambda: depth("woken") == 2)
        queue.enter("last")
        clock.pass_time(LONG)
        begun = time.monotonic()
        assert queue.let_go() == ["first", "last"]
        assert time.monotonic() - begun < LONG / 2
        assert isinstance(refused.exception(LONG), GatewayError)


def test_a_thousand_waiting_requests_use_little_cpu_time() -> None:
    quota = Quota("test", "PUT /thousand", "thousand", 5, MemoryState())
    for _ in range(5):
        quota.wait(Errand.within(LONG, "before"), write=False)

    def wait(place: int) -> bool:
        try:
            quota.wait(Errand.within(4.0, f"caller-{place % 40}"), write=False)
        except GatewayError:
            return False
        return True

    entered = time.monotonic()
    with ThreadPoolExecutor(1000) as threads:
        waiting = [threads.submit(wait, place) for place in range(1000)]
        wait_until(lambda: depth("thousand") > 900)
        begun, used = time.monotonic(), time.process_time()
        wait_until(lambda: time.monotonic() - begun > 1.0)
        # Most of this is the cost of the wait for the end.
        assert time.process_time() - used < 0.6
        granted = [one.result() for one in waiting].count(True)
    assert granted <= 5 * (time.monotonic() - entered) + 1


def test_a_quiet_caller_beside_a_noisy_one_waits_less_than_a_second() -> None:
    quota = Quota("test", "PUT /quiet", "quiet", 10, MemoryState())
    ends = time.monotonic() + 4.0

    def ask(caller: str) -> list[float]:
        waits = []
        while (left := ends - time.monotonic()) > 0:
            begun = time.monotonic()
            try:
                quota.wait(Errand.within(left, caller), write=False)
            except GatewayError:
                break
            waits.append(time.monotonic() - begun)
        return waits

    with ThreadPoolExecutor(41) as threads:
        noisy = [threads.submit(ask, "noisy") for _ in range(40)]
        quiet = threads.submit(ask, "quiet").result()
        granted = sum(len(one.result()) for one in noisy) + len(quiet)
    assert median(quiet) < 1.0
    assert len(quiet) >= granted * 0.25
