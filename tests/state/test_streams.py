"""Both streams meet one contract: the stream in memory, and the stream in a real Valkey server."""

from __future__ import annotations

import threading
import time
from itertools import chain, count

import pytest

from app.state import Following, Stream, StreamLost
from tests.state.test_values import Kept, in_memory, in_valkey
from tests.support.timing import together, wait_until
from tests.support.valkey import Valkey

MOST = 5
KEPT = 100.0  # seconds


@pytest.fixture(params=["memory", "shared"])
def kept(request: pytest.FixtureRequest) -> Kept:
    if request.param == "memory":
        return in_memory()
    return in_valkey(request.getfixturevalue("valkey"))


@pytest.fixture
def stream(kept: Kept) -> Stream:
    return kept.state.stream("news", MOST, KEPT)


def fill(stream: Stream, *values: bytes) -> None:
    for value in values:
        assert stream.add(value, value.decode())


def values(found: Following) -> list[bytes | None]:
    assert found.known
    return [added.value for added in found.values]


def test_a_new_stream_has_a_place_before_its_first_value(stream: Stream) -> None:
    begun = stream.after(None, 10)
    assert (begun.values, begun.newest) == ([], begun.place)
    fill(stream, b"1")
    assert values(stream.after(begun.place, 10)) == [b"1"]


def test_values_are_read_in_their_order_from_any_place(stream: Stream) -> None:
    fill(stream, b"1", b"2", b"3")
    found = stream.after(None, 10)
    assert values(found) == [b"1", b"2", b"3"]
    assert found.newest == found.values[-1].id
    assert values(stream.after(found.values[0].id, 10)) == [b"2", b"3"]
    assert values(stream.after(found.values[0].id, 1)) == [b"2"]
    assert values(stream.after(found.newest, 10)) == []


def test_a_fact_is_added_once(stream: Stream) -> None:
    assert stream.add(b"1", "fact")
    assert not stream.add(b"2", "fact")
    assert values(stream.after(None, 10)) == [b"1"]


def test_exactly_one_of_eight_threads_adds_a_fact(stream: Stream) -> None:
    for fact in "abc":
        won = together(8, lambda place, fact=fact: stream.add(b"%d" % place, fact))  # type: ignore[misc]
        assert won.count(True) == 1


def test_more_values_than_a_stream_keeps_drop_the_oldest(stream: Stream) -> None:
    begun = stream.after(None, 1).place
    fill(stream, b"1", b"2", b"3", b"4", b"5", b"6", b"7")
    found = stream.after(None, 10)
    assert values(found) == [b"3", b"4", b"5", b"6", b"7"]
    assert stream.after(begun, 10) == Following(False, begun, found.newest)


def test_a_value_is_dropped_when_it_is_older_than_a_stream_keeps_it(kept: Kept) -> None:
    stream = kept.state.stream("brief", 10_000, 0.05)
    fill(stream, b"old")
    begun = stream.after(None, 1).place
    kept.pass_time(1)
    numbers = count()

    def old_is_dropped() -> bool:  # by the clock of the server, each time that a value is added
        fill(stream, b"%d" % next(numbers))
        return b"old" not in values(stream.after(None, 10_000))

    wait_until(old_is_dropped)
    assert not stream.after(begun, 1).known


def test_the_stream_in_memory_keeps_each_value_for_its_time() -> None:
    kept = in_memory()
    stream = kept.state.stream("news", MOST, KEPT)
    fill(stream, b"1")
    kept.pass_time(KEPT - 1)
    fill(stream, b"2")
    assert values(stream.after(None, 10)) == [b"1", b"2"]
    kept.pass_time(2)
    fill(stream, b"3")
    assert values(stream.after(None, 10)) == [b"2", b"3"]


def test_a_place_is_known_until_a_value_after_it_is_dropped(stream: Stream) -> None:
    fill(stream, b"1")
    place = stream.after(None, 1).values[0].id
    fill(stream, b"2", b"3", b"4", b"5", b"6")  # only the value at the place is dropped
    assert values(stream.after(place, 10)) == [b"2", b"3", b"4", b"5", b"6"]
    fill(stream, b"7")
    assert not stream.after(place, 10).known


@pytest.mark.parametrize("unknown", ["0-0", "1-1", "999999999999999-1"])
def test_a_place_of_another_stream_is_not_known(stream: Stream, unknown: str) -> None:
    fill(stream, b"1")
    assert not stream.after(unknown, 10).known


def test_a_place_between_two_values_is_not_known(stream: Stream) -> None:
    fill(stream, b"1", b"2")
    milliseconds, _, number = stream.after(None, 1).values[0].id.partition("-")
    assert not stream.after(f"{milliseconds}-{int(number) + 1}", 10).known


def test_no_two_streams_have_an_id_in_common() -> None:
    one, other = (in_memory().state.stream("news", MOST, KEPT) for _ in range(2))
    for stream in (one, other):
        fill(stream, b"1")
    assert not other.after(one.after(None, 1).place, 10).known
    assert not other.after(one.after(None, 1).newest, 10).known


def test_no_value_of_eight_threads_is_lost_and_every_reader_sees_one_order(kept: Kept) -> None:
    stream = kept.state.stream("many", 1000, KEPT)
    facts = [[f"{thread}-{number}" for number in range(25)] for thread in range(8)]
    together(8, lambda place: [stream.add(fact.encode(), fact) for fact in facts[place]])
    found = stream.after(None, 1000)
    assert sorted(found.values, key=lambda one: int(one.id.partition("-")[0])) == found.values
    assert {added.value for added in found.values} == {
        fact.encode() for fact in chain.from_iterable(facts)
    }
    assert len(found.values) == 200


def test_a_wait_ends_when_a_value_is_added(stream: Stream) -> None:
    place = stream.after(None, 1).newest
    adding = threading.Timer(0.1, lambda: fill(stream, b"1", b"2"))
    adding.start()
    begun = time.monotonic()
    assert stream.wait(place, 10)[0].value == b"1"
    assert time.monotonic() - begun < 5
    adding.join()


def test_a_wait_without_news_ends_with_nothing(stream: Stream) -> None:
    fill(stream, b"1")
    assert list(stream.wait(stream.after(None, 1).newest, 0.05)) == []


def test_a_wait_for_what_was_added_already_ends_at_once(stream: Stream) -> None:
    place = stream.after(None, 1).place
    fill(stream, b"1")
    assert [added.value for added in stream.wait(place, 60)] == [b"1"]


def test_a_fact_may_be_added_again_when_it_is_no_longer_kept(kept: Kept) -> None:
    stream = kept.state.stream("news", MOST, KEPT)
    assert stream.add(b"1", "fact")
    kept.pass_time(KEPT - 1)
    assert not stream.add(b"2", "fact")
    kept.pass_time(2)
    assert stream.add(b"3", "fact")


def test_two_replicas_read_and_add_to_one_stream(valkey: Valkey) -> None:
    one, other = (valkey.state().stream("news", MOST, KEPT) for _ in range(2))
    fill(one, b"1")
    assert not other.add(b"2", "1")
    fill(other, b"3")
    assert one.after(None, 10) == other.after(None, 10)
    assert values(one.after(None, 10)) == [b"1", b"3"]


def test_an_emptied_server_knows_no_place(valkey: Valkey) -> None:
    stream = valkey.state().stream("news", MOST, KEPT)
    begun = stream.after(None, 1).place
    fill(stream, b"1")
    read = stream.after(None, 1).newest
    valkey.clear()
    found = stream.after(read, 10)
    assert not found.known
    assert not stream.after(begun, 10).known
    fill(stream, b"2")
    assert values(stream.after(found.newest, 10)) == [b"2"]


def test_a_lost_server_is_told(mortal: Valkey) -> None:
    stream = mortal.state().stream("news", MOST, KEPT)
    place = stream.after(None, 1).newest
    mortal.kill()
    for ask in (
        lambda: stream.add(b"1", "fact"),
        lambda: stream.after(place, 1),
        lambda: stream.wait(place, 0.1),
    ):
        with pytest.raises(StreamLost):
            ask()
