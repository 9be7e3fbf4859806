"""A fault of one duty of the watcher, or one row that it cannot read, holds up nothing else."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest

from app.events import Feed
from app.events.amounts import KEPT, Amounts
from app.events.associations import Associations
from app.events.lane import Lane
from app.events.lease import Lease
from app.events.watcher import AFTER_A_FAULT, Watcher
from app.huawei.review_result import READ_RESULT
from app.state import MemoryState
from tests.support.timing import Clock
from tests.support.valkey import Valkey


class Broken:
    """A duty that raises something unexpected, always in the same place.

    Args:
        place: Where.
        lane: The pace of its calls.
    """

    def __init__(self, place: str, lane: Lane) -> None:
        self.lane = lane
        self._place = place
        self.asked = 0

    def _do(self, place: str) -> None:
        if place == self._place:
            raise LookupError("cust-secret")

    def begin(self) -> None:
        self._do("begin")

    def until_due(self) -> float:
        self.asked += 1
        self._do("until_due")
        return 0.0

    def work(self) -> None:
        self._do("work")


class Counted(Broken):
    """A duty that works."""

    def __init__(self, lane: Lane) -> None:
        super().__init__("", lane)
        self.done = 0

    def work(self) -> None:
        self.done += 1


@pytest.mark.parametrize("place", ["begin", "until_due", "work"])
def test_a_duty_that_fails_holds_up_no_other_one(
    place: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    state = MemoryState(now=clock)
    lanes = (Lane("default", READ_RESULT, 100, state, monotonic=clock) for _ in range(2))
    broken, other = Broken(place, next(lanes)), Counted(next(lanes))
    lease = Lease(state, "the watch", monotonic=clock)
    watcher = Watcher(lease, [broken, other], threading.Event(), monotonic=clock)
    ends = clock() + 60
    while clock() < ends:
        clock.pass_time(watcher.step())
    assert other.done > 100
    if place != "begin":
        assert 60 / AFTER_A_FAULT - 1 <= broken.asked <= 60 / AFTER_A_FAULT + 1
    assert "LookupError" in repr(caplog.records[0].exc_info)
    assert len(caplog.records) <= 60 / AFTER_A_FAULT + 1


def test_rows_that_cannot_be_read_are_left_out(valkey: Valkey) -> None:
    bad = {"a": b"[", "b": b'{"customer": 1}', "c": b"2", "d": b'["x", 1]', "e": b'[["x"], [], 2]'}
    state = valkey.state()
    for name in ("associations", "budgets"):
        state.table(f"{name} of default", KEPT).put(bad)
    feed = Feed(state, threading.Event())
    associations, amounts = Associations("default", state, feed), Amounts("default", state, feed)
    associations.associating("new-1")
    amounts.budget_set("cust-1")
    assert list(associations.all()) == ["new-1"]
    assert list(amounts.budgets()) == ["cust-1"]


def test_a_row_of_the_credit_that_cannot_be_read_is_none(valkey: Valkey) -> None:
    state = valkey.state()
    state.table("credit of default", KEPT).put({"credit": b"[1]"})
    feed = Feed(state, threading.Event())
    Amounts("default", state, feed).credit_used(Decimal("0.85"))
    assert [one.event.percent for one in feed.after(None, 10).items] == [80]
