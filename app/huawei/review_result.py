"""The read of a customer's review result, which tells the state of a verification."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from app.huawei.operation import AnswerSchema, ByFields, Number, Operation


class ReviewResult(AnswerSchema):
    """The answer of the review result (mc_00020).

    `review_result` is absent or null where the customer never applied. An object without it that
    has other fields is not that answer: it could be a maintenance page.
    """

    review_result = Number(0, 1, 2, allow_none=True, load_default=None)
    opinion = fields.String(allow_none=True, load_default=None)

    @validates_schema(pass_original=True)
    def _check_never_applied(
        self, loaded: Mapping[str, Any], original: Mapping[str, Any], **_: Any
    ) -> None:
        others = {name for name, value in original.items() if value is not None}
        if loaded.get("review_result") is None and others - {"opinion", "error_code", "error_msg"}:
            raise ValidationError("no review_result among other fields")


READ_RESULT = Operation(
    name="read_result",  # mc_00020
    method="GET",
    path="/v2/customers/realname-auths/result",
    writes=False,
    success=ByFields(ReviewResult()),
)

# A probe finds out whether Huawei answers and accepts the credential. It reads the result of a
# customer that does not exist, and shares the quota of that API.
PROBE = replace(READ_RESULT, name="probe", queue=READ_RESULT.name)
