"""A customer's budget and its changes (mt_01004, mt_01007), and many budgets (mt_01006)."""

import re
from decimal import Decimal
from typing import Any

from flask import g
from marshmallow import ValidationError, fields

from app.answers import Answer, Items, Money, Text, Word
from app.api.authentication import check_customers
from app.api.blueprint import ResourceBlueprint
from app.api.extensions import account
from app.api.lists import PageSchema
from app.api.queries import Customers
from app.api.reads import read, read_page
from app.api.requested import requested, written
from app.customers.answers import (
    LIST_CHANGES,
    PERIODS,
    SHOW_BUDGET,
    BudgetSchema,
    ChangesSchema,
)
from app.customers.budget import EXCEEDED, MOST
from app.customers.budget import PERIODS as SET_PERIODS
from app.errors import ErrorCode, GatewayError
from app.fields import JsonFlag, QuerySchema, RequestSchema, Rule
from app.huawei.operation import Operation
from app.texts import PlainText, one_of

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,2})?")
_AMOUNT_RULE = Rule("AMOUNT", f"must be a decimal above 0, at most {MOST}, with at most two places")

blueprint = ResourceBlueprint(
    "budgets",
    __name__,
    url_prefix="/v1/customers/<customer_id:customer_id>/budget",
    description="A customer's budget",
)


all_budgets = ResourceBlueprint(
    "all_budgets", __name__, url_prefix="/v1/budgets", description="The budgets of many customers"
)


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


def _check_amount(text: str) -> None:
    amount = Decimal(text) if _AMOUNT.fullmatch(text) else None
    if amount is None or not 0 < amount <= MOST:
        raise ValidationError([_AMOUNT_RULE])


class SetBudgetSchema(RequestSchema):
    """A budget to set. It replaces the present one."""

    amount = PlainText(
        required=True,
        validate=_check_amount,
        metadata={"description": "the whole budget: a decimal above 0, with at most two places"},
    )
    period = PlainText(
        validate=one_of(tuple(SET_PERIODS)),
        metadata={
            "enum_name": "BudgetPeriod",
            "enum": list(SET_PERIODS),
            "description": "the time that the budget is for; by default MONTHLY",
        },
    )
    when_exceeded = PlainText(
        validate=one_of(tuple(EXCEEDED)),
        metadata={
            "enum_name": "WhenExceeded",
            "enum": list(EXCEEDED),
            "description": "what Huawei does when the budget is used up; by default unchanged",
        },
    )
    unfreeze = JsonFlag(metadata={"description": "whether to unfreeze the customer as well"})


@blueprint.write(
    "PUT",
    "",
    SetBudgetSchema(),
    BudgetSchema,
    "budgets:write",
    example={"amount": "500.00", "unfreeze": True},
)
def set_budget(budget: dict[str, Any], customer_id: str) -> Any:
    """Set a customer's budget.

    The amount is the whole budget, not a difference. The answer is what Huawei shows afterwards.
    A customer without a budget cannot buy anything, and a new one is frozen as well: `unfreeze`.
    """
    g.record.unfreeze = budget.get("unfreeze") or None
    ceiling = g.rights.max_budget
    if ceiling is not None and Decimal(budget["amount"]) > Decimal(ceiling):
        raise GatewayError(ErrorCode.FORBIDDEN, "The amount is above the largest that you may set.")
    write = requested("SET_BUDGET", customer_id, budget)
    return written(account().budgets.set, write)
