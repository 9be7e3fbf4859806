"""The months of bills are Beijing months, and a bill exists from the 5th of the next month on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.month import Month, absent, billed
from app.errors import ErrorCode, GatewayError, Retry


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def refused(text: str, now: float) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        billed(text, now)
    return caught.value


@pytest.mark.parametrize(
    ("month", "ready"),
    [
        ("2026-10", "2026-11-05T04:00:00"),
        ("2026-11", "2026-12-05T04:00:00"),
        ("2026-12", "2027-01-05T04:00:00"),
        ("2024-01", "2024-02-05T04:00:00"),
    ],
)
def test_a_bill_is_ready_on_the_5th_at_noon_in_beijing(month: str, ready: str) -> None:
    assert str(billed(month, utc(ready))) == month
    error = refused(month, utc(ready) - 1)
    assert (error.code, error.retry_after) == (ErrorCode.BILL_NOT_READY, 1)
    assert f"{ready}Z" in error.detail


def test_the_present_month_is_ready_in_the_next_one() -> None:
    error = refused("2026-12", utc("2026-12-31T15:59:59"))
    assert error.code is ErrorCode.BILL_NOT_READY
    assert error.retry_after == timedelta(days=4, hours=12, seconds=1).total_seconds()


def test_a_month_begins_when_it_begins_in_beijing() -> None:
    assert refused("2027-01", utc("2026-12-31T16:00:00")).code is ErrorCode.BILL_NOT_READY
    error = refused("2027-01", utc("2026-12-31T15:59:59"))
    assert error.code is ErrorCode.VALIDATION_FAILED
    assert [(one.parameter, one.code) for one in error.errors] == [("month", "FUTURE_MONTH")]


@pytest.mark.parametrize(("day", "again"), [(5, 86399), (8, 86399), (9, None)])
def test_after_the_last_upload_only_the_operator_can_ask_for_the_file(
    day: int, again: int | None
) -> None:
    error = absent(Month(2026, 10), utc(f"2026-11-{day:02}T04:00:01"))
    assert error.retry_after == again
    assert error.retry is (Retry.CONTACT_OPERATOR if again is None else None)
    assert ("the operator must ask" in error.detail) is (again is None)


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026", "2026-1", "2026-00", "2026-13", "202610", "2026-10-01", "2026/10"),
        *(" 2026-10", "2026-10\n", "\u0662\u0660\u0662\u0666-10", "0000-01", "1999-12", ".."),
    ],
)
def test_a_text_that_is_no_month_is_refused_and_not_repeated(text: str) -> None:
    error = refused(text, utc("2026-11-26T00:00:00"))
    assert error.code is ErrorCode.VALIDATION_FAILED
    (rule,) = error.errors
    assert (rule.parameter, rule.code) == ("month", "MONTH")
    assert rule.detail == "The parameter must be a month such as 2026-10."


@given(st.datetimes(datetime(2000, 2, 1), datetime(2999, 12, 1)))
def test_at_any_time_the_bill_before_last_is_ready_and_the_present_one_is_not(
    time: datetime,
) -> None:
    now = time.replace(tzinfo=UTC).timestamp()
    beijing = time + timedelta(hours=8)
    present = Month(beijing.year, beijing.month)
    assert Month.at(now) == present
    assert refused(str(present), now).code is ErrorCode.BILL_NOT_READY
    months = beijing.year * 12 + beijing.month - 1
    names = [f"{number // 12}-{number % 12 + 1:02d}" for number in (months - 2, months - 1)]
    if months - 2 >= 24000:
        assert str(billed(names[0], now)) == names[0]
    ready = (beijing.day, beijing.hour) >= (5, 12)
    if ready:
        assert str(billed(names[1], now)) == names[1]
    else:
        pause = refused(names[1], now).retry_after
        end = beijing.replace(day=5, hour=12, minute=0, second=0, microsecond=0)
        assert pause == pytest.approx((end - beijing).total_seconds(), abs=0.001)


@given(st.integers(2000, 2999), st.integers(1, 12))
def test_the_text_of_a_month_names_it(year: int, number: int) -> None:
    month = Month(year, number)
    assert Month.parse(str(month)) == month
    assert month.compact == str(month).replace("-", "")
