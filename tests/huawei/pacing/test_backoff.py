"""The pauses between the tries of one call, and the budget of retries, without a gateway."""

from __future__ import annotations

import pytest

from app.billing.answers import LIST_ORDERS
from app.errors import ErrorCode, GatewayError
from app.huawei.pacing.deadline import FLOOR, Errand
from app.huawei.pacing.retry import Retries


class Upstream:
    """An upstream that always fails: counts the tries, and notes the bounds of the pauses."""

    def __init__(self, tries: int, retry_after: float | None = None) -> None:
        self.retries = Retries(tries, self._pause)
        self.pauses: list[tuple[float, float]] = []
        self.tried = 0
        self._retry_after = retry_after

    def _pause(self, shortest: float, longest: float) -> float:
        self.pauses.append((shortest, longest))
        return 0.0

    def _fail(self) -> None:
        self.tried += 1
        raise GatewayError(ErrorCode.UPSTREAM_ERROR, retry_after=self._retry_after)

    def call(self, errand: Errand | None = None) -> int:
        """Call once. Returns how often it was sent."""
        before = self.tried
        with pytest.raises(GatewayError):
            self.retries.call(LIST_ORDERS, errand or Errand.within(20, "caller"), self._fail)
        return self.tried - before


def test_each_pause_is_anything_up_to_twice_the_one_before_and_up_to_three_seconds() -> None:
    upstream = Upstream(tries=7)
    assert upstream.call() == 7
    shortest, longest = zip(*upstream.pauses[:6], strict=True)
    assert set(shortest) == {0}
    assert longest == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.0, 3.0])


def test_ten_retries_are_in_reserve_and_each_request_adds_a_tenth_of_one() -> None:
    upstream = Upstream(tries=2)
    for _ in range(20):
        upstream.call()
    assert upstream.tried == 20 + 10 + 2 - 1  # the first request adds nothing to a full reserve


def test_the_gateways_own_looks_are_sent_once() -> None:
    upstream = Upstream(tries=4)
    assert upstream.call(Errand.within(20, "watcher", watches=True)) == 1


def test_nothing_is_sent_again_if_no_answer_could_arrive_after_the_pause() -> None:
    assert Upstream(tries=4).call(Errand.within(FLOOR - 0.1, "caller")) == 1
    assert Upstream(tries=2, retry_after=3.0).call(Errand.within(FLOOR + 2, "caller")) == 1
    assert Upstream(tries=2, retry_after=0.1).call(Errand.within(FLOOR + 2, "caller")) == 2
