"""A customer's budget and its changes (mt_01004, mt_01007), and many budgets (mt_01006)."""

from typing import Any

from marshmallow import fields

from app.answers import Answer, Count, Items, Money, Page, Text, When, Word
from app.api.authentication import check_customers
from app.api.blueprint import ResourceBlueprint
from app.api.lists import PageSchema
from app.api.reads import read, read_page
from app.customers.answers import PERIODS, SHOW_BUDGET, BudgetSchema
from app.fields import Customers, QuerySchema
from app.huawei.operation import Operation

blueprint = ResourceBlueprint(
    "budgets",
    __name__,
    url_prefix="/v1/customers/<customer_id:customer_id>/budget",
    description="A customer's budget",
)


all_budgets = ResourceBlueprint(
    "all_budgets", __name__, url_prefix="/v1/budgets", description="The budgets of many customers"
)


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


class ListedBudgetSchema(Answer):
    """A budget of one of many customers."""

    customer_id = Text("customer_id", "06a7969058802f0c0f01c00b91846780")
    amount = Money("budget_amount", "500.00")
    used = Money("used_amount", "123.45", "what the customer used; with a delay")
    period = Word("budget_type", PERIODS)


class BudgetsSchema(Answer):
    """The budgets of many customers."""

    items = Items("budget_infos", ListedBudgetSchema)
    currency = Text("currency", "USD", optional=True)
    missing = fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "the ids for which Huawei names no budget: they are not customers of "
            "the partner, or not of the reseller type",
            "example": [],
        },
    )


class BudgetsQuerySchema(QuerySchema):
    """Whose budgets to read."""

    customer_ids = Customers(required=True)


LIST_CHANGES = Operation.read(
    "GET /v2/partners/sub-customers/budget/records",
    "list_budget_changes",
    ChangesSchema,
    customer_id="customer_id",
)
LIST_BUDGETS = Operation.read(
    "POST /v2/partners/sub-customers/budget/query",
    "list_budgets",
    BudgetsSchema,
    customer_ids="customer_ids",
)


@blueprint.read("", BudgetSchema, "budgets:read")
def get_budget(customer_id: str) -> Any:
    """Read a customer's budget.

    The answer tells how much of the budget is used; Huawei updates this with a delay.
    """
    return read(SHOW_BUDGET, customer_id=customer_id)


@blueprint.read("/changes", ChangesSchema, "budgets:read", PageSchema)
def list_budget_changes(query: dict[str, Any], customer_id: str) -> Any:
    """List the changes of a customer's budget.

    Huawei does not document the order of the changes.
    """
    return read_page(LIST_CHANGES, query, customer_id=customer_id)


@all_budgets.read("", BudgetsSchema, "budgets:read", BudgetsQuerySchema, about_customers=False)
def list_budgets(query: dict[str, list[str]]) -> Any:
    """Read the budgets of up to 100 customers by one call of Huawei.

    A caller that is limited to some customers may name only these.
    """
    asked = query["customer_ids"]
    check_customers(asked)
    found = read(LIST_BUDGETS, customer_ids=asked)
    known = {budget["customer_id"] for budget in found["items"]}
    items = [budget for budget in found["items"] if budget["customer_id"] in asked]
    missing = [customer_id for customer_id in asked if customer_id not in known]
    return {**found, "items": items, "missing": missing}
