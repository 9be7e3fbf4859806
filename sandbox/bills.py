"""Partner Center's sums of the partner's bills (mb_00003)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from .calls import Answer, Call
from .fields import text
from .partner_center import read
from .sales import Bill
from .state import State

BEIJING = timezone(timedelta(hours=8))
_MONTH = r"\d{4}-(0[1-9]|1[0-2])"


def is_ready(month: str, now: float) -> bool:
    """Whether the bill of a month exists: from the 5th of the next month on, 12:00 in Beijing."""
    begin = datetime.strptime(month, "%Y-%m").replace(tzinfo=BEIJING)
    following = (begin + timedelta(days=31)).replace(day=5, hour=12)
    return now >= following.timestamp()


def show(state: State, call: Call) -> Answer:
    """Answer the sum of a month. The answer for a month without a bill is a setting."""

    def serve(state: State, asked: Mapping[str, Any]) -> Mapping[str, Any] | str:
        month = asked["bill_cycle"]
        if not is_ready(month, state.clock.now()):
            return state.settings.no_bill_code
        return state.bills.get(month, Bill()).as_dict(month)

    return read(state, call, serve, {"bill_cycle": text(10, _MONTH)})
