"""Both tables meet one contract: the table in memory, and the table in a real Valkey server."""

from __future__ import annotations

from typing import Any

import pytest

from app.state import State, Table
from app.state.client import RETRY_INTERVAL
from tests.support.timing import Clock, together
from tests.support.valkey import Valkey


@pytest.fixture
def table(state: State) -> Table:
    return state.table("things", 60)


def test_a_row_is_read_under_its_name_only(table: Table) -> None:
    table.put({"a": b"1", "b": b"2"})
    assert (table.get("a"), table.get("b"), table.get("c")) == (b"1", b"2", None)
    assert sorted(table.rows()) == [b"1", b"2"]
    assert table.count() == 2


def test_a_table_without_rows_is_empty(table: Table) -> None:
    table.put({})
    assert (list(table.rows()), table.count()) == ([], 0)


def test_putting_a_row_replaces_it(table: Table) -> None:
    table.put({"a": b"1"})
    assert list(table.rows()) == [b"1"]
    table.put({"a": b"2"})
    assert list(table.rows()) == [b"2"]


def test_only_the_first_add_of_a_name_succeeds(table: Table) -> None:
    assert table.add("a", b"1")
    assert not table.add("a", b"2")
    assert table.get("a") == b"1"


def test_of_many_threads_one_adds(table: Table) -> None:
    assert together(20, lambda number: table.add("a", b"%d" % number)).count(True) == 1


def test_a_row_is_removed_only_if_it_is_still_the_same(table: Table) -> None:
    table.put({"a": b"1"})
    table.remove("a", b"2")
    table.remove("b", b"1")
    assert list(table.rows()) == [b"1"]
    table.remove("a", b"1")
    assert (list(table.rows()), table.count(), table.get("a")) == ([], 0, None)


def test_a_row_is_replaced_only_if_it_is_still_the_same(table: Table) -> None:
    assert not table.replace("a", b"1", b"2")
    table.put({"a": b"1", "b": b"1"})
    assert not table.replace("a", b"2", b"3")
    assert sorted(table.rows()) == [b"1", b"1"]
    assert table.replace("a", b"1", b"2")
    assert sorted(table.rows()) == [b"1", b"2"]
    assert (table.get("a"), table.get("b"), table.count()) == (b"2", b"1", 2)


def test_of_many_threads_one_replaces(table: Table) -> None:
    table.put({"a": b"begun"})
    replaced = together(20, lambda number: table.replace("a", b"begun", b"%d" % number))
    assert replaced.count(True) == 1


def test_a_discarded_row_is_gone_whatever_it_is(table: Table) -> None:
    table.put({"a": b"1", "b": b"2"})
    table.discard("a")
    table.discard("c")
    assert list(table.rows()) == [b"2"]


def test_replicas_see_each_others_changes_at_once(valkey: Valkey) -> None:
    one, other = (valkey.state().table("things", 60) for _ in range(2))
    one.put({"a": b"1"})
    assert list(other.rows()) == [b"1"]
    one.put({"a": b"2"})
    other.put({"b": b"3"})
    assert sorted(one.rows()) == sorted(other.rows()) == [b"2", b"3"]
    other.remove("a", b"2")
    assert list(one.rows()) == [b"3"]


def test_all_rows_are_read_from_the_server_only_after_a_change(valkey: Valkey) -> None:
    one, other = (valkey.state().table("things", 60) for _ in range(2))
    one.put({"a": b"1"})
    before = valkey.calls("hgetall")
    assert [list(one.rows()) for _ in range(3)] == [[b"1"]] * 3
    assert valkey.calls("hgetall") == before + 1
    other.put({"b": b"2"})
    assert [sorted(one.rows()) for _ in range(3)] == [[b"1", b"2"]] * 3
    assert valkey.calls("hgetall") == before + 2


def test_two_tables_have_no_row_in_common(valkey: Valkey) -> None:
    state = valkey.state()
    state.table("things", 60).put({"a": b"1"})
    assert state.table("others", 60).get("a") is None


def test_names_and_rows_are_not_readable_in_redis(valkey: Valkey) -> None:
    table = valkey.state().table("things", 60)
    table.put({"customer-1": b"secret"})
    stored = repr(valkey.hashes())
    assert "customer-1" not in stored
    assert "secret" not in stored
    assert "things" not in stored


def test_a_row_under_another_field_is_no_row(valkey: Valkey) -> None:
    table = valkey.state().table("things", 60)
    table.put({"a": b"1", "b": b"2"})
    valkey.swap_fields()
    assert (list(table.rows()), table.get("a")) == ([], None)


def test_a_table_is_deleted_after_its_time_without_a_change(valkey: Valkey) -> None:
    table = valkey.state().table("things", 60)
    table.put({"a": b"1"})
    assert table.add("b", b"2")
    valkey.pass_time(58)
    table.put({"c": b"3"})
    valkey.pass_time(58)
    assert table.count() == 3
    valkey.pass_time(2)
    assert (list(table.rows()), table.count()) == ([], 0)


def test_while_redis_is_lost_the_listed_rows_and_new_rows_are_there(mortal: Valkey) -> None:
    clock = Clock()
    table = mortal.state(monotonic=clock).table("things", 60)
    table.put({"a": b"1"})
    assert list(table.rows()) == [b"1"]
    mortal.freeze()
    table.put({"b": b"2"})
    assert not table.add("a", b"3")
    assert table.add("c", b"3")
    assert not table.replace("a", b"1", b"3")
    assert table.replace("c", b"3", b"4")
    table.put({"d": b"5"})
    table.discard("d")
    assert sorted(table.rows()) == [b"1", b"2", b"4"]
    assert (table.get("a"), table.get("b"), table.count()) == (b"1", b"2", 3)
    table.remove("c", b"4")
    mortal.thaw()
    clock.pass_time(RETRY_INTERVAL)
    assert sorted(table.rows()) == [b"1", b"2"]
    other = mortal.state().table("things", 60)
    assert sorted(other.rows()) == [b"1", b"2"]
    other.put({"b": b"3"})
    assert sorted(table.rows()) == sorted(other.rows()) == [b"1", b"3"]  # it was put back once


@pytest.mark.parametrize(
    ("ask", "arguments", "answer", "row"),
    [
        ("put", ({"a": b"2"},), None, b"2"),
        ("add", ("a", b"2"), False, b"1"),
        ("replace", ("a", b"1", b"2"), True, b"2"),
        ("get", ("a",), b"1", b"1"),
        ("remove", ("a", b"1"), None, None),
        ("discard", ("a",), None, None),
        ("rows", (), [b"1"], b"1"),
    ],
)
def test_a_row_that_was_put_while_redis_was_lost_is_there_for_the_first_question_after(
    mortal: Valkey, ask: str, arguments: tuple[Any, ...], answer: object, row: bytes | None
) -> None:
    clock = Clock()
    table = mortal.state(monotonic=clock).table("things", 60)
    mortal.kill()
    table.put({"a": b"1"})
    mortal.start()
    clock.pass_time(RETRY_INTERVAL)
    assert getattr(table, ask)(*arguments) == answer
    other = mortal.state().table("things", 60)
    assert (table.get("a"), other.get("a")) == (row, row)


def test_an_emptied_server_gets_back_the_rows_that_a_replica_listed(valkey: Valkey) -> None:
    table = valkey.state().table("things", 60)
    table.put({"a": b"1"})
    assert list(table.rows()) == [b"1"]
    valkey.clear()
    assert (list(table.rows()), table.get("a"), table.count()) == ([b"1"], b"1", 1)
    valkey.pass_time(61)
    assert list(valkey.state().table("things", 60).rows()) == []


def test_a_row_that_was_put_back_can_be_discarded(valkey: Valkey) -> None:
    table = valkey.state().table("things", 60)
    table.put({"a": b"1"})
    assert list(table.rows()) == [b"1"]
    valkey.clear()
    assert list(table.rows()) == [b"1"]
    table.discard("a")
    assert (list(table.rows()), table.count()) == ([], 0)


@pytest.mark.parametrize("first", ["put", "add"])
def test_an_emptied_server_gets_rows_back_though_another_replica_begins_the_table_anew(
    valkey: Valkey, first: str
) -> None:
    one, other = (valkey.state().table("things", 60) for _ in range(2))
    one.put({"a": b"1", "b": b"2"})
    assert sorted(one.rows()) == [b"1", b"2"]
    valkey.clear()
    if first == "put":
        other.put({"a": b"3"})
    else:
        assert other.add("a", b"3")
    assert sorted(one.rows()) == sorted(other.rows()) == [b"2", b"3"]


def test_an_emptied_server_has_no_rows_that_no_replica_listed(valkey: Valkey) -> None:
    table = valkey.state().table("things", 60)
    table.put({"a": b"1"})
    valkey.clear()
    assert (list(table.rows()), table.get("a"), table.count()) == ([], None, 0)
    table.put({"b": b"2"})
    assert list(table.rows()) == [b"2"]
