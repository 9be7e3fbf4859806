"""A command whose answer was lost is repeated, and finds what its own first try has done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.state import SharedState
from demo.relay import Relay, relay
from tests.state.test_failover import behind
from tests.support.timing import Clock
from tests.support.valkey import Valkey


@pytest.fixture
def address(valkey: Valkey) -> Iterator[Relay]:
    """The address of the server, which can lose an answer."""
    with relay(valkey.port) as opened:
        yield opened


@pytest.fixture
def state(address: Relay, valkey: Valkey) -> SharedState:
    """A replica's state behind the address."""
    return behind(address, valkey, Clock())


def test_a_process_knows_that_its_repeated_add_was_the_first(
    state: SharedState, address: Relay, valkey: Valkey
) -> None:
    other = valkey.state()
    assert other.add("other", b"1", 60)
    assert state.get("other") == b"1"  # it is connected
    for key, added in (("own", True), ("other", False)):
        address.lose_answer()
        assert state.add(key, b"2", 60) is added
    assert not other.add("own", b"3", 60)
    assert state.shared


def test_a_process_knows_that_its_repeated_change_of_a_table_was_made(
    state: SharedState, address: Relay, valkey: Valkey
) -> None:
    table, other = (one.table("things", 60) for one in (state, valkey.state()))
    assert table.add("a", b"1")
    assert table.replace("a", b"1", b"2")  # the server knows the scripts now
    assert other.add("b", b"1")
    address.lose_answer()
    assert table.add("c", b"3")
    address.lose_answer()
    assert not table.add("b", b"3")
    address.lose_answer(after=1)  # the row is read first
    assert table.replace("a", b"2", b"4")
    assert sorted(other.rows()) == [b"1", b"3", b"4"]


def test_a_process_adds_a_fact_to_a_stream_once_though_it_repeats_the_command(
    state: SharedState, address: Relay, valkey: Valkey
) -> None:
    stream, other = (one.stream("news", 5, 60) for one in (state, valkey.state()))
    assert stream.add(b"1", "one")
    assert other.add(b"2", "two")
    address.lose_answer()
    assert stream.add(b"3", "three")
    address.lose_answer()
    assert not stream.add(b"4", "two")
    assert [added.value for added in other.after(None, 10).values] == [b"1", b"2", b"3"]
