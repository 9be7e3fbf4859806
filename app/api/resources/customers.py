"""The partner's customers (mc_00021), and their creation (mc_00016)."""

from typing import Any

from flask import g, url_for
from marshmallow import ValidationError, validates_schema

from app.api.authentication import requires
from app.api.blueprint import CREATION_PROBLEMS, ResourceBlueprint
from app.api.extensions import account
from app.api.lists import PageSchema
from app.api.queries import Choice, RequestTime
from app.api.reads import read_page
from app.api.record import Record
from app.api.requested import MAX_WAIT, requested, wait_preference
from app.customers.answers import (
    ASSOCIATED,
    ASSOCIATING,
    ASSOCIATIONS,
    LIST_CUSTOMERS,
    CreatedCustomerSchema,
    CustomersSchema,
    OneCustomerSchema,
)
from app.customers.rules import ACCOUNT_NAME, CODE, EMAIL, check_password
from app.errors import ErrorCode
from app.events.open_reviews import IN_REVIEW
from app.fields import JsonFlag, RequestSchema, Rule
from app.huawei.pacing.deadline import READ, Errand
from app.texts import COUNTRY, PlainText, length

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

    The list has no personal values. Filter it by the association and its time. The gateway watches
    the reviews of the customers that are IN_REVIEW from then on, and tells their end.
    """
    found = read_page(LIST_CUSTOMERS, query)
    open_now = [one["customer_id"] for one in found["items"] if one["verification"] == IN_REVIEW]
    account().reviews.listed(open_now, g.caller)
    return found


@blueprint.read(
    "/<customer_id:customer_id>",
    OneCustomerSchema,
    "customers:read",
    None,
    ErrorCode.ASSOCIATION_PENDING,
    parameters=["Prefer"],
)
def get_customer(customer_id: str) -> Any:
    """Read a customer, and what still keeps it from buying.

    `requirements` has BUDGET if Huawei shows no budget, or one of zero; Huawei does not document
    what it answers for a customer without a budget. `personal` needs the scope
    `customers:personal`. With `Prefer: wait=N`, the gateway answers when something changes, or
    after N seconds (at most 25), while a requirement is left. A customer that createCustomer
    created and that Huawei does not list yet is waited for, or ASSOCIATION_PENDING.
    """
    wait = wait_preference() or 0.0
    errand = Errand.within(min(wait + READ, MAX_WAIT), g.caller)
    customer = dict(account().customers.read(customer_id, errand, wait))
    if "customers:personal" not in g.rights.scopes:
        del customer["personal"]
    return customer, 200, {"Preference-Applied": f"wait={wait:.0f}"} if wait else {}


_PRIVATE = ("email", "code", "password")
_TOGETHER = Rule("REQUIRED", "is required, because email and code come together")


class CreateCustomerSchema(RequestSchema):
    """A customer to create."""

    partner_user_id = PlainText(
        required=True,
        validate=length(1, 64),
        metadata={"description": "your own id of the customer, for one customer only"},
    )
    country = PlainText(
        required=True,
        validate=COUNTRY,
        metadata={"description": "two-letter country code in capitals, e.g. SG"},
    )
    account_name = PlainText(
        validate=ACCOUNT_NAME,
        metadata={
            "description": "the name of the Huawei account, unique over all customers of Huawei: "
            "5 to 32 letters, digits, `_` or `-`, beginning with a letter; by default the gateway "
            "makes one of partner_user_id"
        },
    )
    email = PlainText(
        validate=EMAIL, metadata={"description": "3 to 64 characters with an @; needs `code`"}
    )
    code = PlainText(
        validate=CODE,
        metadata={"description": "the 6 characters that Huawei mailed to the address"},
    )
    password = PlainText(
        metadata={
            "description": "8 to 32 characters of two kinds; without a password the customer can "
            "log in through your own sign-on only"
        }
    )
    marketing = JsonFlag(
        metadata={"description": "whether Huawei may send marketing messages; by default it may"}
    )

    @validates_schema
    def check_private(self, asked: dict[str, Any], **_: Any) -> None:
        """Refuse an e-mail without a code, a code without an e-mail, and a weak password."""
        for name, other in (("email", "code"), ("code", "email")):
            if name in asked and other not in asked:
                raise ValidationError({other: [_TOGETHER]})
        if "password" in asked:
            check_password(asked["password"], asked.get("account_name"), asked.get("email"))


CREATED = {
    "customer_id": "06a7969058802f0c0f01c00b91846780",
    "partner_user_id": "shop-981",
    "account_name": "shop_981",
    "status": ASSOCIATED,
}


@blueprint.post("", parameters=["RequiredIdempotencyKey", "Prefer"])
@requires("customers:write")
@blueprint.doc(operationId="createCustomer")
@blueprint.arguments(
    CreateCustomerSchema(),
    examples={
        "WITHOUT_EMAIL": {
            "summary": "The customer comes through your own sign-on",
            "value": {"partner_user_id": "shop-981", "country": "SG"},
        },
        "WITH_EMAIL": {
            "summary": "With the code that Huawei mailed",
            "value": {
                "partner_user_id": "shop-982",
                "country": "SG",
                "account_name": "shop_982",
                "email": "li@example.com",
                "code": "123456",
                "password": "a-Long-1-password",
            },
        },
    },
)
@blueprint.response(
    201,
    CreatedCustomerSchema(),
    description="The customer is created, and associated with the partner",
    example=CREATED,
    headers=("Location", "Idempotent-Replayed"),
)
@blueprint.also(
    202,
    schema=CreatedCustomerSchema(),
    description="The customer is created; Huawei associates it with the partner later",
    example=CREATED | {"status": ASSOCIATING},
    headers=("Location", "Idempotent-Replayed"),
)
@blueprint.problems(CREATION_PROBLEMS)
def create_customer(asked: dict[str, Any]) -> Any:
    """Create a customer.

    Huawei creates the account at once and associates it with the partner afterwards. 202: read
    the customer at `Location`; with `Prefer: wait=25` the answer comes when Huawei lists the
    customer. A new customer is frozen and has no budget.

    The `Idempotency-Key` is required. Keep it until you have the customer: after a lost answer,
    the same request with the same key finds the customer again and creates no second one.
    Nothing of `email`, `code` and `password` is stored, so that a repeat may have a new code.
    """
    private = {name: asked.pop(name) for name in _PRIVATE if name in asked}
    # A customer id has no colon: this subject is not that of a customer.
    subject = f"new:{asked['partner_user_id']}"
    write = requested("CREATE_CUSTOMER", subject, asked, key_required=True)
    created, replayed = account().creations.create(write, private)
    line: Record = g.record
    line.customer_id, line.status = created["customer_id"], created["status"]
    line.replayed, line.reconciled = replayed, bool(created["reconciled"])
    headers = {"Location": url_for("customers.get_customer", customer_id=created["customer_id"])}
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    return created, 201 if created["status"] == ASSOCIATED else 202, headers
