"""Which events a caller sees: the one rule for the feed and for webhooks."""

import re
from collections.abc import Collection

from app.events.event import Event, Visible
from app.settings import CallerSettings


def visible_to(
    caller: CallerSettings, accounts: Collection[str], types: Collection[str]
) -> Visible:
    """Whether a caller sees an event.

    A caller that is limited to some customers sees no event of a whole account.

    Args:
        caller: The caller.
        accounts: Those of its accounts that it asks for.
        types: The types of events that it asks for.
    """
    allowed = frozenset(accounts) & frozenset(caller.accounts)

    def visible(event: Event) -> bool:
        if event.type not in types or event.account not in allowed:
            return False
        if caller.customers is None:
            return True
        return bool(event.customer_id and re.fullmatch(caller.customers, event.customer_id))

    return visible
