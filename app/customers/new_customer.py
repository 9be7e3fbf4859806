"""A customer to create: what is sent for it, and how it is found again (mc_00016, mc_00021)."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.answers import reading
from app.customers.answers import ASSOCIATED, ASSOCIATING, LIST_CUSTOMERS, CreatedCustomerSchema
from app.huawei.codes import REGISTRATION
from app.huawei.operation import ByFields, Operation
from app.huawei.pacing.deadline import Errand
from app.huawei.paging import entries
from app.huawei.partner_center import PartnerCenter
from app.settings import AccountSettings

CREATE = Operation(
    name="create_customer",
    method="POST",
    path="/v2/partners/sub-customers",
    writes=True,
    success=ByFields(reading(CreatedCustomerSchema)),
    # Only the association takes longer: the customer exists, and the answer has its id.
    effective=frozenset({"CBC.99000050"}),
    errors=REGISTRATION,
)

_CLOSED = {True: "false", False: "true"}  # `is_close_market_ms` by `marketing`


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer that a caller asks for.

    Args:
        account: The settings of the account that it is created for.
        asked: `partner_user_id`, `country` and, where the caller gave them, `account_name` and
            `marketing`.
        private: `email`, `code` and `password`, where the caller gave them.
    """

    account: AccountSettings = field(repr=False)
    asked: Mapping[str, Any] = field(repr=False)
    private: Mapping[str, str] = field(repr=False)

    @property
    def account_name(self) -> str:
        """The name that the caller gave, or else one that is always the same for the customer.

        A restart or another replica does not change it. Huawei has no filter by partner_user_id,
        so that the name finds the customer again, and a second account with it is refused.
        """
        parts = f"{self.account.platform_id}\0{self.asked['partner_user_id']}"
        made = hmac.digest(self.account.partner_id.encode(), parts.encode(), "sha256").hex()
        return str(self.asked.get("account_name") or f"c{made[:31]}")

    @property
    def body(self) -> dict[str, Any]:
        """The body for Huawei."""
        body = {
            "domain_area": self.asked["country"],
            "xaccount_id": self.asked["partner_user_id"],
            "xaccount_type": self.account.platform_id,
            "domain_name": self.account_name,
            "email": self.private.get("email"),
            "verification_code": self.private.get("code"),
            "password": self.private.get("password"),
            "is_close_market_ms": _CLOSED.get(self.asked.get("marketing", "")),
        }
        return {name: value for name, value in body.items() if value is not None}

    def told(self, customer_id: str, status: str, reconciled: bool | None = None) -> dict[str, Any]:
        """The answer to the caller.

        Args:
            customer_id: Huawei's id of the customer.
            status: ASSOCIATED or ASSOCIATING.
            reconciled: True if the customer was found after a lost answer.
        """
        return {
            "customer_id": customer_id,
            "partner_user_id": self.asked["partner_user_id"],
            "account_name": self.account_name,
            "status": status,
            "reconciled": reconciled,
        }

    def find(self, partner_center: PartnerCenter, errand: Errand) -> Mapping[str, Any] | None:
        """The customer with this account_name and partner_user_id, if Huawei lists it.

        Huawei's filter finds every name that has this one in it.

        Raises:
            GatewayError: the failure of the read.
        """
        name = self.account_name
        wanted = (name, self.asked["partner_user_id"])
        listed = entries(partner_center, LIST_CUSTOMERS, errand, account_name=name)
        return next(
            (one for one in listed if (one["account_name"], one["partner_user_id"]) == wanted), None
        )


def status_of(found: Mapping[str, Any] | None) -> str:
    """ASSOCIATED if Huawei lists the customer with the time of its association."""
    return ASSOCIATED if found is not None and found["associated_at"] else ASSOCIATING
