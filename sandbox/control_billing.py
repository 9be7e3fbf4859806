"""The control calls that set up bills, orders and pay-per-use resources."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify

from . import bill_files
from .control_document import changed, read_document
from .sales import Bill, Order, Resource
from .settings import BUCKET, InvalidControl, is_integer
from .state import State, Stored


def add_billing_calls(calls: Blueprint, state: State) -> None:
    """Add the control calls to the blueprint of all control calls."""

    @calls.put("/bills/<month>")
    def change_bill(month: str) -> Response:
        old = state.bills.get(_month(month), Bill())
        bill = state.bills[month] = changed(old, read_document())
        return jsonify(asdict(bill))

    @calls.put("/bill-files/<month>")
    def generate_bill_file(month: str) -> Response:
        document = read_document("lines", "customers", "encoding")
        lines, customers = document.get("lines", 1000), document.get("customers", 10)
        encoding = document.get("encoding", "utf-8")
        if not (is_integer(lines) and lines >= 0 and is_integer(customers) and customers > 0):
            raise InvalidControl("lines and customers must be positive integers")
        if encoding not in ("utf-8", "utf-8-sig", "gb18030"):
            raise InvalidControl("encoding must be utf-8, utf-8-sig or gb18030")
        content, total = bill_files.generate(_month(month), lines, customers, encoding)
        key, now = bill_files.key(month), state.clock.now()
        state.buckets[BUCKET][key] = Stored(content, "application/gzip", f'"{month}"', now)
        return jsonify(key=key, size=len(content), amount=str(total))

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


def _month(month: str) -> str:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise InvalidControl(f"{month!r} is not a month such as 2026-10")
    return month


def _owned(one: Any) -> Any:
    if not one.customer_id:
        raise InvalidControl("customer_id is missing")
    return one
