"""The seconds until a failed call may be repeated: Huawei's `Retry-After`, or our catalogue's."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from app.errors import ErrorCode

CLOCK_INTERVAL = 5.0  # seconds between two looks at Huawei's clock after a skew
LONGEST_PAUSE = 3600.0  # seconds, the upper bound of Huawei's `Retry-After`

# The gateway's own retries also keep the catalogue's pause of these codes; others get jitter.
_FIXED = frozenset({ErrorCode.ACCESS_KEY_LOCKED, ErrorCode.UPSTREAM_THROTTLED})


def pause(
    code: ErrorCode,
    headers: Mapping[str, str],
    now: Callable[[], float] = time.time,
) -> float | None:
    """Seconds until a repeat makes sense; None if the catalogue's own pause applies, or none.

    The gateway looks at the clock again after CLOCK_INTERVAL.

    Huawei's `Retry-After` decides, as seconds or as an HTTP date (RFC 9110, 10.2.3), limited to
    0 to LONGEST_PAUSE. It is ignored for a locked access key, whose lock has a fixed length. A date
    is by Huawei's clock, which the answer's `Date` shows.

    Args:
        code: The error code of the failed call.
        headers: The headers of the answer, with names in lower case.
        now: The wall clock, in seconds, for an answer without a `Date`.
    """
    if code is ErrorCode.CLOCK_SKEWED:
        return CLOCK_INTERVAL
    if code.pause is None:
        return None
    asked = None
    if code is not ErrorCode.ACCESS_KEY_LOCKED:
        asked = _seconds(headers, now)
    if asked is not None:
        return min(max(0.0, asked), LONGEST_PAUSE)
    return code.pause if code in _FIXED else None


def _seconds(headers: Mapping[str, str], now: Callable[[], float]) -> float | None:
    text = headers.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return float(text)
    ends, sent = _moment(text), _moment(headers.get("date", ""))
    return None if ends is None else ends - (now() if sent is None else sent)


def _moment(text: str) -> float | None:
    """The seconds since 1970 of an HTTP date; None for another text."""
    if not text.isascii():
        return None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if date.tzinfo is None:  # the date ends in -0000, which names no zone
        date = date.replace(tzinfo=UTC)
    return date.timestamp()
