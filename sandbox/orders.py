"""Partner Center's orders, refunds and pay-per-use resources.

Sources: api_order_00013 (orders), api_order_00014 (one order), api_order_00020 (refunds),
mqr_01002 (pay-per-use resources).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from .calls import Answer, Call
from .fields import Check, FieldError, integer, text, texts, within
from .magic import magic_answer
from .partner_center import read
from .sales import Order, Resource
from .state import State
from .sub_customers import DEFAULT_PAGE, INDIRECT, MAX_PAGE

_TIME = "%Y-%m-%dT%H:%M:%SZ"
MAX_OFFSET = 2**31 - 1  # "a maximum integer"
YEAR = timedelta(days=366)
# The answer for an unknown order is from the page for China; so is that for another kind of order.
UNKNOWN_ORDER = "CBC.30000010"
NO_REFUND = "CBC.99005026"
NO_RIGHT = "CBC.99000000"


def _moment(name: str, value: Any) -> Any:
    """Check a time in a filter."""
    try:
        datetime.strptime(value, _TIME)
    except (TypeError, ValueError):
        raise FieldError(name, value, "is not a time") from None
    return value


_PAGE: Mapping[str, Check] = {"offset": within(0, MAX_OFFSET), "limit": within(1, MAX_PAGE)}
_STATUSES = (1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13)
ORDERS: Mapping[str, Check] = {
    "order_id": text(64),
    "customer_id": text(64),
    "create_time_begin": _moment,
    "create_time_end": _moment,
    "payment_time_begin": _moment,
    "payment_time_end": _moment,
    "service_type_code": text(64),
    "status": integer(*_STATUSES, digits=True),
    "order_type": text(2, r"\d+"),
    "order_by": text(11, "-?createTime"),
    "method": text(12, "oneself|sub_customer"),
    **_PAGE,
    **INDIRECT,
}
RESOURCES: Mapping[str, Check] = {
    "customer_id": text(64),
    "region_code": text(64),
    "service_type_code": text(64),
    "resource_ids": texts(50, 64),
    "effective_time_begin": _moment,
    "effective_time_end": _moment,
    "status": integer(1, 2, 3, 4, 5, 6),
    **_PAGE,
    **INDIRECT,
}


def in_english(call: Call) -> bool:
    """Whether a call asks for names in English. Without the header they are Chinese."""
    return call.headers.get("x-language") == "en_US"


def orders(state: State, call: Call) -> Answer:
    """Answer a page of the orders of all customers, or of one."""

    def serve(state: State, asked: Mapping[str, Any]) -> Mapping[str, Any] | str:
        for name in ("create_time", "payment_time"):
            if _span(asked, name) > YEAR:
                return "CBC.0100"
        found = [entry for entry in state.orders.items() if _matches(*entry, asked)]
        # The order of the list is not documented without `order_by`.
        newest = asked.get("order_by", "-createTime") == "-createTime"
        found.sort(key=lambda entry: entry[1].created, reverse=newest)
        infos = [order.as_dict(one, english=in_english(call)) for one, order in _cut(found, asked)]
        return {"total_count": len(found), "order_infos": infos}

    return read(state, call, serve, ORDERS, tuple(ORDERS))


def order(state: State, call: Call) -> Answer:
    """Answer one order and its lines."""
    order_id = unquote(call.path).rpartition("/")[2]

    def serve(state: State, asked: Mapping[str, Any]) -> Mapping[str, Any] | str:
        found = state.orders.get(order_id)
        if found is None:
            return UNKNOWN_ORDER
        lines = _cut([found.line(order_id, english=in_english(call))], asked)
        info = found.as_dict(order_id, english=in_english(call)) | {"user_name": found.user_name}
        return {"total_count": 1, "order_info": info, "order_line_items": lines}

    magic = magic_answer(order_id, call.request_id, default_status=400)
    return magic or read(state, call, serve, {**_PAGE, **INDIRECT}, (*_PAGE, *INDIRECT))


def refunds(state: State, call: Call) -> Answer:
    """Answer the amounts of an order that cancels or downgrades a resource."""

    def serve(state: State, asked: Mapping[str, Any]) -> Mapping[str, Any] | str:
        found = state.orders.get(asked["order_id"])
        if found is None or found.customer_id != asked["customer_id"] or not found.refunds:
            return NO_REFUND
        infos = found.refunds_as_dicts(english=in_english(call))
        return {"total_count": len(infos), "refund_infos": infos}

    fields = {"order_id": text(64), "customer_id": text(64), **INDIRECT}
    return read(state, call, serve, fields, tuple(INDIRECT))


def resources(state: State, call: Call) -> Answer:
    """Answer a page of a customer's pay-per-use resources."""

    def serve(state: State, asked: Mapping[str, Any]) -> Mapping[str, Any] | str:
        customer = state.customers.get(asked["customer_id"])
        if customer is None or customer.associated(state.clock.now()) is None:
            return NO_RIGHT
        found = [
            resource.as_dict(resource_id, english=in_english(call))
            for resource_id, resource in state.resources.items()
            if _runs(resource_id, resource, asked)
        ]
        return {"total_count": len(found), "resources": _cut(found, asked)}

    return read(state, call, serve, RESOURCES, tuple(RESOURCES.keys() - {"customer_id"}))


def _cut(found: Sequence[Any], asked: Mapping[str, Any]) -> Sequence[Any]:
    begin = asked.get("offset", 0)
    return found[begin : begin + asked.get("limit", DEFAULT_PAGE)]


def _span(asked: Mapping[str, Any], name: str) -> timedelta:
    begin, end = asked.get(f"{name}_begin"), asked.get(f"{name}_end")
    if begin is None or end is None:
        return timedelta(0)
    return datetime.strptime(end, _TIME) - datetime.strptime(begin, _TIME)


def _matches(order_id: str, order: Order, asked: Mapping[str, Any]) -> bool:
    same_id = asked.get("order_id", order_id).lower() == order_id.lower()
    return bool(
        same_id  # "Order IDs are case insensitive."
        and asked.get("customer_id", order.customer_id) == order.customer_id
        and asked.get("status", order.status) == order.status
        and asked.get("order_type", str(order.type)) == str(order.type)
        and asked.get("service_type_code", order.service) == order.service
        and asked.get("create_time_begin", "") <= order.created
        and order.created <= asked.get("create_time_end", "9")
        and asked.get("payment_time_begin", "") <= order.paid
        and order.paid <= asked.get("payment_time_end", "9")
    )


def _runs(resource_id: str, resource: Resource, asked: Mapping[str, Any]) -> bool:
    return (
        resource.customer_id == asked["customer_id"]
        and resource_id in asked.get("resource_ids", (resource_id,))
        and asked.get("region_code", resource.region) == resource.region
        and asked.get("service_type_code", resource.service) == resource.service
        and asked.get("status", resource.status) == resource.status
        and asked.get("effective_time_begin", "") <= resource.since
        and resource.since <= asked.get("effective_time_end", "9")
    )
