"""The control calls that set up customers, and the partner's credit."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import Any, TypeVar

from flask import Blueprint, Response, jsonify

from .control_document import read_document
from .customers import Account, Budget, Credit
from .settings import InvalidControl
from .state import State
from .times import utc

T = TypeVar("T", Account, Budget, Credit)


def add_customer_calls(calls: Blueprint, state: State) -> None:
    """Add the control calls to the blueprint of all control calls."""

    @calls.put("/customers/<path:customer_id>")
    def associate(customer_id: str) -> Response:
        customer = state.customer(customer_id)
        account = customer.account or Account(name=f"account-{len(state.customers)}")
        document = read_document(*(field.name for field in fields(Account)))
        if "budget" in document:
            document["budget"] = _changed(account.budget, document["budget"])
        now = state.clock.now()
        customer.account = _changed(account, document)
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
        state.credit = _changed(state.credit, read_document())
        return jsonify(state.credit.as_dict())


def _changed(one: T, document: Any) -> T:
    if not isinstance(document, dict):
        raise InvalidControl("a JSON object is expected")
    known = {field.name: type(getattr(one, field.name)) for field in fields(one)}
    for name, value in document.items():
        if not isinstance(value, known.get(name, ())):
            raise InvalidControl(f"{name} cannot be {value!r}")
    return replace(one, **document)
