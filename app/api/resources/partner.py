"""The partner itself: its credit (cq_001)."""

from decimal import Decimal
from typing import Any

from flask import g

from app.answers import Answer, Money, Text
from app.api.blueprint import ResourceBlueprint
from app.api.reads import read
from app.huawei.operation import Operation
from app.observability import metrics

blueprint = ResourceBlueprint(
    "partner", __name__, url_prefix="/v1/partner", description="The partner's credit"
)


class CreditSchema(Answer):
    """The partner's credit."""

    quota = Money("consumption_quota", "10000", "what the partner and its customers may spend")
    used = Money(
        "used_consumption_quota", "580.08", "due + unbilled - balance - coupons; can be negative"
    )
    balance = Money("amount", "0", "what the partner paid in advance")
    coupons = Money("coupon_amount", "0")
    due = Money("due_amount", "480.08")
    unbilled = Money("unbilled_amount", "100")
    currency = Text("currency", "USD")


SHOW_CREDIT = Operation.read(
    "GET /v2/partners/credit/consumption-quota", "show_credit", CreditSchema
)


@blueprint.read("/credit", CreditSchema, "billing:read")
def get_partner_credit() -> Any:
    """Read the partner's credit.

    When the credit is used up, no customer can buy anything. Each read updates the gateway's
    metric of the credit, on which its alerts rely.
    """
    credit = read(SHOW_CREDIT)
    if quota := Decimal(credit["quota"]):
        metrics.CREDIT_USED.labels(g.account).set(float(Decimal(credit["used"]) / quota))
        metrics.CREDIT_READ.labels(g.account).set_to_current_time()
    return credit
