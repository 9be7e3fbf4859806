"""The control calls that set up customers, and the partner's credit."""

from __future__ import annotations

from dataclasses import asdict, fields

from flask import Blueprint, Response, jsonify

from .control_document import changed, read_document
from .customers import Account
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
