"""The success of an operation, as Huawei declares it. Any other 2xx answer is unreadable.

The absence of an error proves nothing: a maintenance page can be JSON under HTTP 200.
"""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema

SUCCESS = "CBC.0000"

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")


class Success(Protocol):
    """How one operation's success looks."""

    def read(
        self, status: int, content: bytes, body: Mapping[str, Any] | None
    ) -> Mapping[str, Any] | None:
        """The fields of a successful answer; None if Huawei did not declare success.

        Args:
            status: The HTTP status, 200 to 299.
            content: The answer as it came.
            body: The JSON object in it; None if it holds none. It tells of no failure.
        """


class ByCode:
    """Success is the error code CBC.0000, as verified-info answers it (en-us_topic_0076214635)."""

    def read(
        self, status: int, content: bytes, body: Mapping[str, Any] | None
    ) -> Mapping[str, Any] | None:
        """An empty mapping on success."""
        return {} if body is not None and body.get("error_code") == SUCCESS else None


class ByNothing:
    """Success is HTTP 200 or 204 without a body, for operations that answer nothing."""

    def read(
        self, status: int, content: bytes, body: Mapping[str, Any] | None
    ) -> Mapping[str, Any] | None:
        """An empty mapping on success."""
        return {} if status in (200, 204) and not content.strip() else None


class ByFields:
    """Success is an object with the fields of a schema.

    Args:
        schema: Loads the fields. An answer that it refuses is not a success.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def read(
        self, status: int, content: bytes, body: Mapping[str, Any] | None
    ) -> Mapping[str, Any] | None:
        """The fields on success."""
        if body is None or _tells_of_error(body):
            return None
        try:
            loaded: Mapping[str, Any] = self._schema.load(body)
        except ValidationError:
            return None
        return loaded


def _tells_of_error(body: Mapping[str, Any]) -> bool:
    """Whether an answer without a code has an error text, which v2 calls have on failure only."""
    texts = (body.get(name) for name in ("error_msg", "errorMsg", "error"))
    return body.get("error_code") != SUCCESS and any(text not in (None, "") for text in texts)


class Number(fields.Integer):
    """A number of Huawei, as a JSON number or as text: its pages print both.

    Args:
        allowed: The numbers that Huawei documents.
    """

    def __init__(self, *allowed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._allowed = allowed

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value not in self._allowed:
            raise self.make_error("invalid")
        return value


class AnswerSchema(Schema):
    """The fields that the gateway reads of an answer; Huawei may add others."""

    class Meta:
        unknown = EXCLUDE


class Applied(AnswerSchema):
    """The answer of the review applications (mc_00017 to mc_00019)."""

    is_review = Number(0, 1, required=True)


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
