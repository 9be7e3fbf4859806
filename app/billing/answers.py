"""What Huawei tells of bills, orders, refunds and running resources.

The pages: mb_00003 (bills), api_order_00013 (orders), api_order_00014 (one order), api_order_00020
(refunds), mqr_01002 (pay-per-use resources).
"""

from app.answers import Answer, Count, Items, Money, Page, Part, Text, When, Word
from app.errors import ErrorCode
from app.huawei.operation import Operation

ORDER_STATUSES = {
    "5": "COMPLETED",
    "1": "PENDING_APPROVAL",
    "2": "PENDING_REFUND",
    "3": "PROCESSING",
    "4": "CANCELLED",
    "6": "PENDING_PAYMENT",
    "9": "TO_BE_CONFIRMED",
    "10": "TO_BE_SHIPPED",
    "11": "TO_BE_RECEIVED",
    "12": "PICK_UP",
    "13": "EXCHANGE",
}
ORDER_TYPES = {
    "1": "SUBSCRIBE",
    "2": "RENEW",
    "3": "CHANGE",
    "4": "UNSUBSCRIBE",
    "10": "TO_PAY_PER_USE",
    "11": "TO_YEARLY_MONTHLY",
    "13": "TRIAL",
    "14": "TRIAL_TO_COMMERCIAL",
    "15": "ADJUSTMENT",
}
RESOURCE_STATUSES = {
    "1": "NORMAL",
    "2": "GRACE_PERIOD",
    "3": "FROZEN",
    "4": "CHANGING",
    "5": "CLOSING",
    "6": "CLOSED",
}
MEASURES = {"1": "USD"}
_CUSTOMER = "06a7969058802f0c0f01c00b91846780"
_ORDERS = "/v2/orders/customer-orders"


class BillSchema(Answer):
    """The sum of the partner's bill of a month."""

    month = Text("bill_cycle", "2026-10", "a calendar month in Beijing (GMT+8)")
    due = Money("initial_amount_due", "90.00", "consumed + refunded + adjusted")
    consumed = Money("consume_amount", "140.00")
    refunded = Money("refunds", "-30.00", "what Huawei gives back: negative")
    adjusted = Money("adjustments", "-20.00", "such as a debt that Huawei wrote off")
    tax = Money("tax_amount", "10.00", "the tax, which Huawei does not count in `due`")
    currency = Text("currency", "USD")


class OrderSchema(Answer):
    """An order of a customer."""

    order_id = Text("order_id", "CS2611021029GQ3WU")
    customer_id = Text("customer_id", _CUSTOMER)
    type = Word("order_type", ORDER_TYPES)
    status = Word("status", ORDER_STATUSES)
    service = Text("service_type_name", "Elastic Cloud Server", "its English name", optional=True)
    list_amount = Money("official_amount", "100.00", "before discounts")
    amount = Money("amount_after_discount", "80.00", "after discounts")
    coupons = Money("amount_info.coupon_amount", "0", "what coupons paid", optional=True)
    currency = Text("currency", "USD")
    created_at = When("create_time", "2026-11-02T08:00:00Z")
    paid_at = When("payment_time", "2026-11-02T08:01:00Z", optional=True)


class OrdersSchema(Page):
    """A page of the orders of the partner's customers."""

    items = Items("order_infos", OrderSchema)
    total = Count("total_count", 1)


class FoundOrderSchema(Answer):
    """The order that a search by its id finds."""

    order = Part("order_info", OrderSchema)


class RefundSchema(Answer):
    """An amount that an order gave back or charged."""

    refund_id = Text("id", "5a4b3c2d1e0f")
    customer_id = Text("customer_id", _CUSTOMER)
    amount = Money("amount", "-12.34", "negative: given back; positive: consumed, or a fee")
    currency = Word("measure_id", MEASURES)
    service = Text("service_type_name", "Elastic Cloud Server", "its English name", optional=True)
    type = Text("resource_type_name", "Cloud Host", "its English name", optional=True)
    region = Text("region_code", "ap-southeast-1")
    original_order_id = Text("base_order_id", "CS2605021029GQ3WU", optional=True)


class RefundsSchema(Answer):
    """The amounts that an order gave back or charged."""

    items = Items("refund_infos", RefundSchema)
    total = Count("total_count", 1)


class ResourceSchema(Answer):
    """A pay-per-use resource of a customer."""

    customer_id = Text("customer_id", _CUSTOMER)
    resource_id = Text("resource_id", "f3a1c2d4-2f0c-4d3c-9f0e-8c2a6f1f7a10")
    name = Text("resource_name", "web-1", "the customer's name for it", optional=True)
    service = Text("service_type_name", "Elastic Cloud Server", "its English name", optional=True)
    type = Text("resource_type_name", "Cloud Host", "its English name", optional=True)
    region = Text("region_code", "ap-southeast-1")
    zone = Text("availability_zone_code", "ap-southeast-1a", optional=True)
    status = Word("status", RESOURCE_STATUSES)
    spec = Text("resource_spec_code", "s6.large.2.linux", optional=True)
    since = When("effective_time", "2026-11-02T08:00:00Z")
    until = When("expire_time", "2027-11-02T08:00:00Z", optional=True)


class ResourcesSchema(Page):
    """A page of a customer's pay-per-use resources."""

    items = Items("resources", ResourceSchema)
    total = Count("total_count", 1)


SHOW_BILL = Operation.read(
    "GET /v2/bills/partner-bills/postpaid-bill-summary", "show_bill", BillSchema, month="bill_cycle"
)
LIST_ORDERS = Operation.read(
    f"GET {_ORDERS}",
    "list_orders",
    OrdersSchema,
    english=True,
    customer_id="customer_id",
    status="status",
    created_from="create_time_begin",
    created_until="create_time_end",
    sorting="order_by",
)
# The codes of an unknown order are from the pages for China.
SHOW_ORDER = Operation.read(
    f"GET {_ORDERS}/details/{{order_id}}",
    "show_order",
    FoundOrderSchema,
    errors={"CBC.30000010": ErrorCode.ORDER_NOT_FOUND},
    english=True,
)
LIST_REFUNDS = Operation.read(
    f"GET {_ORDERS}/refund-orders",
    "list_refunds",
    RefundsSchema,
    errors={"CBC.99005026": ErrorCode.ORDER_NOT_FOUND},
    english=True,
    order_id="order_id",
    customer_id="customer_id",
)
LIST_RESOURCES = Operation.read(
    "POST /v2/partners/sub-customers/on-demand-resources/query",
    "list_resources",
    ResourcesSchema,
    english=True,
    customer_id="customer_id",
)
