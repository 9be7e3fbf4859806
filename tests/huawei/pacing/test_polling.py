"""How long each read of a wait may take."""

from __future__ import annotations

from threading import Event

import pytest

from app.huawei.pacing.deadline import READ, Errand
from app.huawei.pacing.polling import GRACE, INTERVAL, LAST_READ, poll


def allowed(left: float, wait: float, *, reads: int = 1) -> list[float]:
    """The seconds that each read is allowed, of an errand with so many left."""
    found: list[float] = []

    def read(errand: Errand) -> None:
        found.append(errand.left)

    poll(read, lambda *_: len(found) < reads, Errand.within(left, "tests"), wait, Event())
    return found


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [(0, 30.0), (1, READ), (20, 20 + GRACE), (40, 30.0)],
    ids=["no wait", "shorter than a read", "longer than a read", "longer than the errand"],
)
def test_the_first_read_may_exceed_a_wait_that_is_shorter_than_a_read(
    wait: float, seconds: float
) -> None:
    assert allowed(30.0, wait) == [pytest.approx(seconds, abs=1)]


def test_a_later_read_ends_with_the_wait() -> None:
    wait = 0.2
    _, second = allowed(30.0, wait, reads=2)
    assert second <= GRACE


def test_nothing_is_read_again_without_the_time_for_another_read() -> None:
    assert len(allowed(LAST_READ, wait=2 * INTERVAL, reads=2)) == 1
