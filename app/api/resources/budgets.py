"""A customer's budget (mt_01004)."""

from typing import Any

from app.answers import Answer, Money, Text, Word
from app.api.blueprint import ResourceBlueprint
from app.api.reads import read
from app.huawei.operation import Operation

blueprint = ResourceBlueprint(
    "budgets",
    __name__,
    url_prefix="/v1/customers/<customer_id:customer_id>/budget",
    description="A customer's budget",
)


class BudgetSchema(Answer):
    """A customer's budget."""

    amount = Money("budget_amount", "500.00")
    used = Money("used_amount", "123.45", "what the customer used; Huawei updates it with a delay")
    currency = Text("currency", "USD")
    period = Word("budget_type", {"MONTHLY": "MONTHLY", "PACKAGE": "ONCE"})


SHOW_BUDGET = Operation.read(
    "GET /v2/partners/sub-customers/budget", "show_budget", BudgetSchema, customer_id="customer_id"
)


@blueprint.read("", BudgetSchema, "budgets:read")
def get_budget(customer_id: str) -> Any:
    """Read a customer's budget.

    The answer tells how much of the budget is used; Huawei updates this with a delay.
    """
    return read(SHOW_BUDGET, customer_id=customer_id)
