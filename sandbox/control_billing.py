"""The control calls that set up bills, orders and pay-per-use resources."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify

from .control_document import changed, read_document
from .sales import Bill, Order, Resource
from .settings import InvalidControl
from .state import State


def add_billing_calls(calls: Blueprint, state: State) -> None:
    """Add the control calls to the blueprint of all control calls."""

    @calls.put("/bills/<month>")
    def change_bill(month: str) -> Response:
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
            raise InvalidControl(f"{month!r} is no month such as 2026-10")
        bill = state.bills[month] = changed(state.bills.get(month, Bill()), read_document())
        return jsonify(asdict(bill))

    @calls.put("/orders/<order_id>")
    def change_order(order_id: str) -> Response:
        old = state.orders.get(order_id, Order())
        order = state.orders[order_id] = _owned(changed(old, read_document()))
        return jsonify(asdict(order))

    @calls.put("/resources/<resource_id>")
    def change_resource(resource_id: str) -> Response:
        old = state.resources.get(resource_id, Resource())
        resource = state.resources[resource_id] = _owned(changed(old, read_document()))
        return jsonify(asdict(resource))


def _owned(one: Any) -> Any:
    if not one.customer_id:
        raise InvalidControl("customer_id is missing")
    return one
