"""Both states meet one contract: the state in memory, and the state in a real Valkey server."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.state import MemoryState, Recalled, State
from tests.support.timing import Clock, together
from tests.support.valkey import Valkey


@dataclass(frozen=True)
class Kept:
    """A state, and the function that advances its clock."""

    state: State
    pass_time: Callable[[float], None]


def in_memory() -> Kept:
    clock = Clock()
    return Kept(MemoryState(now=clock), clock.pass_time)


def in_valkey(valkey: Valkey) -> Kept:
    return Kept(valkey.state(), valkey.pass_time)


@pytest.fixture(params=["memory", "shared"])
def kept(request: pytest.FixtureRequest) -> Kept:
    if request.param == "memory":
        return in_memory()
    return in_valkey(request.getfixturevalue("valkey"))


@pytest.fixture
def state(kept: Kept) -> State:
    return kept.state


def test_a_value_that_was_never_put_is_none(state: State) -> None:
    assert state.get("a") is None


def test_a_value_is_stored_under_its_key_only(state: State) -> None:
    state.put("a", b"1", 60)
    assert (state.get("a"), state.get("b")) == (b"1", None)


def test_putting_a_value_replaces_the_earlier_one(state: State) -> None:
    state.put("a", b"1", 60)
    state.put("a", b"2", 60)
    assert state.get("a") == b"2"


@pytest.mark.parametrize("value", [b"", b"\0\xff\r\n", b"x" * 100_000])
def test_a_value_may_be_any_bytes(state: State, value: bytes) -> None:
    state.put("a", value, 60)
    assert state.get("a") == value


def test_a_value_expires(kept: Kept) -> None:
    kept.state.put("a", b"1", 60)
    kept.pass_time(58)
    assert kept.state.get("a") == b"1"
    kept.pass_time(2)
    assert kept.state.get("a") is None


def test_putting_a_value_again_starts_a_new_lifetime(kept: Kept) -> None:
    kept.state.put("a", b"1", 60)
    kept.pass_time(58)
    kept.state.put("a", b"2", 60)
    kept.pass_time(58)
    assert kept.state.get("a") == b"2"


def test_it_is_known_how_long_a_value_is_kept(kept: Kept) -> None:
    assert kept.state.left("a") == 0
    kept.state.put("a", b"1", 60)
    kept.pass_time(20)
    assert kept.state.left("a") == pytest.approx(40, abs=5)
    kept.pass_time(40)
    assert kept.state.left("a") == 0


def test_a_value_may_have_a_lifetime_below_a_millisecond(state: State) -> None:
    shared = state.shared
    state.put("a", b"1", 0.000001)
    state.add("b", b"1", 0.000001)
    assert state.increase("c", 0.000001) == 1
    assert state.shared is shared  # the server refused nothing


def test_only_the_first_add_of_a_key_succeeds(state: State) -> None:
    assert state.add("a", b"1", 60)
    assert not state.add("a", b"2", 60)
    assert state.get("a") == b"1"


def test_adding_a_key_that_was_put_fails(state: State) -> None:
    state.put("a", b"1", 60)
    assert not state.add("a", b"2", 60)


def test_a_failed_add_does_not_prolong_the_lifetime(kept: Kept) -> None:
    assert kept.state.add("a", b"1", 60)
    kept.pass_time(58)
    assert not kept.state.add("a", b"2", 60)
    kept.pass_time(2)
    assert kept.state.add("a", b"3", 60)


def test_a_deleted_key_can_be_added_again(state: State) -> None:
    state.add("a", b"1", 60)
    state.delete("a")
    assert state.get("a") is None
    assert state.add("a", b"2", 60)


def test_deleting_an_unknown_key_does_nothing(state: State) -> None:
    state.delete("a")


def test_a_lock_is_released_by_its_owner_only(kept: Kept) -> None:
    assert kept.state.add("lock", b"first", 30)
    kept.pass_time(31)
    assert kept.state.add("lock", b"second", 30)
    kept.state.remove("lock", b"first")  # its lock has expired; this one is another's
    assert not kept.state.add("lock", b"third", 30)
    kept.state.remove("lock", b"second")
    assert kept.state.add("lock", b"third", 30)


def test_what_a_long_lived_state_recalls_is_certain(state: State) -> None:
    assert state.recall("a", 60) == Recalled(None, certain=True)
    state.put("a", b"1", 60)
    assert state.recall("a", 60) == Recalled(b"1", certain=True)


def test_a_count_starts_at_one(state: State) -> None:
    assert [state.increase("a", 60) for _ in range(12)] == list(range(1, 13))


def test_a_count_expires_its_lifetime_after_the_first_increase(kept: Kept) -> None:
    assert kept.state.increase("a", 60) == 1
    kept.pass_time(58)
    assert kept.state.increase("a", 60) == 2
    kept.pass_time(2)
    assert kept.state.increase("a", 60) == 1


def test_a_deleted_count_starts_again_at_one(state: State) -> None:
    state.increase("a", 60)
    state.delete("a")
    assert state.increase("a", 60) == 1


def test_exactly_one_of_eight_threads_adds_a_key(state: State) -> None:
    for key in "abcde":
        won = together(8, lambda place, key=key: state.add(key, b"%d" % place, 60))  # type: ignore[misc]
        assert won.count(True) == 1
        assert state.get(key) == b"%d" % won.index(True)


def test_no_increase_of_eight_threads_is_lost(state: State) -> None:
    counts = together(8, lambda _: [state.increase("a", 60) for _ in range(25)])
    assert sorted(chain.from_iterable(counts)) == list(range(1, 201))


def test_the_sweep_of_the_memory_state_keeps_values_that_have_not_expired() -> None:
    kept = in_memory()
    kept.state.put("short", b"1", 1)
    kept.state.put("long", b"2", 600)
    kept.pass_time(61)
    kept.state.put("new", b"3", 60)
    found = [kept.state.get(key) for key in ("short", "long", "new")]
    assert found == [None, b"2", b"3"]


def test_the_memory_state_frees_expired_values_about_once_a_minute() -> None:
    kept, value = in_memory(), bytes(bytearray(b"a value that nothing else has"))
    held = sys.getrefcount(value)
    kept.state.put("short", value, 1)
    kept.pass_time(50)
    kept.state.put("a", b"", 60)
    assert sys.getrefcount(value) == held + 1  # each sweep takes time
    kept.pass_time(20)
    kept.state.put("b", b"", 60)
    assert sys.getrefcount(value) == held


def test_two_memory_states_share_nothing() -> None:
    assert not MemoryState().shared


def test_two_shared_states_see_the_same_values(valkey: Valkey) -> None:
    one, other = valkey.state(), valkey.state()
    one.put("a", b"1", 60)
    assert other.get("a") == b"1"
    assert not other.add("a", b"2", 60)
    assert (one.increase("n", 60), other.increase("n", 60)) == (1, 2)
    assert one.shared
    assert other.shared


def test_every_key_in_valkey_has_our_prefix_and_expires(valkey: Valkey) -> None:
    state = valkey.state()
    state.put("a", b"1", 60)
    state.add("b", b"1", 60)
    state.increase("c", 60)
    assert set(valkey.values()) == {valkey.name(key) for key in "abc"}
    assert all(name.startswith(b"gateway:") for name in valkey.values())
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
def test_memory_and_shared_state_behave_alike(valkey: Valkey, steps: list[tuple[Any, ...]]) -> None:
    valkey.clear()
    kinds = (in_memory(), in_valkey(valkey))
    for what, *arguments in steps:
        if what == "pass":
            for kept in kinds:
                kept.pass_time(*arguments)
            continue
        one, other = (getattr(kept.state, what)(*arguments) for kept in kinds)
        assert one == other, (what, arguments)
