"""The partner's customers (mc_00021)."""

from typing import Any

from app.answers import Answer, Count, Flag, Items, Page, Text, When, Word
from app.api.blueprint import ResourceBlueprint
from app.api.lists import PageSchema
from app.api.reads import read, read_page
from app.errors import ErrorCode, GatewayError
from app.fields import Choice, RequestTime
from app.huawei.operation import Operation

blueprint = ResourceBlueprint(
    "customers", __name__, url_prefix="/v1/customers", description="The partner's customers"
)

ASSOCIATIONS = {"1": "REFERRAL", "3": "RESELLER"}


class CustomerSchema(Answer):
    """A customer, without personal values."""

    customer_id = Text("customer_id", "06a7969058802f0c0f01c00b91846780")
    partner_user_id = Text("xaccount_id", "shop-981", "your id of the customer", optional=True)
    account_name = Text("account_name", "shop_981")
    kind = Word("customer_type", {"0": "INDIVIDUAL", "1": "ENTERPRISE", "-1": "NONE"})
    verification = Word(
        "verified_status",
        {
            "2": "VERIFIED",
            "0": "IN_REVIEW",
            "1": "REJECTED",
            "-1": "NOT_SUBMITTED",
            "3": "FAILED",
        },
    )
    frozen = Flag("is_frozen", False, "whether the customer can buy nothing until it is unfrozen")
    association = Word("association_type", ASSOCIATIONS)
    associated_at = When("associated_on", "2026-11-02T08:00:00Z")
    country = Text("country_code", "0065", "the country's telephone code", optional=True)


class CustomersSchema(Page):
    """A page of the partner's customers."""

    items = Items("customer_infos", CustomerSchema)
    total = Count("count", 1)


class CustomersQuerySchema(PageSchema):
    """The filters of the customers."""

    association = Choice(
        "Association",
        {word: code for code, word in ASSOCIATIONS.items()},
        "how the customer is associated with the partner",
    )
    associated_from = RequestTime(metadata={"description": "associated at this time or later"})
    associated_until = RequestTime(metadata={"description": "associated at this time or earlier"})


LIST_CUSTOMERS = Operation.read(
    "POST /v2/partners/sub-customers/query",
    "list_customers",
    CustomersSchema,
    customer_id="customer_id",
    association="association_type",
    associated_from="associated_on_begin",
    associated_until="associated_on_end",
)


@blueprint.read("", CustomersSchema, "customers:read", CustomersQuerySchema)
def list_customers(query: dict[str, Any]) -> Any:
    """List the partner's customers.

    The list has no personal values. Filter it by the association and its time.
    """
    return read_page(LIST_CUSTOMERS, query)


@blueprint.read("/<customer_id:customer_id>", CustomerSchema, "customers:read")
def get_customer(customer_id: str) -> Any:
    """Read a customer.

    The answer tells how the customer is associated, the status of its verification, and whether
    it is frozen. It has no personal values.
    """
    found = read(LIST_CUSTOMERS, customer_id=customer_id)["items"]
    for customer in found:
        if customer["customer_id"] == customer_id:
            return customer
    raise GatewayError(ErrorCode.CUSTOMER_NOT_FOUND)
