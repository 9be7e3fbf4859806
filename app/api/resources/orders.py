"""Orders, refunds and pay-per-use resources (api_order_00013, _00014, _00020; mqr_01002)."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from marshmallow import ValidationError, validates_schema

from app.api.authentication import check_filter, may_access
from app.api.blueprint import ResourceBlueprint
from app.api.lists import PageSchema
from app.api.queries import Choice, Customer, RequestTime
from app.api.reads import read, read_page
from app.billing.answers import (
    LIST_ORDERS,
    LIST_REFUNDS,
    LIST_RESOURCES,
    ORDER_STATUSES,
    SHOW_ORDER,
    OrderSchema,
    OrdersSchema,
    RefundsSchema,
    ResourcesSchema,
)
from app.errors import ErrorCode, GatewayError
from app.fields import Rule
from app.huawei.operation import Operation

_YEAR = timedelta(days=366)
_SPAN = Rule("SPAN", "must be at most a year after created_from")
_OLDEST_FIRST = "createTime"  # so that an order that comes meanwhile moves no page

blueprint = ResourceBlueprint(
    "orders",
    __name__,
    url_prefix="/v1",
    description="The customers' orders, refunds and pay-per-use resources",
)


class OrdersQuerySchema(PageSchema):
    """The filters of the orders."""

    customer_id = Customer(metadata={"description": "the orders of this customer"})
    status = Choice(
        "OrderStatus",
        {word: code for code, word in ORDER_STATUSES.items()},
        "the state of the order",
    )
    created_from = RequestTime(metadata={"description": "created at this time or later"})
    created_until = RequestTime(
        metadata={"description": "created at this time or earlier; at most a year later"}
    )

    @validates_schema
    def check_span(self, query: dict[str, Any], **_: Any) -> None:
        """Refuse more than the year that Huawei allows."""
        begin, end = query.get("created_from"), query.get("created_until")
        if begin and end and datetime.fromisoformat(end) - datetime.fromisoformat(begin) > _YEAR:
            raise ValidationError({"created_until": [_SPAN]})


@blueprint.read("/orders", OrdersSchema, "orders:read", OrdersQuerySchema, about_customers=False)
def list_orders(query: dict[str, Any]) -> Any:
    """List the orders of the partner's customers, the oldest first.

    A caller that is limited to some customers must name one of them in `customer_id`.
    """
    asked = query.get("customer_id")
    check_filter(asked)
    found = read_page(LIST_ORDERS, query, sorting=_OLDEST_FIRST)
    if asked:
        _check_customer(found["items"], asked, "orders")
    return found


@blueprint.read(
    "/orders/<order_id:order_id>",
    OrderSchema,
    "orders:read",
    None,
    ErrorCode.ORDER_NOT_FOUND,
    about_customers=False,
)
def get_order(order_id: str) -> Any:
    """Read an order.

    A caller that is limited to some customers gets ORDER_NOT_FOUND for an order of another.
    """
    found = _read_order(SHOW_ORDER.at(order_id=order_id))
    if found is None or not may_access(found["order"]["customer_id"]):
        raise GatewayError(ErrorCode.ORDER_NOT_FOUND)
    return found["order"]


@blueprint.read(
    "/customers/<customer_id:customer_id>/orders/<order_id:order_id>/refunds",
    RefundsSchema,
    "orders:read",
    None,
    ErrorCode.ORDER_NOT_FOUND,
)
def list_refunds(customer_id: str, order_id: str) -> Any:
    """List what an order gave back or charged.

    The order must cancel or downgrade a resource. All its amounts are in one answer.
    """
    found = _read_order(LIST_REFUNDS, customer_id=customer_id, order_id=order_id)
    # Huawei does not say whether it compares the customer with the order's.
    if found is None or any(one["customer_id"] != customer_id for one in found["items"]):
        raise GatewayError(ErrorCode.ORDER_NOT_FOUND)
    return found


@blueprint.read(
    "/customers/<customer_id:customer_id>/resources", ResourcesSchema, "orders:read", PageSchema
)
def list_resources(query: dict[str, Any], customer_id: str) -> Any:
    """List a customer's pay-per-use resources.

    Huawei updates this list with a delay, which differs between its services. Take it for an
    overview and not for billing.
    """
    found = read_page(LIST_RESOURCES, query, customer_id=customer_id)
    _check_customer(found["items"], customer_id, "resources")
    return found


def _check_customer(items: Iterable[Mapping[str, Any]], asked: str, noun: str) -> None:
    """Refuse an answer that is not about the customer of the request.

    Raises:
        GatewayError: UPSTREAM_MALFORMED.
    """
    if any(one["customer_id"] != asked for one in items):
        text = f"Huawei answered {noun} of other customers than the one that was asked for."
        raise GatewayError(ErrorCode.UPSTREAM_MALFORMED, text)


def _read_order(operation: Operation, **ours: str) -> Mapping[str, Any] | None:
    """Read what Huawei tells of an order; None if it knows no such order.

    An order of another customer gets the same answer, which therefore has no code of Huawei.
    """
    try:
        return read(operation, **ours)
    except GatewayError as error:
        if error.code is not ErrorCode.ORDER_NOT_FOUND:
            raise
        return None
