"""Reads a customer and what still keeps it from buying, and waits until that changes."""

import threading
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.customers.answers import FIND_CUSTOMER, SHOW_BUDGET
from app.customers.recent import Recent
from app.errors import ErrorCode, Fault, GatewayError
from app.huawei.pacing.deadline import Errand
from app.huawei.pacing.polling import poll
from app.huawei.pacing.single_flight import SingleFlight
from app.huawei.partner_center import PartnerCenter

PENDING = 5.0  # seconds until another look for a new customer; Huawei publishes no duration

Customer = Mapping[str, Any]


def find_customer(
    partner_center: PartnerCenter, customer_id: str, errand: Errand
) -> Customer | None:
    """The customer as Huawei lists it now, without its requirements; None if it is not listed.

    Args:
        partner_center: Partner Center.
        customer_id: The customer.
        errand: For whom, and until when.

    Raises:
        GatewayError: the failure of the call.
    """
    listed = partner_center.read(FIND_CUSTOMER, errand, customer_id=customer_id)["items"]
    return next((one for one in listed if one["customer_id"] == customer_id), None)


class CustomerReads:
    """The reads of one account's customers.

    Args:
        partner_center: Partner Center.
        recent: Knows the customers that were created lately.
        draining: Is set when the gateway is about to end.
    """

    def __init__(
        self, partner_center: PartnerCenter, recent: Recent, draining: threading.Event
    ) -> None:
        self._partner_center = partner_center
        self._recent = recent
        self._draining = draining
        self._flight = SingleFlight()

    def read(self, customer_id: str, errand: Errand, wait: float = 0) -> Customer:
        """Read a customer with its requirements; identical reads share their calls.

        Args:
            customer_id: The customer.
            errand: For whom, and until when.
            wait: Seconds to wait, while there is a requirement or no such customer, until the
                answer changes.

        Raises:
            GatewayError: CUSTOMER_NOT_FOUND, ASSOCIATION_PENDING if the gateway created the
                customer lately, or the failure of a call.
        """
        found = poll(
            lambda within: self._read_once(customer_id, within),
            lambda first, last: last == first and (last is None or bool(last["requirements"])),
            errand,
            wait,
            self._draining,
        )
        if found is None and self._recent.has(customer_id):
            raise GatewayError(ErrorCode.ASSOCIATION_PENDING, retry_after=PENDING)
        if found is None:
            text = "Huawei lists no such customer. A new customer is listed once it is associated."
            raise GatewayError(ErrorCode.CUSTOMER_NOT_FOUND, text)
        return found

    def _read_once(self, customer_id: str, errand: Errand) -> Customer | None:
        def work() -> Customer | None:
            customer = find_customer(self._partner_center, customer_id, errand)
            if customer is None:
                return None
            return {**customer, "requirements": self._requirements(customer, errand)}

        return self._flight.do(customer_id, work, errand)

    def _requirements(self, customer: Customer, errand: Errand) -> list[str]:
        reseller = customer["association"] == "RESELLER"
        needed = {
            "ASSOCIATION": customer["associated_at"] is None,
            "BUDGET": reseller and not self._has_budget(customer["customer_id"], errand),
            "UNFREEZE": customer["frozen"],
            "VERIFICATION": customer["verification"] != "VERIFIED",
        }
        return [name for name, is_needed in needed.items() if is_needed]

    def _has_budget(self, customer_id: str, errand: Errand) -> bool:
        """Whether Huawei shows a budget.

        Huawei does not document its answer for a customer without one. An amount of zero is no
        budget, since none can be set to zero; a refusal that is about the customer shows none.
        """
        try:
            budget = self._partner_center.read(SHOW_BUDGET, errand, customer_id=customer_id)
        except GatewayError as error:
            refused = error.upstream is not None and error.upstream.code is not None
            about_it = error.code.fault is Fault.CALLER
            if refused and (about_it or error.code is ErrorCode.UPSTREAM_UNMAPPED):
                return False
            raise
        return Decimal(budget["amount"]) > 0
