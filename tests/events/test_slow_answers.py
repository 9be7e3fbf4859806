"""An answer about an open review that arrives while the review ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.state import MemoryState, State, Table
from tests.events.test_open_reviews import Parts, begin, parts
from tests.support.valkey import Valkey


class Interrupted:
    """A state in which something happens after the next read of a row.

    Args:
        state: Holds the values.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.then: Callable[[], object] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)

    def table(self, name: str, seconds: float) -> Table:
        table = self._state.table(name, seconds)
        read = table.get

        def get(name: str) -> bytes | None:
            row = read(name)
            then, self.then = self.then, None
            if then is not None:
                then()
            return row

        table.get = get  # type: ignore[method-assign]
        return table


@pytest.fixture(params=["memory", "shared"])
def state(request: pytest.FixtureRequest) -> Interrupted:
    if request.param == "memory":
        return Interrupted(MemoryState())
    valkey: Valkey = request.getfixturevalue("valkey")
    return Interrupted(valkey.state())


@pytest.fixture
def one(state: Interrupted) -> Parts:
    return parts(state)


def test_a_slow_answer_that_arrives_while_its_review_ends_does_not_revive_it(
    one: Parts, state: Interrupted
) -> None:
    begin(one)
    state.then = lambda: one.see("VERIFIED")
    assert not one.see("IN_REVIEW")
    assert (one.open(), len(one.told())) == ([], 1)


def test_an_answer_that_arrives_while_the_next_submission_begins_does_not_replace_it(
    one: Parts, state: Interrupted
) -> None:
    begin(one)

    def end_and_begin() -> None:
        one.see("REJECTED")
        one.clock.pass_time(1)
        begin(one, "REJECTED")

    state.then = end_and_begin
    assert one.see("IN_REVIEW")
    (review,) = one.reviews.all()
    assert (review.since, review.before) == (one.clock(), "REJECTED")
