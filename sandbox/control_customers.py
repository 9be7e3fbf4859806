"""The control calls that set up customers, and the partner's credit."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from flask import Blueprint, Response, jsonify

from .control_document import changed, read_document
from .customers import Account, Review
from .settings import InvalidControl
from .state import State
from .times import utc


def add_customer_calls(calls: Blueprint, state: State) -> None:
    """Add the control calls to the blueprint of all control calls."""

    @calls.put("/customers/<path:customer_id>")
    def associate(customer_id: str) -> Response:
        customer = state.customer(customer_id)
        account = customer.account or Account(name=f"account-{len(state.customers)}")
        document = read_document(*(field.name for field in fields(Account)))
        if "budget" in document:
            document["budget"] = changed(account.budget, document["budget"])
        now = state.clock.now()
        customer.account = changed(account, document)
        customer.account.freeze_when_exceeded()
        if customer.associated(now) is None:
            customer.associates_at = now
            customer.account.associated_on = utc(now)
        return jsonify(customer.as_dict(now))

    @calls.post("/customers")
    def associate_many() -> Response:
        _associate_many(state, **read_document("customer_ids", "in_review"))
        return jsonify({})

    @calls.delete("/customers/<path:customer_id>")
    def forget_customer(customer_id: str) -> Response:
        state.customers.pop(customer_id, None)
        return jsonify({})

    @calls.get("/mails")
    def list_mails() -> Response:
        return jsonify([asdict(mail) for mail in state.mails])

    @calls.put("/credit")
    def change_credit() -> Response:
        state.credit = changed(state.credit, read_document())
        return jsonify(state.credit.as_dict())


def _associate_many(state: State, customer_ids: Any = None, in_review: bool = False) -> None:
    known = isinstance(customer_ids, list) and all(isinstance(one, str) for one in customer_ids)
    if not known:
        raise InvalidControl("customer_ids must be a list of texts")
    for customer_id in customer_ids:
        customer = state.customer(customer_id)
        customer.account = customer.account or Account(name=f"account-{len(state.customers)}")
        if in_review:
            customer.review = Review(kind=0, ends_at=None)
