"""Partner Center's list of the customers of a partner, and the partner's credit.

Sources: mc_00021 (customers), cq_001 (the partner's credit).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .calls import Answer, Call
from .customers import Account, Customer
from .fields import Check, text, within
from .partner_center import read
from .state import State

MAX_PAGE = 100  # PC:mc_00021; the row of the international page is cut
DEFAULT_PAGE = 10
MAX_OFFSET = 40_000_000

INDIRECT: Mapping[str, Check] = {"indirect_partner_id": text(64)}
PAGE: Mapping[str, Check] = {"offset": within(0, MAX_OFFSET), "limit": within(1, MAX_PAGE)}
FILTERS: Mapping[str, Check] = {
    **INDIRECT,
    **PAGE,
    "account_name": text(64),
    "customer": text(64),
    "label": text(64),
    "association_type": text(1, "[13]"),
    "associated_on_begin": text(20),
    "associated_on_end": text(20),
    "customer_id": text(64),
}


def customers(state: State, call: Call) -> Answer:
    """Answer a page of the partner's customers, the oldest association first."""
    return read(state, call, _customers, FILTERS, tuple(FILTERS))


def credit(state: State, call: Call) -> Answer:
    """Answer the partner's credit, in texts."""
    return read(state, call, lambda state, _: state.credit.as_dict(), {})


def _customers(state: State, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    now = state.clock.now()
    found = [
        (customer_id, customer, account)
        for customer_id, customer in state.customers.items()
        if (account := _listed(state, customer, now)) and _matches(customer_id, account, asked)
    ]
    begin, limit = asked.get("offset", 0), asked.get("limit", DEFAULT_PAGE)
    infos = [_info(*entry, now) for entry in found[begin : begin + limit]]
    return {"count": len(found), "customer_infos": infos}


def _listed(state: State, customer: Customer, now: float) -> Account | None:
    return customer.account if state.settings.pending_listed else customer.associated(now)


def _matches(customer_id: str, account: Account, asked: Mapping[str, Any]) -> bool:
    return (
        asked.get("customer_id", customer_id) == customer_id
        # "Fuzzy": the front, the middle or the end of the name.
        and asked.get("account_name", "") in account.name
        and asked.get("customer", "") in account.person
        and asked.get("association_type", account.association) == account.association
        and asked.get("associated_on_begin", "") <= account.associated_on
        and account.associated_on <= asked.get("associated_on_end", "9")
    )


def _info(customer_id: str, customer: Customer, account: Account, now: float) -> dict[str, Any]:
    kind = customer.verified_kind(now)
    review = customer.review.status(now) if customer.review else None
    verified = "2" if kind is not None else {"in_review": "0", "rejected": "1"}.get(review or "")
    return {
        "customer": account.person,
        "account_name": account.name,
        "customer_id": customer_id,
        "associated_on": account.associated_on if customer.associated(now) else "",
        "association_type": account.association,
        "label": "",
        "telephone": account.phone,
        "verified_status": verified or "-1",
        "country_code": account.country,
        "customer_type": -1 if kind is None else kind,
        "is_frozen": int(account.frozen),
        "account_managers": [],
        "xaccount_id": account.xaccount_id,
        "xaccount_type": "",
        "customer_level": "V0",
        "email": account.email,
    }
