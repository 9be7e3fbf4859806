"""The partner's monthly bills (mb_00003)."""

import time
from typing import Any

from app.api.blueprint import ResourceBlueprint
from app.api.reads import read
from app.billing.answers import SHOW_BILL, BillSchema
from app.billing.month import billed
from app.errors import ErrorCode

blueprint = ResourceBlueprint(
    "bills", __name__, url_prefix="/v1/partner/bills", description="The partner's monthly bills"
)


@blueprint.read(
    "/<month:month>",
    BillSchema,
    "billing:read",
    None,
    ErrorCode.VALIDATION_FAILED,
    ErrorCode.BILL_NOT_READY,
)
def get_partner_bill(month: str) -> Any:
    """Read the sum of the partner's bill of a month.

    Months are calendar months in Beijing (GMT+8): October 2026 begins on 30 September at 16:00
    UTC. Huawei has the bill of a month by the 5th of the following month, 12:00 in Beijing; before
    that, the answer is BILL_NOT_READY, and `Retry-After` leads to that time.
    """
    return read(SHOW_BILL, month=billed(month, time.time()))
