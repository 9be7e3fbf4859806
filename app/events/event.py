"""An event: something that ended or was reached, in ids and words only."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self


class EventType(StrEnum):
    """The type of an event."""

    VERIFICATION_ENDED = "VERIFICATION_ENDED"
    CUSTOMER_ASSOCIATED = "CUSTOMER_ASSOCIATED"
    BUDGET_USED = "BUDGET_USED"
    CREDIT_USED = "CREDIT_USED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event. It holds nothing personal.

    Args:
        type: Its type.
        account: The account, by its name in the configuration.
        occurred_at: When the gateway saw it, in UTC.
        customer_id: The customer; empty for an event of the whole account.
        kind: The kind of the verification that ended.
        status: The status in which the verification ended.
        percent: The percentage of the budget or credit that was reached; 0 for other types.
    """

    type: EventType
    account: str
    occurred_at: datetime
    customer_id: str = ""
    kind: str = ""
    status: str = ""
    percent: int = 0

    def dump(self) -> bytes:
        """The event as bytes."""
        members = asdict(self) | {"occurred_at": self.occurred_at.timestamp()}
        given = {name: value for name, value in members.items() if value not in ("", 0)}
        return json.dumps(given, separators=(",", ":")).encode()

    @classmethod
    def load(cls, dumped: bytes | None) -> Self | None:
        """The event of the bytes; None if they hold no event that this version knows.

        Members that it does not know are ignored: a newer version may run beside this one.
        """
        known = [field.name for field in fields(cls)]
        try:
            found = json.loads(dumped or b"")
            members = {name: found[name] for name in known if name in found}
            members["type"] = EventType(members["type"])
            members["occurred_at"] = datetime.fromtimestamp(members["occurred_at"], UTC)
            return cls(**members)
        except (ValueError, TypeError, KeyError):
            return None


Visible = Callable[[Event], bool]  # whether a reader sees an event
