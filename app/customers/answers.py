"""What Huawei tells of customers (mc_00021) and of a customer's budget (mt_01004)."""

from marshmallow import fields

from app.answers import Answer, Count, Flag, Items, Money, Page, Part, Text, When, Word
from app.fields import word
from app.huawei.operation import Operation
from app.texts import length

ASSOCIATED, ASSOCIATING = "ASSOCIATED", "ASSOCIATING"
ASSOCIATIONS = {"1": "REFERRAL", "3": "RESELLER"}
PERIODS = {"MONTHLY": "MONTHLY", "PACKAGE": "ONCE"}
_LIST = "POST /v2/partners/sub-customers/query"


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
    associated_at = When("associated_on", "2026-11-02T08:00:00Z", optional=True)
    country = Text(
        "country_code",
        "0065",
        "the country's telephone code, not the two letters of createCustomer",
        optional=True,
    )


class CustomersSchema(Page):
    """A page of the partner's customers."""

    items = Items("customer_infos", CustomerSchema)
    total = Count("count", 1)


class PersonalSchema(Answer):
    """The personal values of a customer."""

    name = Text("customer", "LI SI", "the name of the verification", optional=True)
    email = Text("email", "li@example.com", optional=True)
    phone = Text("telephone", "0065-1234567", optional=True)


class OneCustomerSchema(CustomerSchema):
    """A customer, with what still keeps it from buying."""

    personal = Part("", PersonalSchema, "only with the scope `customers:personal`", optional=True)
    requirements = fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "what still keeps the customer from buying: ASSOCIATION, BUDGET, "
            "UNFREEZE, VERIFICATION; empty: nothing; more can be added",
            "example": ["BUDGET"],
        },
    )


class CreatedCustomerSchema(Answer):
    """A new customer."""

    customer_id = Text("domain_id", "06a7969058802f0c0f01c00b91846780", validate=length(1, 64))
    partner_user_id = fields.String(
        required=True, metadata={"description": "your id of the customer", "example": "shop-981"}
    )
    account_name = fields.String(
        required=True,
        metadata={"description": "the name of the Huawei account", "example": "shop_981"},
    )
    status = word(
        (ASSOCIATED, ASSOCIATING),
        "whether Huawei lists the customer as associated with the partner already",
    )
    reconciled = fields.Boolean(
        metadata={
            "description": "true if Huawei's answer was lost, and the gateway found the customer "
            "afterwards"
        }
    )


class FoundSchema(Answer):
    """The customers that a search by id finds."""

    items = Items("customer_infos", OneCustomerSchema)


class BudgetSchema(Answer):
    """A customer's budget."""

    amount = Money("budget_amount", "500.00")
    used = Money("used_amount", "123.45", "what the customer used; Huawei updates it with a delay")
    currency = Text("currency", "USD")
    period = Word("budget_type", PERIODS)


class ChangeSchema(Answer):
    """A change of a customer's budget."""

    amount = Money("budget_amount", "500.00")
    type = Word("operation_type", {"SETTING": "SET", "DELETE": "REMOVED"})
    at = When("operation_time", "2026-11-02T08:00:00Z")
    operator = Text("operator", "partner", "who changed it; or `system`", optional=True)
    period = Word("budget_type", PERIODS, optional=True)


class ChangesSchema(Page):
    """A page of the changes of a customer's budget. Huawei does not document their order."""

    items = Items("record_list", ChangeSchema)
    total = Count("total_count", 1)
    currency = Text("currency", "USD", optional=True)


LIST_CUSTOMERS = Operation.read(
    _LIST,
    "list_customers",
    CustomersSchema,
    association="association_type",
    associated_from="associated_on_begin",
    associated_until="associated_on_end",
    account_name="account_name",  # a part of the name; no query of the contract asks for it
)
FIND_CUSTOMER = Operation.read(_LIST, "find_customer", FoundSchema, customer_id="customer_id")
SHOW_BUDGET = Operation.read(
    "GET /v2/partners/sub-customers/budget", "show_budget", BudgetSchema, customer_id="customer_id"
)

LIST_CHANGES = Operation.read(
    "GET /v2/partners/sub-customers/budget/records",
    "list_budget_changes",
    ChangesSchema,
    customer_id="customer_id",
)
