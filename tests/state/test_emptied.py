"""A server that was emptied, evicts or does not persist: the state says that it may lose values."""

from __future__ import annotations

import itertools
import logging
import time

import pytest

from app.state import Recalled
from app.state.client import RETRY_INTERVAL
from app.state.sentinel import SENTINEL, SETTLED
from tests.state.test_loss import lines
from tests.support.timing import Clock
from tests.support.valkey import DAY, SEALING, Valkey

LOST = Recalled(None, certain=False)
NONE = Recalled(None, certain=True)


def test_a_missing_value_is_uncertain_while_the_server_is_younger_than_kept_values(
    mortal: Valkey,
) -> None:
    state = mortal.state()
    assert state.recall("a", DAY) == LOST
    assert state.recall("a", 0) == NONE
    assert mortal.state().recall("a", DAY) == LOST


def test_a_new_server_is_trusted_when_it_has_lost_nothing_for_as_long_as_values_are_kept(
    mortal: Valkey,
) -> None:
    state = mortal.state()
    for age, found in ((0, LOST), (DAY - 5, LOST), (DAY + 5, NONE)):
        mortal.mature(age)
        assert state.recall("a", DAY) == found


def test_an_emptied_server_is_noticed_by_all_replicas(valkey: Valkey) -> None:
    one, other = valkey.state(), valkey.state()
    assert [state.recall("a", DAY) for state in (one, other)] == [NONE] * 2
    one.put("a", b"1", 60)
    valkey.clear()
    assert other.recall("a", DAY) == LOST
    assert one.recall("a", DAY) == Recalled(b"1", certain=False, own=True)  # its own copy
    assert one.recall("b", DAY) == LOST


def test_a_forged_sentinel_is_not_believed(valkey: Valkey) -> None:
    valkey.clear()
    state = valkey.state()
    state.put("a", b"0", 60)
    valkey.set(valkey.name(SENTINEL), valkey.values()[valkey.name("a")])
    assert state.recall("b", DAY) == LOST


def test_while_the_server_is_lost_nothing_is_certain(mortal: Valkey) -> None:
    mortal.mature()
    state = mortal.state()
    assert state.recall("a", DAY) == NONE
    mortal.kill()
    assert state.recall("a", DAY) == LOST


def test_a_value_that_the_server_missed_makes_it_uncertain_when_it_is_back(mortal: Valkey) -> None:
    clock = Clock()
    state, other = mortal.state(monotonic=clock), mortal.state()
    for missed in (False, True, False):
        mortal.mature()
        assert state.recall("a", DAY) == NONE
        mortal.freeze()
        if missed:
            state.put("b", b"1", 60)
        else:
            state.get("b")
        assert not state.shared
        mortal.thaw()
        clock.pass_time(RETRY_INTERVAL)
        state.get("b")
        assert state.shared
        assert other.recall("a", DAY).certain is not missed


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"appendonly": "yes"}, []),
        ({"appendonly": "no"}, ["loses values when it restarts"]),
        ({"appendonly": "yes", "maxmemory-policy": "allkeys-lru"}, ["may evict values"]),
    ],
)
def test_a_server_that_evicts_or_does_not_persist_is_warned_of(
    mortal: Valkey, caplog: pytest.LogCaptureFixture, config: dict[str, str], told: list[str]
) -> None:
    mortal.kill()
    mortal.start(**config)
    mortal.mature()
    mortal.state().inspect()
    warnings = lines(caplog, logging.WARNING)
    assert len(warnings) == len(told)
    assert all(words in line for words, line in zip(told, warnings, strict=True))


def test_a_server_that_was_lost_at_the_start_is_warned_of_once_when_it_is_there(
    mortal: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    mortal.kill()
    clock = Clock()
    state = mortal.state(monotonic=clock)
    state.inspect()
    mortal.start(appendonly="no")
    for _ in range(2):
        clock.pass_time(RETRY_INTERVAL)
        state.get("a")
        assert state.shared
        mortal.kill()
        state.get("a")
        mortal.start(appendonly="no")
    warned = [line for line in lines(caplog, logging.WARNING) if "when it restarts" in line]
    assert len(warned) == 1


@pytest.mark.parametrize("first", [0, 1], ids=["one", "the other"])
def test_the_slots_after_a_loss_come_after_those_that_replicas_still_hold(
    valkey: Valkey, first: int
) -> None:
    replicas = [valkey.state(replicas=2) for _ in range(2)]
    before = [state.reserve("quota", 10, 1).due for state in replicas]  # each holds one
    valkey.clear()
    asked = replicas[first:] + replicas[:first]
    after = [state.reserve("quota", 10, 1).due for _ in range(3) for state in asked]
    dues = sorted(before + after)
    assert min(late - early for early, late in itertools.pairwise(dues)) >= 100_000
    assert after[0] - before[-1] <= 300_000


def test_slots_before_during_and_after_a_loss_keep_their_distance(mortal: Valkey) -> None:
    clock = Clock()
    replicas = [mortal.state(monotonic=clock, replicas=2) for _ in range(2)]

    def waits() -> list[float]:
        return [state.reserve("quota", 1, 100).wait for state in replicas]  # one in 100 s

    assert waits() == [pytest.approx(0, abs=5), pytest.approx(100, abs=5)]
    mortal.kill()
    assert waits() == [pytest.approx(200, abs=5), pytest.approx(300, abs=5)]
    mortal.start()
    clock.pass_time(RETRY_INTERVAL)
    assert waits() == [pytest.approx(400, abs=5), pytest.approx(500, abs=5)]


def test_a_clock_of_the_server_that_is_put_back_holds_up_no_slot(valkey: Valkey) -> None:
    one, other = (valkey.state(replicas=2) for _ in range(2))
    for state in (one, other):
        state.reserve("quota", 10, 1)
    due, server = valkey.values()[valkey.name("quota")].split()
    valkey.set(valkey.name("quota"), b"%d %s" % (int(due) + 3600_000_000, server))
    waits = [state.reserve("quota", 10, 1).wait for state in (one, other, one, other)]
    assert max(waits) <= 0.8
    assert min(late - early for early, late in itertools.pairwise(waits)) >= 0.09


def test_a_slot_of_another_clock_does_not_hold_up_the_next_one(valkey: Valkey) -> None:
    state = valkey.state(replicas=2)
    for _ in range(100):  # the last is due in 10 s
        state.reserve("quota", 10, 1)
    valkey.clear()
    assert state.reserve("quota", 10, 1).wait <= 0.3


def test_a_missed_slot_of_an_emptied_server_moves_behind_those_that_replicas_hold(
    valkey: Valkey,
) -> None:
    one, other = (valkey.state(replicas=2) for _ in range(2))
    missed, held = (state.reserve("quota", 10, 1) for state in (one, other))
    valkey.clear()
    assert one.reserve("quota", 10, 1, late=missed).due - held.due >= 100_000


@pytest.mark.parametrize("sentinel", ["another server", "a later time", "unreadable", "none"])
def test_a_server_that_may_have_lost_values_gets_a_sentinel_once_and_a_line(
    valkey: Valkey, caplog: pytest.LogCaptureFixture, sentinel: str
) -> None:
    name, right = valkey.name(SENTINEL), valkey.sentinel
    assert right is not None
    seconds, _, server = right.partition(b" ")
    wrong = {
        "another server": SEALING.seal(SENTINEL, seconds + b" " + b"0" * 40),
        "a later time": SEALING.seal(SENTINEL, b"%d %b" % (int(seconds) + 2 * DAY, server)),
        "unreadable": b"unreadable",
    }
    if sentinel in wrong:
        valkey.set(name, wrong[sentinel])
    else:
        valkey.clear()
    one, other = valkey.state(), valkey.state()
    assert one.settles_in == 0
    assert one.recall("a", DAY) == LOST
    started = valkey.sentinel
    assert started is not None
    assert started.endswith(b" " + server)
    assert 0 <= time.time() - float(started.split()[0]) < 60
    assert SETTLED - 2 < one.settles_in <= SETTLED
    assert [state.recall("a", DAY) for state in (one, other)] == [LOST, LOST]
    assert SETTLED - 2 < other.settles_in <= SETTLED
    assert valkey.sentinel == started
    told = [line for line in lines(caplog, logging.WARNING) if "may have lost values" in line]
    assert len(told) == 1


@pytest.mark.parametrize(("age", "settled"), [(SETTLED - 2, False), (SETTLED + 2, True)])
def test_a_state_settles_when_its_sentinel_is_old_enough(
    valkey: Valkey, age: float, settled: bool
) -> None:
    valkey.mature(age)
    state = valkey.state()
    assert not state.recall("a", DAY).certain
    assert (state.settles_in == 0) is settled
    assert state.settles_in <= SETTLED - age + 1.5 or settled
