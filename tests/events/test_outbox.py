"""The events that wait for a caller: order by customer, growing pauses, and an end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.events import Entries, Entry, Event
from app.events.outbox import MOST, Outbox
from tests.support.events import credit_used, ended

BEGUN = 1_800_000_000.0  # seconds of the wall clock
STARTED = 50.0  # seconds of the monotonic clock
DAY = 24 * 3600.0


def entry(id: str, customer: str = "a", **different: str) -> Entry:
    moment = datetime.fromtimestamp(BEGUN, UTC)
    return Entry(id, ended(customer, occurred_at=moment, **different))


def holding(*entries: Entry) -> Outbox:
    outbox = Outbox("0-0")
    outbox.put(Entries(entries, entries[-1].id if entries else "0-0", 0))
    return outbox


def ready(outbox: Outbox, now: float = STARTED) -> list[str]:
    """The ids of all events that are due, which are on their way from now on."""
    found = []
    while (one := outbox.next(now)) is not None:
        found.append(one.id)
    return found


def test_one_event_of_each_customer_is_on_its_way_and_the_next_follows_it() -> None:
    first, other, second = entry("1-1"), entry("2-1", "b"), entry("3-1")
    outbox = holding(first, other, second)
    assert ready(outbox) == ["1-1", "2-1"]
    assert outbox.pause(STARTED) == float("inf")
    assert outbox.delivered(first) == 1
    assert ready(outbox) == ["3-1"]
    outbox.delivered(other)
    outbox.delivered(second)
    assert (outbox.count, outbox.oldest, ready(outbox)) == (0, None, [])


def test_the_customers_of_two_accounts_and_an_account_itself_do_not_wait_for_each_other() -> None:
    whole = Entry("3-1", credit_used())
    outbox = holding(entry("1-1"), entry("2-1", account="second"), whole)
    assert ready(outbox) == ["1-1", "2-1", "3-1"]


def test_a_failed_event_holds_back_the_later_events_of_its_customer_only() -> None:
    first = entry("1-1")
    outbox = holding(first, entry("2-1"))
    assert ready(outbox) == ["1-1"]
    assert outbox.failed(first, STARTED, 0) == (1, 5.0)
    outbox.put(Entries((entry("3-1", "b"), entry("4-1")), "4-1", 0))
    assert ready(outbox, STARTED + 4.9) == ["3-1"]
    assert outbox.pause(STARTED + 4) == 1.0
    assert ready(outbox, STARTED + 5) == ["1-1"]


def test_pauses_grow_to_an_hour_and_the_tries_end_after_three_days() -> None:
    only, now = entry("1-1"), STARTED
    outbox = holding(only, entry("2-1"))
    pauses: list[float] = []
    while True:
        assert ready(outbox, now) == ["1-1"]
        tries, pause = outbox.failed(only, now, now - STARTED)
        assert tries == len(pauses) + 1
        if pause is None:
            break
        pauses.append(pause)
        now += pause
    assert pauses[:3] == [5, 10, 20]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 3600
    assert 3 * DAY <= now - STARTED <= 3 * DAY + 3600
    assert outbox.count == 1


def test_the_event_after_a_dropped_one_is_tried_at_once_and_once_at_least() -> None:
    first, second = entry("1-1"), entry("2-1")
    outbox, late = holding(first, second), STARTED + 4 * DAY
    assert ready(outbox, late) == ["1-1"]
    assert outbox.failed(first, late, 4 * DAY) == (1, None)
    assert ready(outbox, late) == ["2-1"]
    assert outbox.failed(second, late, 4 * DAY) == (1, None)
    assert outbox.count == 0


def test_a_delivered_event_begins_the_pauses_anew() -> None:
    first, second = entry("1-1"), entry("2-1")
    outbox = holding(first, second)
    ready(outbox)
    outbox.failed(first, STARTED, 0)
    ready(outbox, STARTED + 5)
    assert outbox.delivered(first) == 2
    ready(outbox, STARTED + 5)
    assert outbox.failed(second, STARTED + 5, 5) == (1, 5.0)


def test_a_full_outbox_has_room_again_after_a_delivery() -> None:
    outbox = holding(*(entry(f"{number}-1", str(number)) for number in range(MOST)))
    assert (outbox.room, outbox.count) == (0, MOST)
    one = outbox.next(STARTED)
    assert one is not None
    outbox.delivered(one)
    assert outbox.room == 1


def test_what_waits_outlives_the_process_in_its_order_and_is_tried_at_once() -> None:
    first = entry("1-1")
    outbox = holding(first, entry("2-1"), entry("3-1", "b"))
    ready(outbox)
    outbox.failed(first, STARTED, 0)
    dumped = outbox.dump()
    loaded = Outbox.load(dumped)
    assert loaded is not None
    assert (loaded.place, loaded.count, loaded.dump()) == ("3-1", 3, dumped)
    assert ready(loaded) == ["1-1", "3-1"]


def test_an_outbox_tells_whether_it_changed_since_it_was_dumped() -> None:
    first = entry("1-1")
    outbox = holding(first)
    assert outbox.changed
    outbox.dump()
    outbox.put(Entries((), "1-1", 0))
    assert not outbox.changed
    outbox.put(Entries((), "2-1", 0))
    assert outbox.changed
    outbox.dump()
    ready(outbox)
    outbox.failed(first, STARTED, 0)
    assert not outbox.changed
    outbox.delivered(first)
    assert outbox.changed


@pytest.mark.parametrize("dumped", [b"", b"{}", b"[]", b'["1-1"]', b'["1-1", [["2-1", 7]]]'])
def test_an_outbox_of_another_version_cannot_be_loaded(dumped: bytes) -> None:
    assert Outbox.load(dumped) is None


def test_an_event_keeps_all_its_members() -> None:
    event = ended("a", status="REJECTED", kind="ENTERPRISE", account="second")
    loaded = Outbox.load(holding(Entry("1-1", event)).dump())
    assert loaded is not None
    one = loaded.next(STARTED)
    assert one is not None
    assert isinstance(one.event, Event)
    assert one == Entry("1-1", event)


def test_an_event_of_another_version_stays_for_a_replica_that_knows_it() -> None:
    first, newer, last = entry("1-1"), entry("2-1"), entry("3-1")
    dumped = holding(first, newer, last).dump()
    mixed = dumped.replace(b"VERIFICATION_ENDED", b"NEW", 2).replace(
        b"NEW", b"VERIFICATION_ENDED", 1
    )
    outbox = Outbox.load(mixed)
    assert outbox is not None
    assert (outbox.count, ready(outbox)) == (2, ["1-1"])
    assert outbox.dump() == mixed
