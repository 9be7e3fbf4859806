"""What customers bought, and what the partner owes for it: orders, resources and bills."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

# Codes of services, with the names of the service and its resource in English and in Chinese.
SERVICES = {
    "hws.service.type.ec2": (("Elastic Cloud Server", "弹性云服务器"), ("Cloud Host", "云主机")),
    "hws.service.type.ebs": (("Elastic Volume Service", "云硬盘"), ("Disk", "磁盘")),
}
RESOURCE_TYPES = {
    "hws.service.type.ec2": "hws.resource.type.vm",
    "hws.service.type.ebs": "hws.resource.type.volume",
}


def _names(service: str, english: bool) -> dict[str, str]:
    """The codes and the names of a service and its resource."""
    names = SERVICES.get(service, ((service, service), (service, service)))
    return {
        "service_type_code": service,
        "service_type_name": names[0][0 if english else 1],
        "resource_type_code": RESOURCE_TYPES.get(service, service),
        "resource_type_name": names[1][0 if english else 1],
    }


@dataclass(slots=True)
class Order:
    """One order. Amounts are texts of decimals; `paid` is empty if it is not paid.

    `refunds` has the amounts of an order that cancels or downgrades a resource.
    """

    customer_id: str = ""
    service: str = "hws.service.type.ec2"
    type: int = 1
    status: int = 5
    official: str = "100"
    amount: str = "80"
    coupons: str = "0"
    created: str = "2026-11-02T08:00:00Z"
    paid: str = "2026-11-02T08:01:00Z"
    region: str = "ap-southeast-1"
    refunds: list[str] = field(default_factory=list)
    user_name: str = "shop"

    def as_dict(self, order_id: str, *, english: bool) -> dict[str, Any]:
        """Return the order under Huawei's names."""
        names = _names(self.service, english)
        return {
            "order_id": order_id,
            "customer_id": self.customer_id,
            "service_type_code": self.service,
            "service_type_name": names["service_type_name"],
            "source_type": 1,
            "status": self.status,
            "order_type": self.type,
            "measure_id": 1,
            "create_time": self.created,
            "payment_time": self.paid or None,
            "contract_id": None,
            **self._amounts(),
        }

    def line(self, order_id: str, *, english: bool) -> dict[str, Any]:
        """Return the only line of the order."""
        names = _names(self.service, english)
        return {
            "order_line_item_id": f"{order_id}-000001",
            "order_id": order_id,
            "service_type_code": self.service,
            "service_type_name": names["service_type_name"],
            "product_id": "product-1",
            "product_spec_desc": names["resource_type_name"],
            "period_type": 2,
            "period_num": 1,
            "subscription_num": 1,
            **self._amounts(),
        }

    def refunds_as_dicts(self, *, english: bool) -> list[dict[str, Any]]:
        """Return the amounts that the order gave back or charged."""
        return [
            {
                "id": f"refund-{number}",
                "amount": Decimal(amount),
                "measure_id": "1",
                "customer_id": self.customer_id,
                **_names(self.service, english),
                "region_code": self.region,
                "base_order_id": None,
            }
            for number, amount in enumerate(self.refunds)
        ]

    def _amounts(self) -> dict[str, Any]:
        coupons = Decimal(self.coupons)
        return {
            "official_amount": Decimal(self.official),
            "amount_after_discount": Decimal(self.amount),
            "currency": "USD",
            "amount_info": {"discounts": [], "coupon_amount": coupons, "stored_card_amount": 0},
        }


@dataclass(slots=True)
class Resource:
    """One pay-per-use resource."""

    customer_id: str = ""
    name: str = "web-1"
    service: str = "hws.service.type.ec2"
    region: str = "ap-southeast-1"
    zone: str = "ap-southeast-1a"
    spec: str = "s6.large.2.linux"
    status: int = 1
    since: str = "2026-11-02T08:00:00Z"
    until: str = ""

    def as_dict(self, resource_id: str, *, english: bool) -> dict[str, Any]:
        """Return the resource under Huawei's names."""
        return {
            "customer_id": self.customer_id,
            "region_code": self.region,
            "availability_zone_code": self.zone,
            **_names(self.service, english),
            "resource_id": resource_id,
            "resource_name": self.name,
            "effective_time": self.since,
            "expire_time": self.until or None,
            "status": self.status,
            "resource_spec_code": self.spec,
            "resource_info": "{}",
            "product_spec_desc": self.spec,
        }


@dataclass(slots=True)
class Bill:
    """The sum of a month. Amounts are texts of decimals; those of the page's example."""

    consumed: str = "140"
    refunded: str = "-30"
    adjusted: str = "-20"
    tax: str = "10"

    def as_dict(self, month: str) -> dict[str, Any]:
        """Return the sum under Huawei's names."""
        parts = [Decimal(amount) for amount in (self.consumed, self.refunded, self.adjusted)]
        return {
            "bill_cycle": month,
            "initial_amount_due": sum(parts),
            "consume_amount": parts[0],
            "refunds": parts[1],
            "adjustments": parts[2],
            "tax_amount": Decimal(self.tax),
            "currency": "USD",
        }
