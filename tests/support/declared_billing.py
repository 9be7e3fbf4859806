"""The declared reads of bills, orders and resources."""

from __future__ import annotations

from typing import Any

from tests.support.declared_row import Row

RESOURCES = "/v2/partners/sub-customers/on-demand-resources/query"
ORDER_INFO: dict[str, Any] = {
    "order_id": "CS1",
    "customer_id": "cust-1",
    "service_type_code": "hws.service.type.ec2",
    "service_type_name": "Elastic Cloud Server",
    "status": 6,
    "order_type": 11,
    "official_amount": 100.5,
    "amount_after_discount": 80.00000001,
    "amount_info": {"coupon_amount": 0, "stored_card_amount": 0},
    "currency": "USD",
    "create_time": "2026-11-02T08:00:00Z",
    "payment_time": None,
}
ORDER: dict[str, Any] = {
    "order_id": "CS1",
    "customer_id": "cust-1",
    "type": "TO_YEARLY_MONTHLY",
    "status": "PENDING_PAYMENT",
    "service": "Elastic Cloud Server",
    "list_amount": "100.5",
    "amount": "80.00000001",
    "coupons": "0",
    "currency": "USD",
    "created_at": "2026-11-02T08:00:00Z",
}
ORDERS = "/v2/orders/customer-orders"
ROWS = [
    Row(
        "show_bill",
        "/v1/partner/bills/2020-12",
        "/v2/bills/partner-bills/postpaid-bill-summary?bill_cycle=2020-12",
        {
            "bill_cycle": "2020-12",
            "initial_amount_due": 90.12345678,
            "consume_amount": 140.12345678,
            "refunds": -30,
            "adjustments": -20,
            "tax_amount": "10.00",
            "currency": "USD",
        },
        {
            "month": "2020-12",
            "due": "90.12345678",
            "consumed": "140.12345678",
            "refunded": "-30",
            "adjusted": "-20",
            "tax": "10.00",
            "currency": "USD",
        },
    ),
    Row(
        "list_orders",
        "/v1/orders?customer_id=cust-1&limit=1&status=PENDING_PAYMENT"
        "&created_from=2026-11-02T09:00:00%2B08:00&created_until=2027-11-02T01:00:00Z",
        f"{ORDERS}?create_time_begin=2026-11-02T01%3A00%3A00Z"
        "&create_time_end=2027-11-02T01%3A00%3A00Z&customer_id=cust-1&limit=1&offset=0"
        "&order_by=createTime&status=6",
        {"total_count": 2, "order_infos": [ORDER_INFO]},
        {"items": [ORDER], "total": 2, "next": "YWZ0ZXI6MQ=="},
    ),
    Row(
        "show_order",
        "/v1/orders/CS1",
        f"{ORDERS}/details/CS1",
        {"order_info": ORDER_INFO | {"user_name": "LI SI"}},
        ORDER,
        about_one=True,
    ),
    Row(
        "list_refunds",
        "/v1/customers/cust-1/orders/CS1/refunds",
        f"{ORDERS}/refund-orders?customer_id=cust-1&order_id=CS1",
        {
            "total_count": 1,
            "refund_infos": [
                {
                    "id": "refund-1",
                    "amount": -12.34,
                    "measure_id": "1",
                    "customer_id": "cust-1",
                    "service_type_name": "Elastic Cloud Server",
                    "resource_type_name": "Cloud Host",
                    "region_code": "ap-southeast-1",
                    "base_order_id": "CS0",
                }
            ],
        },
        {
            "total": 1,
            "items": [
                {
                    "refund_id": "refund-1",
                    "customer_id": "cust-1",
                    "amount": "-12.34",
                    "currency": "USD",
                    "service": "Elastic Cloud Server",
                    "type": "Cloud Host",
                    "region": "ap-southeast-1",
                    "original_order_id": "CS0",
                }
            ],
        },
    ),
    Row(
        "list_resources",
        "/v1/customers/cust-1/resources",
        RESOURCES,
        {
            "total_count": 1,
            "resources": [
                {
                    "customer_id": "cust-1",
                    "resource_id": "vm-1",
                    "resource_name": "web-1",
                    "service_type_name": "Elastic Cloud Server",
                    "resource_type_name": "Cloud Host",
                    "region_code": "ap-southeast-1",
                    "availability_zone_code": "",
                    "status": 2,
                    "resource_spec_code": "s6.large.2.linux",
                    "effective_time": "2026-11-02T08:00:00Z",
                    "expire_time": None,
                }
            ],
        },
        {
            "total": 1,
            "items": [
                {
                    "customer_id": "cust-1",
                    "resource_id": "vm-1",
                    "name": "web-1",
                    "service": "Elastic Cloud Server",
                    "type": "Cloud Host",
                    "region": "ap-southeast-1",
                    "status": "GRACE_PERIOD",
                    "spec": "s6.large.2.linux",
                    "since": "2026-11-02T08:00:00Z",
                }
            ],
        },
        {"customer_id": "cust-1", "limit": 50, "offset": 0},
    ),
]
