"""The partner's customers (mc_00021)."""

from typing import Any

from flask import g

from app.api.blueprint import ResourceBlueprint
from app.api.extensions import gateway
from app.api.lists import PageSchema
from app.api.queries import Choice, RequestTime
from app.api.reads import read_page
from app.api.requested import MAX_WAIT, wait_preference
from app.customers.answers import (
    ASSOCIATIONS,
    LIST_CUSTOMERS,
    CustomersSchema,
    OneCustomerSchema,
)
from app.huawei.pacing.deadline import READ, Errand

blueprint = ResourceBlueprint(
    "customers", __name__, url_prefix="/v1/customers", description="The partner's customers"
)


class CustomersQuerySchema(PageSchema):
    """The filters of the customers."""

    association = Choice(
        "Association",
        {word: code for code, word in ASSOCIATIONS.items()},
        "how the customer is associated with the partner",
    )
    associated_from = RequestTime(metadata={"description": "associated at this time or later"})
    associated_until = RequestTime(metadata={"description": "associated at this time or earlier"})


@blueprint.read("", CustomersSchema, "customers:read", CustomersQuerySchema)
def list_customers(query: dict[str, Any]) -> Any:
    """List the partner's customers.

    The list has no personal values. Filter it by the association and its time.
    """
    return read_page(LIST_CUSTOMERS, query)


@blueprint.read(
    "/<customer_id:customer_id>", OneCustomerSchema, "customers:read", parameters=["Prefer"]
)
def get_customer(customer_id: str) -> Any:
    """Read a customer, and what still keeps it from buying.

    `requirements` has BUDGET if Huawei shows no budget, or one of zero; Huawei does not document
    what it answers for a customer without a budget. `personal` needs the scope
    `customers:personal`. With `Prefer: wait=N`, the gateway answers when something changes, or
    after N seconds (at most 25), while a requirement is left. A customer whose association is
    under way is not listed yet: it is CUSTOMER_NOT_FOUND, or waited for.
    """
    wait = wait_preference() or 0.0
    errand = Errand.within(min(wait + READ, MAX_WAIT), g.caller)
    customer = dict(gateway().customers[g.account].read(customer_id, errand, wait))
    if "customers:personal" not in g.rights.scopes:
        del customer["personal"]
    return customer, 200, {"Preference-Applied": f"wait={wait:.0f}"} if wait else {}
