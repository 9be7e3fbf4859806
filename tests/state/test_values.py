"""One contract, two states: in memory, and in a real Valkey server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.state import MemoryState, SharedState, State
from tests.support.timing import Clock, together
from tests.support.valkey import Valkey


@dataclass(frozen=True)
class Kept:
    """A state, and how time passes for it."""

    state: State
    pass_time: Callable[[float], None]


def in_memory() -> Kept:
    clock = Clock()
    return Kept(MemoryState(now=clock), clock.pass_time)


def in_valkey(valkey: Valkey) -> Kept:
    return Kept(SharedState(valkey.settings), valkey.pass_time)


@pytest.fixture(params=["memory", "shared"])
def kept(request: pytest.FixtureRequest) -> Kept:
    if request.param == "memory":
        return in_memory()
    return in_valkey(request.getfixturevalue("valkey"))


@pytest.fixture
def state(kept: Kept) -> State:
    return kept.state


def test_what_was_never_put_is_not_there(state: State) -> None:
    assert state.get("a") is None


def test_a_value_is_kept_under_its_key_only(state: State) -> None:
    state.put("a", b"1", 60)
    assert (state.get("a"), state.get("b")) == (b"1", None)


def test_a_value_is_replaced(state: State) -> None:
    state.put("a", b"1", 60)
    state.put("a", b"2", 60)
    assert state.get("a") == b"2"


@pytest.mark.parametrize("value", [b"", b"\0\xff\r\n", b"x" * 100_000])
def test_a_value_is_any_bytes(state: State, value: bytes) -> None:
    state.put("a", value, 60)
    assert state.get("a") == value


def test_a_value_is_forgotten_after_its_time(kept: Kept) -> None:
    kept.state.put("a", b"1", 60)
    kept.pass_time(58)
    assert kept.state.get("a") == b"1"
    kept.pass_time(2)
    assert kept.state.get("a") is None


def test_a_new_value_has_a_new_time(kept: Kept) -> None:
    kept.state.put("a", b"1", 60)
    kept.pass_time(58)
    kept.state.put("a", b"2", 60)
    kept.pass_time(58)
    assert kept.state.get("a") == b"2"


def test_no_time_is_too_short(state: State) -> None:
    state.put("a", b"1", 0.000001)
    state.add("b", b"1", 0.000001)
    assert state.increase("c", 0.000001) == 1


def test_only_the_first_adds(state: State) -> None:
    assert state.add("a", b"1", 60)
    assert not state.add("a", b"2", 60)
    assert state.get("a") == b"1"


def test_what_is_put_cannot_be_added(state: State) -> None:
    state.put("a", b"1", 60)
    assert not state.add("a", b"2", 60)


def test_adding_in_vain_makes_the_time_no_longer(kept: Kept) -> None:
    assert kept.state.add("a", b"1", 60)
    kept.pass_time(58)
    assert not kept.state.add("a", b"2", 60)
    kept.pass_time(2)
    assert kept.state.add("a", b"3", 60)


def test_what_was_deleted_can_be_added_again(state: State) -> None:
    state.add("a", b"1", 60)
    state.delete("a")
    assert state.get("a") is None
    assert state.add("a", b"2", 60)


def test_deleting_nothing_is_nothing(state: State) -> None:
    state.delete("a")


def test_a_count_begins_at_one(state: State) -> None:
    assert [state.increase("a", 60) for _ in range(12)] == list(range(1, 13))
    assert state.get("a") == b"12"


def test_a_count_is_forgotten_that_long_after_its_first(kept: Kept) -> None:
    assert kept.state.increase("a", 60) == 1
    kept.pass_time(58)
    assert kept.state.increase("a", 60) == 2
    kept.pass_time(2)
    assert kept.state.increase("a", 60) == 1


def test_a_deleted_count_begins_anew(state: State) -> None:
    state.increase("a", 60)
    state.delete("a")
    assert state.increase("a", 60) == 1


def test_of_eight_threads_exactly_one_adds(state: State) -> None:
    for key in "abcde":
        won = together(8, lambda place, key=key: state.add(key, b"%d" % place, 60))  # type: ignore[misc]
        assert won.count(True) == 1
        assert state.get(key) == b"%d" % won.index(True)


def test_no_increase_of_eight_threads_is_lost(state: State) -> None:
    counts = together(8, lambda _: [state.increase("a", 60) for _ in range(25)])
    assert sorted(chain.from_iterable(counts)) == list(range(1, 201))


def test_what_is_alive_outlives_the_sweep() -> None:
    kept = in_memory()
    kept.state.put("short", b"1", 1)
    kept.state.put("long", b"2", 600)
    kept.pass_time(61)
    kept.state.put("new", b"3", 60)
    found = [kept.state.get(key) for key in ("short", "long", "new")]
    assert found == [None, b"2", b"3"]


def test_memory_is_not_shared() -> None:
    assert not MemoryState().shared


def test_two_gateways_see_the_same_values(valkey: Valkey) -> None:
    one, other = SharedState(valkey.settings), SharedState(valkey.settings)
    one.put("a", b"1", 60)
    assert other.get("a") == b"1"
    assert not other.add("a", b"2", 60)
    assert (one.increase("n", 60), other.increase("n", 60)) == (1, 2)
    assert one.shared
    assert other.shared


def test_everything_in_valkey_is_ours_by_name_and_has_an_end(valkey: Valkey) -> None:
    state = SharedState(valkey.settings)
    state.put("a", b"1", 60)
    state.add("b", b"1", 60)
    state.increase("c", 60)
    assert sorted(valkey.values()) == [b"gateway:a", b"gateway:b", b"gateway:c"]
    valkey.pass_time(61)
    assert valkey.values() == {}


KEYS = st.sampled_from("ab")
SECONDS = st.sampled_from([10, 100])
STEPS = st.one_of(
    st.tuples(st.just("get"), KEYS),
    st.tuples(st.just("put"), KEYS, st.binary(max_size=3), SECONDS),
    st.tuples(st.just("add"), KEYS, st.binary(max_size=3), SECONDS),
    st.tuples(st.just("increase"), st.just("n"), SECONDS),
    st.tuples(st.just("delete"), st.sampled_from("abn")),
    st.tuples(st.just("pass"), st.sampled_from([3, 30, 300])),
)


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=12))
def test_both_states_answer_alike(valkey: Valkey, steps: list[tuple[Any, ...]]) -> None:
    valkey.clear()
    kinds = (in_memory(), in_valkey(valkey))
    for what, *arguments in steps:
        if what == "pass":
            for kept in kinds:
                kept.pass_time(*arguments)
            continue
        one, other = (getattr(kept.state, what)(*arguments) for kept in kinds)
        assert one == other, (what, arguments)
