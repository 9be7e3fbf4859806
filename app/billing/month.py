"""The month of a bill, and the time from which Huawei has that bill."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Self

from app.errors import ErrorCode, GatewayError, Retry
from app.fields import Rule

# Huawei bills by months of GMT+8 (en-us_topic_0075766915). Beijing has no summer time.
TRIES = 5  # days on which Huawei tries to upload a file (mb_00002)
BEIJING = timezone(timedelta(hours=8))
MONTH = "2[0-9]{3}-(0[1-9]|1[0-2])"
_FORM = Rule("MONTH", "must be a month such as 2026-10")
_FUTURE = Rule("FUTURE_MONTH", "must not be a month that has not begun in Beijing")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in Beijing. Its text is `YYYY-MM`.

    Args:
        year: The year, from 2000 to 2999.
        number: The month of the year, from 1 to 12.
    """

    year: int
    number: int

    def __str__(self) -> str:
        """The month as `YYYY-MM`, as callers and Huawei write it."""
        return f"{self.year}-{self.number:02d}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The month that a text names.

        Raises:
            GatewayError: VALIDATION_FAILED if the text is not `YYYY-MM`.
        """
        if not re.fullmatch(MONTH, text):
            raise _refusal(_FORM)
        year, number = text.split("-")
        return cls(int(year), int(number))

    @classmethod
    def at(cls, now: float) -> Self:
        """The month in Beijing at a time, in seconds since 1970."""
        time = datetime.fromtimestamp(now, BEIJING)
        return cls(time.year, time.month)

    @property
    def compact(self) -> str:
        """The month as `YYYYMM`, as the names of Huawei's bill files hold it."""
        return f"{self.year}{self.number:02d}"

    @property
    def billed_at(self) -> datetime:
        """The time by which Huawei has the bill: the 5th of the following month, 12:00 in Beijing.

        The pages of the sum and of the files name the same time (mb_00003, mb_00002).
        """
        year, month = divmod(self.year * 12 + self.number, 12)
        return datetime(year, month + 1, 5, 12, tzinfo=BEIJING)


def begun(text: str, now: float) -> Month:
    """The month that a text names, if it has begun.

    Args:
        text: The month as `YYYY-MM`.
        now: The time, in seconds since 1970.

    Raises:
        GatewayError: VALIDATION_FAILED if the text is not a month that has begun.
    """
    month = Month.parse(text)
    if month > Month.at(now):
        raise _refusal(_FUTURE)
    return month


def billed(text: str, now: float) -> Month:
    """The month that a text names, if Huawei should have its bill.

    Args:
        text: The month as `YYYY-MM`.
        now: The time, in seconds since 1970.

    Raises:
        GatewayError: as `begun`; BILL_NOT_READY, with the seconds until Huawei should have the
            bill.
    """
    month = begun(text, now)
    if month.billed_at.timestamp() > now:
        raise absent(month, now)
    return month


def absent(month: Month, now: float) -> GatewayError:
    """The failure BILL_NOT_READY for a month, with the seconds until the next time to ask.

    That is the time by which Huawei should have the bill. After it, Huawei uploads a file that it
    could not upload on the following days, up to five times (mb_00002); after these, only the
    operator can ask Huawei for it.

    Args:
        month: The month.
        now: The time, in seconds since 1970.
    """
    ready = month.billed_at
    if ready.timestamp() > now:
        detail = f"Huawei has the bill of this month at {_utc(ready)} at the latest."
        return GatewayError(ErrorCode.BILL_NOT_READY, detail, retry_after=ready.timestamp() - now)
    late = int((now - ready.timestamp()) // 86400)
    detail = f"The file should have come at {_utc(ready)}. "
    if late < TRIES - 1:
        again = ready + timedelta(days=late + 1)
        detail += f"Huawei tries again on the following days, next until {_utc(again)}."
        return GatewayError(ErrorCode.BILL_NOT_READY, detail, retry_after=again.timestamp() - now)
    detail += "Huawei tries no more: the operator must ask Huawei for the file."
    return GatewayError(ErrorCode.BILL_NOT_READY, detail, retry=Retry.CONTACT_OPERATOR)


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _refusal(rule: Rule) -> GatewayError:
    return GatewayError(ErrorCode.VALIDATION_FAILED, errors=(rule.of("month"),))
