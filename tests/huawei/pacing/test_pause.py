"""The pause before a retry: Huawei's `Retry-After` as seconds or date, within our limits."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from app.errors import ErrorCode
from app.huawei.pacing.pause import CLOCK_INTERVAL, LONGEST_PAUSE, pause
from app.settings import Settings
from tests.support.accounts import gateway
from tests.support.gateway import altered, submit
from tests.support.raw_upstream import RawUpstream, answer

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
THROTTLED = ErrorCode.UPSTREAM_THROTTLED


def read(text: str, code: ErrorCode = THROTTLED) -> float | None:
    return pause(code, {"retry-after": text}, now=NOW.timestamp)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("17", 17),
        ("3601", LONGEST_PAUSE),
        ("9" * 500, LONGEST_PAUSE),
        ("Sun, 01 Mar 2026 12:01:40 GMT", 100),
        ("Sunday, 01-Mar-26 12:01:40 GMT", 100),
        ("Sun Mar  1 12:01:40 2026", 100),
        ("Sun, 01 Mar 2026 12:01:40 -0000", 100),
        ("Sun, 01 Mar 2026 11:59:59 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_PAUSE),
        ("Fri, 31 Dec 9999 23:59:59 -2359", LONGEST_PAUSE),
    ],
)
def test_huaweis_retry_after_is_read_and_limited(text: str, seconds: float) -> None:
    assert read(text) == seconds


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_wrong_clock_does_not_change_the_pause_until_a_date_of_huawei(hours: int) -> None:
    date, until = ("Sun, 01 Mar 2026 12:00:00 GMT", "Sun, 01 Mar 2026 12:01:40 GMT")
    wrong = (NOW + timedelta(hours=hours)).timestamp
    assert pause(THROTTLED, {"retry-after": until, "date": date}, now=wrong) == 100


def test_the_longest_pause_is_an_hour() -> None:
    assert (read("3599"), read("3600"), read("3601")) == (3599, 3600, 3600)


def test_a_date_without_a_zone_is_utc_whatever_the_zone_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        assert read("Sun Mar  1 12:01:40 2026") == 100
        assert read("Sun, 01 Mar 2026 12:01:40 -0000") == 100
    finally:
        monkeypatch.undo()
        time.tzset()


UNREADABLE = (
    "",
    "soon",
    "-5",
    "1.5",
    "3, 5",
    "٣",
    "Sun, 32 Mar 2026 12:00:00 GMT",
    "Sun, 01 Mar 99999 12:00:00 GMT",
    "Sun, 01 Mar 2026 12:00:00 +9999",
    "1 2 3 4 5",
)


@pytest.mark.parametrize("text", UNREADABLE)
def test_an_unreadable_retry_after_is_replaced_by_the_catalogues_pause(text: str) -> None:
    assert read(text) == THROTTLED.pause


def test_a_locked_key_has_a_pause_of_five_minutes_whatever_retry_after_says() -> None:
    assert read("1", ErrorCode.ACCESS_KEY_LOCKED) == 300


def test_only_errors_that_may_be_repeated_after_a_pause_and_clock_skew_have_one() -> None:
    assert {code for code in ErrorCode if read("17", code) is not None} == {
        ErrorCode.CLOCK_SKEWED,
        *(code for code in ErrorCode if code.pause is not None),
    }
    assert read("17", ErrorCode.CLOCK_SKEWED) == CLOCK_INTERVAL


@given(some.text(max_size=60) | some.text("0123456789:,-+ SunMarGMT", max_size=40))
@example("Sun, 01 Mar 2026 12:00:00 +999999999999")
@example("Sun, 01 Mar 2026 99999999999999999999:00:00 GMT")
def test_any_text_of_retry_after_gives_a_pause_within_the_limits(text: str) -> None:
    assert 0 <= (read(text) or 0.0) <= LONGEST_PAUSE


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_date_of_huawei_reaches_the_caller_as_seconds(
    settings: Settings, status: int
) -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    with RawUpstream(answer(status, "", f"Retry-After: {when}")) as upstream:
        response = submit(gateway(altered(settings, endpoint=upstream.url)))
    assert 90 <= int(response.headers["Retry-After"]) <= 100
