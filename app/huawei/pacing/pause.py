"""After how many seconds a failed call may be repeated, by Huawei's word or by ours."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from app.errors import ErrorCode
from app.huawei.credentials.signing import utc_now

LONGEST_PAUSE = 3600.0  # seconds, whatever upstream asks for

# Theirs are kept to by the gateway's own retries as well; after the others these jitter.
_OURS = frozenset({ErrorCode.ACCESS_KEY_LOCKED, ErrorCode.UPSTREAM_THROTTLED})


def pause(
    code: ErrorCode, headers: Mapping[str, str], now: Callable[[], datetime] = utc_now
) -> float | None:
    """Seconds after which a repeat makes sense; None where the catalogue's pause is good enough.

    Huawei's `Retry-After` counts, as seconds or as an HTTP date (RFC 9110, 10.2.3), from 0 to
    LONGEST_PAUSE. Only the lock of an access key has a length of its own.

    Args:
        code: What the call ended in.
        headers: Of the answer, with names in lower case.
        now: The clock against which a date is read.
    """
    if code.pause is None:
        return None
    said = None
    if code is not ErrorCode.ACCESS_KEY_LOCKED:
        said = _seconds(headers.get("retry-after", ""), now)
    if said is not None:
        return min(max(0.0, said), LONGEST_PAUSE)
    return code.pause if code in _OURS else None


def _seconds(text: str, now: Callable[[], datetime]) -> float | None:
    if not text.isascii():
        return None
    if text.isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if date.tzinfo is None:  # said to be of no zone in particular
        date = date.replace(tzinfo=UTC)
    return (date - now()).total_seconds()
